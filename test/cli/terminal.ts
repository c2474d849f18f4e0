import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { Writable } from "node:stream";
import { run } from "../../cli/program";
import type { Outputs } from "../../provider/inputs";
import type { Sight } from "../../provider/datastores/galera/sight";
import { names } from "../../provider/topology";
import { sight } from "../provider/datastores/galera/model";
import { known } from "../provider/document";
import { Fleet } from "../provider/fleet";

/** The state of a cluster of three that the last run left well. */
export const orders: Outputs = {
  ...known, stateVersion: 1, status: "ready", known: known.members, seen: {}, unreached: [],
  pins: Object.fromEntries(known.members.map(({ server, name }) => [server, `SHA256:of-${name}`])),
};

/** What the engine writes of a secret when it is to show it. */
const shown = (value: unknown) => ({ "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", plaintext: JSON.stringify(value) });

/** The stack as `pulumi stack export --show-secrets` prints it. */
export const exported = (states: Outputs[]) => ({
  version: 3,
  deployment: {
    manifest: { time: "2026-11-24T01:17:29.878145786Z", magic: "", version: "v3.259.0" },
    resources: [
      { urn: "urn:pulumi:test::shop::pulumi:pulumi:Stack::shop-test", custom: false, type: "pulumi:pulumi:Stack" },
      ...states.flatMap((state) => {
        const cluster = {
          urn: `urn:pulumi:test::shop::pulumi-openstack-datastores:index:GaleraCluster$pulumi-nodejs:dynamic/datastores:Cluster::${state.owner.cluster}`,
          custom: true, id: state.owner.cluster, type: "pulumi-nodejs:dynamic/datastores:Cluster",
          outputs: { ...state, __provider: "the text", access: shown(state.access), rootPassword: shown(state.rootPassword), authority: shown(state.authority) },
        };
        return [cluster, { ...cluster, delete: true, outputs: {} }];
      }),
    ],
  },
});

/** A person's shell: a `pulumi` that prints what the test says, and guests in memory that answer as the model's sights say. */
export class Terminal {
  readonly fleet: Fleet;
  private readonly folder = mkdtempSync(join(tmpdir(), "terminal-"));
  private readonly path = process.env.PATH;
  /** What the servers say beside what is in their sights, at both looks. */
  vitals: Record<string, Record<string, number>> = {};
  /** Bytes in use of 100 GiB. */
  used: Record<string, number> = {};
  /** The title of the run that holds a guest's lease. */
  leases: Record<string, string> = {};

  /** Processes that keep a guest, as it tells of them; with their words whether each outlives TERM and KILL. */
  commands: Record<string, { words: string; outlives?: ("TERM" | "KILL")[] }[]> = {};

  constructor(states: Outputs[] = [orders]) {
    this.fleet = new Fleet(Object.fromEntries(states.flatMap(names).map((name) => [name, sight("synced", 3)])));
    this.fleet.answer = (member, command) => this.answer(member, command);
    this.pulumi({ prints: JSON.stringify(exported(states)) });
    process.env.PATH = `${this.folder}${delimiter}${this.path}`;
  }

  /** From now on `pulumi` prints this, says that, and ends so. */
  pulumi({ prints = "", says = "", code = 0 }: { prints?: string; says?: string; code?: number }): void {
    for (const [file, content] of Object.entries({ prints, says })) writeFileSync(join(this.folder, file), content);
    writeFileSync(join(this.folder, "pulumi"), `#!/bin/sh\ncd ${this.folder}\necho "$*" >>asked\ncat says >&2\ncat prints\nexit ${code}\n`, { mode: 0o755 });
  }

  /** How `pulumi` was called. */
  get asked(): string[] {
    return readFileSync(join(this.folder, "asked"), "utf8").trim().split("\n");
  }

  /** There is no `pulumi` on this machine. */
  without(): void {
    process.env.PATH = "";
  }

  see(seen: Record<string, string>, members = 3): void {
    for (const [name, words] of Object.entries(seen)) this.fleet.seen[name] = sight(words, members);
  }

  async run(command: string, { colours = false, on = () => undefined as void } = {}): Promise<{ code: number; out: string; error: string }> {
    const printed = { out: "", error: "" };
    const to = (stream: "out" | "error") => new Writable({
      write(part: Buffer, _encoding, done) {
        printed[stream] += part.toString();
        on();
        done();
      },
    });
    const code = await run(command.split(" ").filter(Boolean), { out: to("out"), error: to("error"), colours });
    return { code, ...printed };
  }

  end(): void {
    this.fleet.end();
    process.env.PATH = this.path;
    rmSync(this.folder, { recursive: true });
  }

  /** How it is kept, and once that is let go how its commands ended. */
  private grip(member: string, forced: boolean): string {
    const commands = (this.commands[member] ?? []).map((each, index) => ({ ...each, pid: 4711 + index }));
    return [
      ...(this.leases[member] === undefined ? [] : [`lease ${this.leases[member].startsWith("dead") ? -7 : 22} ${this.leases[member]}`]),
      ...commands.map(({ pid, words }) => `command ${pid} 03:12 ${Buffer.from(words).toString("base64")}`),
      ...(forced ? commands.flatMap(({ pid, outlives = [] }) => outlives.map((signal) => `outlived ${signal} ${pid}`)) : []),
    ].map((line) => `${line}\n`).join("");
  }

  private answer(member: string, command: string): string {
    const seen = this.fleet.seen[member]!;
    if (command.includes("-ef busy")) return this.grip(member, command.includes("rm -f lease"));
    if (command.includes("/lease")) return this.leases[member] ?? "";
    if (command.includes("echo held")) return "held" in seen ? "held\n" : "";
    if (command.includes("journalctl")) return `${member} told this\n`;
    if (command.includes("-p ActiveState")) return `ActiveState=${unit(seen)}\nJob=\n`;
    if (command.includes("SHOW GLOBAL STATUS")) return seen.is === "up" ? [view(seen, this.vitals[member]), view(seen, this.vitals[member])].join("---\n") : "ERROR 2002 (HY000): Can't connect\n";
    if (command.includes("sst_in_progress")) return "";
    if (command.includes("dpkg-query")) return "1:10.11.19-0+deb12u1\n";
    if (command.includes("df --block-size")) return `${this.used[member] ?? 12 * 2 ** 30} ${100 * 2 ** 30}\n`;
    throw new Error(`nobody asks ${command}`);
  }
}

const unit = (seen: Sight): string => (seen.is === "up" ? "active" : seen.is === "starting" ? "activating" : "held" in seen ? "inactive" : "failed");

const view = ({ primary, state, size, uuid }: Sight & { is: "up" }, more: Record<string, number> = {}): string => `${Object.entries({
  cluster_status: primary ? "Primary" : "non-Primary", cluster_size: size, cluster_state_uuid: uuid, local_state_comment: state, ready: primary ? "ON" : "OFF",
  local_recv_queue: 0, flow_control_paused_ns: 0, flow_control_sent: 0, ...more,
}).map(([key, value]) => `wsrep_${key}\t${value}\n`).join("")}version\t10.11.19-MariaDB-0+deb12u1\n`;
