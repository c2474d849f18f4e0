import { reason } from "../provider/errors";
import { gripOf, letGo, type Command, type Grip } from "../provider/guest/grip";
import { sh } from "../provider/guest/shell";
import type { Outputs } from "../provider/inputs";
import { everyone, flags, reached, type Where } from "./stack";
import { harmless } from "./text";

export interface Unlocked {
  /** One or more a member, and the way forward. */
  lines: string[];
  /** Nobody keeps any member, or none any more. */
  free: boolean;
}

/** Asks all guests of a cluster, side by side, who keeps them; with `force` it takes them from whoever does. */
export async function unlock(state: Outputs, force: boolean, where: Where, say: (line: string) => void): Promise<Unlocked> {
  const members = everyone(state);
  const { guests } = reached(state, say);
  try {
    const told = await Promise.all(members.map(async ({ name }) => {
      try {
        return wordsOf(await (force ? letGo : gripOf)(await guests.reach(name)), force);
      } catch (error) {
        return { lines: [`cannot be asked: ${reason(error)}`], free: false };
      }
    }));
    const width = Math.max(...members.map(({ name }) => name.length));
    const free = told.every((each) => each.free);
    const lines = told.flatMap((each, index) => each.lines.map((line) => `${members[index]!.name.padEnd(width)}  ${harmless(line)}`));
    return { free, lines: free || force ? lines : [...lines, "", wayForward(state.owner.cluster, where)] };
  } finally {
    await guests.close();
  }
}

const wayForward = (cluster: string, where: Where): string =>
  `A lease ends by itself 30 s after its run, unless a command of that still runs. To end both, and with them a run that is alive:\n  ${sh`npx pulumi-openstack-datastores unlock ${[cluster, "--force", ...flags(where)]}`}`;

function wordsOf({ lease, commands }: Grip, force: boolean): Unlocked {
  const alive = lease !== undefined && lease.seconds > 0;
  const lines = [
    ...(lease === undefined ? [] : [force ? `its lease is removed: ${lease.title}` : alive ? `held by ${lease.title}; its lease has ${lease.seconds} s left` : `free: the lease has ended of ${lease.title}`]),
    ...commands.map((command) => ofCommand(command, force)),
  ];
  return { lines: lines.length > 0 ? lines : ["free"], free: force ? commands.every(({ ended }) => ended) : !alive && commands.length === 0 };
}

function ofCommand({ pid, elapsed, words, ended }: Command, force: boolean): string {
  const what = `process ${pid}, for ${elapsed} now: ${words}`;
  if (!force) return `kept by ${what}`;
  return ended === undefined ? `still kept by ${what}. Not even KILL ends it: it waits for a disk, or the like` : `ended${ended === "KILL" ? ", only by KILL," : ""} ${what}`;
}
