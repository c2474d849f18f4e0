import { deepEqual, equal, ok } from "node:assert/strict";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { address, down, exec, folder as devcloud, reserve, up } from "../../devcloud";
import { engine } from "../../tools/engine";
import { members, type Members } from "../../demo/members";
import { stack, type Stack } from "../../demo/stack";
import { inOrder } from "../inOrder";
import { upCutAt, type Kind } from "./cuts";
import { Writer } from "./writer";

const folder = `${devcloud}.trial`;
const compared = join(folder, "compared");
const quiet = () => undefined;

/** What a member says of the cluster, by the names of MariaDB's status variables. */
export type Wsrep = Record<string, string | undefined>;

/** A cluster `orders` of test/guests/program on real guests: a stack, its members as a person reaches them, a client that writes. */
export class Trial {
  galera!: Stack;
  private begun = false;
  private release: () => void = () => undefined;
  private reached: Members | undefined;
  private writer: Writer | undefined;
  private readonly table: string[] = [];

  /** The tests of `suite` go on from one another, in a devcloud of their own and with a stack that nothing was made in yet. */
  constructor(suite: Mocha.Suite) {
    const begin = () => this.begin();
    suite.timeout("20m");
    inOrder(suite);
    suite.beforeAll(async function () {
      if (process.getuid?.() === 0) return begin();
      console.log("    skipped: guests need root");
      this.skip();
    });
    suite.afterAll(() => this.end());
  }

  private async begin(): Promise<void> {
    this.begun = true;
    rmSync(folder, { recursive: true, force: true });
    const tools = await engine(quiet);
    this.release = await reserve((line) => console.log(`    ${line}`));
    // What an earlier run left, or a demo that was kept, has servers of the same names.
    await down(quiet);
    await up(quiet);
    this.galera = await stack(tools, join(__dirname, "program"), folder, "test");
    this.galera.env.PULUMI_DEBUG_COMMANDS = "true"; // for `--event-log`
    Object.assign(this.galera.env, { NODE_OPTIONS: `--require ${join(__dirname, "probe.js")}`, PROBE_COMPARED: compared, PROBE_HELD: join(folder, "held") });
    await this.galera.pulumi(["config", "set-all", "--plaintext", `privateKeyFile=${this.galera.keyFile}`, "--plaintext", `client=${address()}`]);
  }

  /** Also of one that did not begin well. */
  private async end(): Promise<void> {
    if (!this.begun) return;
    await this.writer?.end();
    this.reached?.close();
    // Servers and volumes go with their cloud, also those of a cluster that a failed test left protected.
    await down(quiet);
    rmSync(folder, { recursive: true, force: true });
    this.release();
  }

  get cluster(): Members {
    if (!this.reached) throw new Error("the cluster is not there yet");
    return this.reached;
  }

  /** Reaches the members that there are now: servers may be others than before. */
  async again(): Promise<void> {
    this.reached?.close();
    this.reached = await members(this.galera);
  }

  readonly up = () => this.galera.pulumi(["up", "--yes", "--skip-preview"]);
  readonly refresh = () => this.galera.pulumi(["refresh", "--yes", "--skip-preview"]);
  readonly nothingToDo = () => this.galera.pulumi(["preview", "--expect-no-changes"]);

  /** Sets what the program reads from its configuration. */
  async want(wanted: { members?: number; without?: string[]; replace?: string[]; forget?: string[]; deletionProtection?: boolean }): Promise<void> {
    for (const [key, value] of Object.entries(wanted)) await this.galera.pulumi(["config", "set", key, JSON.stringify(value)]);
  }

  /** The forecast of a preview: the lines that the cluster prints, but for the word that the last run did not end. */
  async previewed(): Promise<string[]> {
    const { stdout } = await this.galera.pulumi(["preview"]);
    return stdout.split("\n").flatMap((line) => /^\s+\[orders\] (?!the last run)(.*?)\s*$/.exec(line)?.[1] ?? []);
  }

  /** What a command says that has to fail. */
  async refused(command: string[]): Promise<string> {
    const { exitCode, all } = await this.galera.pulumi(command, { reject: false, all: true });
    if (exitCode === 0) throw new Error(`pulumi ${command.join(" ")} did not fail:\n${all}`);
    return all!;
  }

  /** Cuts the first of these steps that a run comes to, and returns which: none when runs that were cut had done them. */
  async cutAt(steps: string[], kind: Kind, after: number): Promise<string | undefined> {
    const cut = await upCutAt(this.galera, steps, kind, after);
    console.log(`        ${cut ? `${cut}: ${kind}, after ${after} ms` : `${steps[0]}: runs that were cut had done it`}`);
    return cut;
  }

  async wsrep(name: string): Promise<Wsrep> {
    return Object.fromEntries((await this.cluster.sql(name, "SHOW GLOBAL STATUS LIKE 'wsrep_%'")).split("\n").map((row) => row.split("\t")));
  }

  /** How often a member's journal says this. */
  async told(name: string, text: string, unit = "-u mariadb"): Promise<number> {
    return Number(await this.cluster.guest(name).look(`journalctl -q -o cat ${unit} | grep -c -e '${text}' || true`));
  }

  /** The tablespace of each member: a full transfer makes another, and the writes that a member had missed do not. */
  async tablespaces(): Promise<Record<string, string>> {
    const stat = async (name: string) => [name, await this.cluster.guest(name).look("stat -c %i:%.9W /var/lib/datastore/mysql/ibdata1")];
    return Object.fromEntries(await Promise.all(this.cluster.names.map(stat))) as Record<string, string>;
  }

  /** The members that got all data anew since then. */
  async gotAllAnew(before: Record<string, string>): Promise<string[]> {
    const now = await this.tablespaces();
    return Object.keys(now).filter((name) => now[name] !== before[name]);
  }

  async outputs<T>(): Promise<T> {
    return JSON.parse((await this.galera.pulumi(["stack", "output", "--json", "--show-secrets"])).stdout) as T;
  }

  /** The cluster's servers that the cloud has. */
  async servers(): Promise<string[]> {
    const { stdout } = await exec(["openstack", "--os-cloud", "devcloud", "server", "list", "-f", "value", "-c", "Name"]);
    return stdout.split("\n").filter((name) => name.startsWith("orders-")).sort();
  }

  /** These are the members, each says itself that it is Synced, and all say the same. */
  async whole(names: string[]): Promise<void> {
    await this.again();
    deepEqual(this.cluster.names, names);
    await this.synced();
    const views = await Promise.all(names.map((name) => this.wsrep(name)));
    for (const { wsrep_cluster_size, wsrep_cluster_status, wsrep_local_state_comment } of views)
      deepEqual([wsrep_cluster_size, wsrep_cluster_status, wsrep_local_state_comment], [String(names.length), "Primary", "Synced"]);
    equal(new Set(views.map((view) => `${view.wsrep_cluster_state_uuid}/${view.wsrep_cluster_conf_id}`)).size, 1);
  }

  /** A member counts in the cluster's size before it is Synced, when it comes back by itself. */
  private synced = (): Promise<void> => until("all members to be Synced", async () =>
    (await Promise.all(this.cluster.names.map((name) => this.wsrep(name)))).every(({ wsrep_local_state_comment }) => wsrep_local_state_comment === "Synced"));

  /** From now on a client writes, until `nothingLost`. */
  async write(): Promise<void> {
    const { endpoints, rootPassword: password, caCertificate } = await this.outputs<{ endpoints: string[]; rootPassword: string; caCertificate: string }>();
    this.writer = await Writer.start({ endpoints, password, caCertificate });
  }

  /** The member that the client writes to. */
  get written(): string {
    const address = this.writer!.to.split(":")[0];
    return this.cluster.names.find((name) => this.cluster.address(name) === address)!;
  }

  /**
   * Every row that was acknowledged by the end of `act` is on every member, and no time without one was longer than
   * `within` seconds. After `patience` seconds the client goes from a member that does not answer to another.
   */
  async during(operation: string, act: () => Promise<unknown>, { within = 60, patience = 15 } = {}): Promise<void> {
    const writer = this.writer!;
    writer.patience = patience * 1000;
    writer.fared();
    await act();
    const { rows, longestGap, seconds } = writer.fared();
    await this.again();
    await this.synced();
    const lost = await this.lost();
    this.table.push(`${operation.padEnd(40)}${String(rows).padStart(6)}${String(lost.length).padStart(6)}  ${(longestGap / 1000).toFixed(1).padStart(9)} s  ${seconds.toFixed(0).padStart(7)}`);
    deepEqual(lost, [], `${operation}: acknowledged rows were lost`);
    ok(rows > 0 && longestGap < within * 1000, `${operation}: ${rows} rows in ${seconds} s, ${longestGap / 1000} s without one; the client's last failure: ${writer.failure}`);
  }

  /** Acknowledged rows that a member does not have. */
  private async lost(): Promise<string[]> {
    const acknowledged = this.writer!.soFar();
    const each = await Promise.all(this.cluster.names.map(async (name) => {
      const ids = new Set((await this.cluster.sql(name, "SET SESSION wsrep_sync_wait=1; SELECT id FROM written.rows_")).split("\n").map(Number));
      return acknowledged.filter((id) => !ids.has(id)).map((id) => `${name}: ${id}`);
    }));
    return each.flat();
  }

  /** Ends the client, prints how it fared, and looks for its rows once more; and the steps were compared with the simulated ones. */
  async nothingLost(): Promise<void> {
    await this.writer!.end();
    console.log(["operation".padEnd(40) + "  rows  lost  longest gap  seconds", ...this.table].map((line) => `        ${line}`).join("\n"));
    await this.again();
    deepEqual(await this.lost(), []);
    const steps = existsSync(compared) ? readFileSync(compared, "utf8").trim().split("\n") : [];
    console.log(`        ${steps.length} steps ended as the simulated guests predict`);
    ok(steps.length > 0);
  }
}

export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 120_000; Date.now() < end; await sleep(250))
    if (await holds().catch(() => false)) return;
  throw new Error(`waited 120 s for ${what}`);
}
