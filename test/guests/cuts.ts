import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { powerCut, powerOn } from "../../devcloud";
import { connect } from "../../provider/guest/ssh";
import type { Stack } from "../../demo/stack";
import { Cloud } from "../devcloud/cloud";

/** How a run is cut while a step is done on `member`. What a kind returns is done once the run has ended. */
const kinds = {
  /** The first waits for what runs, the second does not. */
  "Ctrl-C, twice": async ({ run }) => {
    run.kill("SIGINT");
    await sleep(1000);
    run.kill("SIGINT");
  },
  "kill -9 of the CLI": async ({ run }) => {
    run.kill("SIGKILL");
  },
  "a lost SSH connection": async ({ member, stack }) => {
    const { guest, close } = await connect({ name: member, address: await addressOf(member) },
      { run: "", seconds: 20, access: { user: "debian", privateKey: readFileSync(stack.keyFile, "utf8") }, secrets: [], say: () => undefined });
    // It cuts its own too.
    await guest.look("pkill -KILL -f '^sshd: debian'").catch(() => undefined);
    close();
  },
  "a power cut of the guest": async ({ member }) => {
    await powerCut([member]);
    return () => powerOn([member]);
  },
} satisfies Record<string, (what: { run: ReturnType<Stack["pulumi"]>; member: string; stack: Stack }) => Promise<void | (() => Promise<void>)>>;

export type Kind = keyof typeof kinds;
export const kindsOfCut = Object.keys(kinds) as Kind[];

/** Draws from `seed`: the same one draws the same. */
export const drawn = <T>(seed: number, place: number, from: readonly T[]): T => fc.sample(fc.constantFrom(...from), { seed: seed + place, numRuns: 1 })[0]!;

/** Pulumi was seen to stay, for ever, after it had said that its run failed. */
const runMinutes = 10;

/**
 * Runs `pulumi up`, and cuts it `after` milliseconds into the first of these steps, such as `join` or `join orders-5`, or at its end when it is
 * shorter: what is named first may have been done by a run that was cut before, or its orphan. Says which step it was;
 * nothing when the run came to its end. The engine's events tell of each step at once; what it prints leaves out those
 * that are short.
 */
export async function upCutAt(stack: Stack, steps: string[], kind: Kind, after: number): Promise<string | undefined> {
  const events = join(stack.program, "..", "events.json");
  rmSync(events, { force: true });
  const held = stack.env.PROBE_HELD!;
  writeFileSync(held, `^(${steps.join("|")})\\b`);
  const run = stack.pulumi(["up", "--yes", "--skip-preview", "--event-log", events], { reject: false, all: true, timeout: runMinutes * 60_000, killSignal: "SIGKILL" });
  let ended = false;
  void run.on("exit", () => { ended = true; });
  try {
    const told = new RegExp(`step \\d+/\\d+ ((${steps.join("|")})\\b[\\w -]*)`);
    const begun = () => told.exec(existsSync(events) ? readFileSync(events, "utf8") : "")?.[1]?.replace(/ to .*/, "").trim().split(" ");
    while (!begun() && !ended) await sleep(50);
    const [step, ...on] = (ended ? undefined : begun()) ?? [];
    if (step !== undefined) await sleep(after);
    if (ended) {
      const { exitCode, all } = await run;
      if (exitCode !== 0) throw new Error(`the run failed before ${steps[0]} was cut:\n${all}`);
      return undefined;
    }
    const then = await kinds[kind]({ run, member: on.at(-1)!, stack });
    rmSync(held);
    const { exitCode, all } = await run;
    await then?.();
    if (exitCode === 0) throw new Error(`${kind} did not cut the run:\n${all}`);
    return step;
  } finally {
    rmSync(held, { force: true });
    await stack.pulumi(["cancel", "--yes"], { reject: false });
  }
}

async function addressOf(server: string): Promise<string> {
  const cloud = await Cloud.connect("devcloud");
  const { servers } = await cloud.get<{ servers: { name: string; addresses: Record<string, { addr: string }[]> }[] }>("compute", "/servers/detail");
  const [address] = Object.values(servers.find(({ name }) => name === server)?.addresses ?? {}).flat();
  if (!address) throw new Error(`no server is called ${server}: ${servers.map(({ name }) => name).join(", ")}`);
  return address.addr;
}
