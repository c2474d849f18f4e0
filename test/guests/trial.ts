import { deepEqual, ok } from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import execa from "execa";
import * as sshpk from "sshpk";
import { address, down, exec, folder as devcloud, reserve, up } from "../../devcloud";
import { engine } from "../../tools/engine";
import { members, type Members } from "../../demo/members";
import { stack, type Stack } from "../../demo/stack";
import { connect } from "../../provider/guest/ssh";
import { inOrder } from "../inOrder";
import { upCutAt, type Kind } from "./cuts";
import { mostASecond, Writer, type Database } from "./writer";

const folder = `${devcloud}.trial`;
const compared = join(folder, "compared");
const quiet = () => undefined;

/** An acknowledged row that is not there, and on whom, where each has all. */
export interface Lost {
  id: number;
  on?: string;
}

/** A program that makes one cluster, and how its guests are simulated. */
export interface Trying {
  /** Folder of the program. */
  program: string;
  cluster: string;
  /** Module of what the simulated guests show. */
  model: string;
}

/** A cluster on real guests: a stack of a program, its members as a person reaches them, a client that writes. */
export abstract class Trial {
  stack!: Stack;
  private begun = false;
  private release: () => void = () => undefined;
  private reached: Members | undefined;
  private writer: Writer | undefined;
  private readonly table: string[] = [];

  /** The tests of `suite` go on from one another, in a devcloud of their own and with a stack that nothing was made in yet. */
  constructor(suite: Mocha.Suite, private readonly trying: Trying) {
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
    this.stack = await stack(tools, this.trying.program, folder, "test");
    this.stack.env.PULUMI_DEBUG_COMMANDS = "true"; // for `--event-log`
    Object.assign(this.stack.env, { NODE_OPTIONS: `--require ${join(__dirname, "probe.js")}`, PROBE_COMPARED: compared, PROBE_HELD: join(folder, "held"), PROBE_MODEL: this.trying.model });
    await this.stack.pulumi(["config", "set-all", "--plaintext", `privateKeyFile=${this.stack.keyFile}`, "--plaintext", `client=${address()}`]);
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
    this.reached = await members(this.stack);
  }

  readonly up = () => this.stack.pulumi(["up", "--yes", "--skip-preview"]);
  readonly refresh = () => this.stack.pulumi(["refresh", "--yes", "--skip-preview"]);
  readonly nothingToDo = () => this.stack.pulumi(["preview", "--expect-no-changes"]);

  /** Sets what the program reads from its configuration. What is not secret there Pulumi itself stores in plain text, for a dynamic provider is given all of it. */
  async want(wanted: Record<string, number | boolean | string | string[] | Record<string, string | number | boolean>>): Promise<void> {
    for (const [key, value] of Object.entries(wanted)) await this.stack.pulumi(["config", "set", /password/i.test(key) ? "--secret" : "--plaintext", key, typeof value === "string" ? value : JSON.stringify(value)]);
  }

  /** The forecast of a preview: the lines that the cluster prints, but for the word that the last run did not end. */
  async previewed(): Promise<string[]> {
    const { stdout } = await this.stack.pulumi(["preview"]);
    return stdout.split("\n").flatMap((line) => new RegExp(`^\\s+\\[${this.trying.cluster}\\] (?!the last run)(.*?)\\s*$`).exec(line)?.[1] ?? []);
  }

  /** What a command says that has to fail. */
  async refused(command: string[]): Promise<string> {
    const { exitCode, all } = await this.stack.pulumi(command, { reject: false, all: true });
    if (exitCode === 0) throw new Error(`pulumi ${command.join(" ")} did not fail:\n${all}`);
    return all!;
  }

  /** Cuts the first of these steps that a run comes to, and returns which: none when runs that were cut had done them. */
  async cutAt(steps: string[], kind: Kind, after: number): Promise<string | undefined> {
    const cut = await upCutAt(this.stack, steps, kind, after);
    console.log(`        ${cut ? `${cut}: ${kind}, after ${after} ms` : `${steps[0]}: runs that were cut had done it`}`);
    return cut;
  }

  /** Cuts a run in this step, and goes on from there. */
  async cutAndUp(step: string, kind: Kind, after: number): Promise<void> {
    await this.cutAt([step], kind, after);
    await this.up();
  }

  /** A command of ours, of this stack. */
  cli(...args: string[]): execa.ExecaChildProcess {
    return execa("node", [join(__dirname, "../../dist/cli/main.js"), ...args, "--cwd", this.stack.program, "--stack", "test"], { env: this.stack.env, extendEnv: false, reject: false, all: true });
  }

  async outputs<T>(): Promise<T> {
    return JSON.parse((await this.stack.pulumi(["stack", "output", "--json", "--show-secrets"])).stdout) as T;
  }

  /** The program asks for a new key from now on, by which we reach the members, too. Returns the former one. */
  async newKey(): Promise<string> {
    const former = readFileSync(this.stack.keyFile, "utf8");
    this.stack.keyFile = join(folder, "id_ed25519.new");
    writeFileSync(this.stack.keyFile, sshpk.generatePrivateKey("ed25519").toString("ssh-private"), { mode: 0o600 });
    await this.want({ privateKeyFile: this.stack.keyFile });
    return former;
  }

  /** Whether a member's login user is let in by a key. */
  async admits(name: string, privateKey: string): Promise<boolean> {
    return connect({ name, address: this.cluster.address(name) }, { run: "", seconds: 3, access: { user: "debian", privateKey }, secrets: [], say: () => undefined })
      .then(({ close }) => { close(); return true; }, (error) => {
        if (!String(error).includes("authentication methods failed")) throw error;
        return false;
      });
  }

  /** What the cloud itself says of its servers and volumes, by their names. */
  async whereabouts(): Promise<Record<"zones" | "types", Record<string, string>> & { volumes: string[] }> {
    const ask = async <T>(...what: string[]) => JSON.parse((await exec(["openstack", "--os-cloud", "devcloud", ...what, "-f", "json"])).stdout) as T;
    const shown = await Promise.all(this.cluster.names.map(async (name) => ask<Record<string, unknown> & { volumes_attached: { id: string }[] }>("server", "show", name)));
    const volumes = await ask<{ ID: string; Name: string; Type: string }[]>("volume", "list", "--long");
    const named = (value: (each: (typeof shown)[number]) => string) => Object.fromEntries(this.cluster.names.map((name, index) => [name, value(shown[index]!)]));
    return {
      zones: named((each) => String(each["OS-EXT-AZ:availability_zone"])),
      types: named((each) => volumes.find(({ ID }) => ID === each.volumes_attached[0]!.id)!.Type),
      volumes: volumes.map(({ Name }) => Name).sort(),
    };
  }

  /** The cluster's servers that the cloud has. */
  async servers(): Promise<string[]> {
    const { stdout } = await exec(["openstack", "--os-cloud", "devcloud", "server", "list", "-f", "value", "-c", "Name"]);
    return stdout.split("\n").filter((name) => name.startsWith(`${this.trying.cluster}-`)).sort();
  }

  /** Waits until all members take part again. */
  protected abstract settled(): Promise<void>;
  /** A client that writes from now on. */
  protected abstract client(): Promise<Database>;
  /** What of these is not where it has to be. */
  protected abstract lostOf(acknowledged: number[]): Promise<Lost[]>;

  /** From now on a client writes, until `nothingLost`. */
  async write(): Promise<void> {
    this.writer = new Writer(await this.client());
  }

  private lost = (): Promise<Lost[]> => this.lostOf(this.writer!.soFar());

  /** What a member's server answers, in OpenSSL's words, to who verifies it by these authorities; `as` are files of a certificate and its key on that guest. */
  handshake(name: string, end: string, authorities: string, as = ""): Promise<string> {
    return this.cluster.guest(name).look(`authorities=$(mktemp); cat >"$authorities"
(sleep 1) | timeout 10 openssl s_client ${end} ${as} -verify_return_error -CAfile "$authorities" 2>&1 | tr -d '\\000' | grep -aE '^Verif|alert' || true; rm "$authorities"`, authorities);
  }

  /** How often a member's journal says this. */
  async told(name: string, text: string, unit: string): Promise<number> {
    return Number(await this.cluster.guest(name).look(`journalctl -q -o cat ${unit} | grep -c -e '${text}' || true`));
  }

  /**
   * Every row that was acknowledged by the end of `act` is on every member that has to have it, and no time without one was longer than
   * `within` seconds. After `patience` seconds the client gives up on a member that does not answer. `mayLose` is how many seconds before
   * a failure the datastore itself does not answer for. `whole` is false while a member is down on purpose.
   */
  async during(operation: string, act: () => Promise<unknown>, { within = 60, patience = 15, mayLose = 0, whole = true } = {}): Promise<void> {
    const writer = this.writer!;
    writer.patience = patience * 1000;
    writer.fared();
    await act();
    const { rows, longestGap, seconds } = writer.fared();
    await this.again();
    if (whole) await this.settled();
    const lost = await this.lost();
    writer.forget(lost);
    this.table.push(`${operation.padEnd(40)}${String(rows).padStart(6)}${String(lost.length).padStart(6)}  ${(longestGap / 1000).toFixed(1).padStart(9)} s  ${seconds.toFixed(0).padStart(7)}`);
    ok(lost.length <= mayLose * mostASecond, `${operation}: acknowledged rows were lost: ${lost.slice(0, 50).map(({ id, on = "" }) => `${on} ${id}`).join(", ")}`);
    ok(rows > 0 && longestGap < within * 1000, `${operation}: ${rows} rows in ${seconds} s, ${longestGap / 1000} s without one; the client's last failure: ${writer.failure}`);
  }

  /** The client writes no more: prints how it fared, and looks for its rows once more; and the steps were compared with the simulated ones. */
  async nothingLost(): Promise<void> {
    await this.writer!.stop();
    console.log(["operation".padEnd(40) + "  rows  lost  longest gap  seconds", ...this.table].map((line) => `        ${line}`).join("\n"));
    await this.again();
    deepEqual(await this.lost(), []);
    const steps = existsSync(compared) ? readFileSync(compared, "utf8").trim().split("\n") : [];
    console.log(`        ${steps.length} steps ended as the simulated guests predict`);
    ok(steps.length > 0);
  }
}

export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  let why = "";
  for (const end = Date.now() + 120_000; Date.now() < end; await sleep(250))
    if (await holds().catch((error) => { why = `: ${String(error)}`; return false; })) return;
  throw new Error(`waited 120 s for ${what}${why}`);
}
