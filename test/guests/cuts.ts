import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { powerCut, powerOn } from "../../devcloud";
import { connect } from "../../provider/guest/ssh";
import type { Stack } from "../../demo/stack";
import { Cloud } from "../devcloud/cloud";

/** How a run is cut while a step is done on `member`. Each ends when the run has ended. */
const kinds = {
  /** The first waits for what runs, the second does not. */
  "Ctrl-C, twice": async ({ run }) => {
    run.kill("SIGINT");
    await sleep(1000);
    run.kill("SIGINT");
    await run;
  },
  "kill -9 of the CLI": async ({ run }) => {
    run.kill("SIGKILL");
    await run;
  },
  "a lost SSH connection": async ({ run, member, galera }) => {
    const guest = await connect({ name: member, address: await addressOf(member) },
      { run: "", seconds: 20, access: { user: "debian", privateKey: readFileSync(galera.keyFile, "utf8") }, secrets: [], say: () => undefined });
    await guest.guest.look("pkill -KILL -f '^sshd: debian'").catch(() => undefined);
    guest.close();
    await run;
  },
  "a power cut of the guest": async ({ run, member }) => {
    await powerCut([member]);
    await run;
    await powerOn([member]);
  },
} satisfies Record<string, (what: { run: ReturnType<Stack["pulumi"]>; member: string; galera: Stack }) => Promise<void>>;

export type Kind = keyof typeof kinds;
export const kindsOfCut = Object.keys(kinds) as Kind[];

/** Draws from `seed`: the same one draws the same. */
export const drawn = <T>(seed: number, place: number, from: readonly T[]): T => fc.sample(fc.constantFrom(...from), { seed: seed + place, numRuns: 1 })[0]!;

/**
 * Runs `pulumi up`, and cuts it `after` milliseconds into the first step of that name. False when the run came to its
 * end without it: an earlier run that was cut had done it already.
 */
export async function upCutAt(galera: Stack, step: string, kind: Kind, after: number): Promise<boolean> {
  const run = galera.pulumi(["up", "--yes", "--skip-preview"], { reject: false, all: true });
  let told = "";
  const member = await new Promise<string | undefined>((resolve) => {
    run.all!.on("data", (text: Buffer) => {
      told += String(text);
      const found = new RegExp(`step \\d+/\\d+ ${step} (.*)`).exec(told)?.[1]?.split(" ");
      if (found) resolve(found.at(-1));
    });
    void run.on("exit", () => resolve(undefined));
  });
  if (member === undefined) {
    const { exitCode } = await run;
    if (exitCode !== 0) throw new Error(`the run failed before ${step}:\n${told}`);
    return false;
  }
  await sleep(after);
  await kinds[kind]({ run, member, galera });
  await galera.pulumi(["cancel", "--yes"], { reject: false });
  return true;
}

async function addressOf(server: string): Promise<string> {
  const cloud = await Cloud.connect("devcloud");
  const { servers } = await cloud.get<{ servers: { name: string; addresses: Record<string, { addr: string }[]> }[] }>("compute", "/servers/detail");
  const [address] = Object.values(servers.find(({ name }) => name === server)?.addresses ?? {}).flat();
  if (!address) throw new Error(`no server is called ${server}: ${servers.map(({ name }) => name).join(", ")}`);
  return address.addr;
}
