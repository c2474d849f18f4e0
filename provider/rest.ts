import { Refused } from "./errors";
import type { Step } from "./plan";

/** Whether a cluster's databases are to run. */
export type State = "running" | "stopped";

/** What all datastores tell of a member in the same words. `held` says that its volume's marker keeps its server from starting. */
interface Told {
  is: string;
  held?: unknown;
  installed?: boolean;
  mounted?: boolean;
}

interface Resting<Sight> {
  members: string[];
  /** Of all members that count, those that are to leave too. */
  sights: [name: string, sight: Sight][];
  /** What was seen, in words. */
  evidence: string;
  /** Whether a member takes part in a cluster of just these members that lacks nothing. */
  isIn(sight: Sight): boolean;
  /** Those that run, in the order in which they stop: those of one entry side by side. */
  inOrder(running: string[]): string[][];
}

/** How a person reads what becomes of a member that is held. */
const words = "stopped until `state` is running again";

/**
 * Pure: how a cluster comes to rest, from wherever it is: nobody is started for that. It begins only where all members are in, or none runs; once one is held it goes on,
 * for what was lost since then is mended by no member that waits. Who is down is only held: that stops nobody, so it comes first, side by side.
 */
export function rest<Sight extends Told>({ members, sights, evidence, isIn, inOrder }: Resting<Sight>): Step<"hold">[] {
  const those = (holds: (sight: Sight, name: string) => boolean) => sights.filter(([name, sight]) => holds(sight, name)).map(([name]) => name);
  const begins = "set `state` to running, run `pulumi up` to its end, then stop it";
  const unseen = those(({ is }) => is === "unreachable" || is === "foreign");
  if (unseen.length > 0)
    throw new Refused("a cluster is stopped only while every member and its volume is seen", evidence, `mend ${unseen.join(", ")} and run \`pulumi up\` again; or ${begins}`);
  const others = those((_, name) => !members.includes(name));
  if (others.length > 0)
    throw new Refused("a cluster is stopped only once those who are to leave have left", evidence, `${begins}: ${others.join(", ")} ${others.length === 1 ? "is" : "are"} still to leave`);
  const waiting = those(({ is, held }) => is !== "down" || !held);
  const down = those(({ is, held }) => is === "down" && !held);
  const begun = those(({ held }) => held !== undefined).length > 0;
  if (!begun && those((sight) => !isIn(sight)).length > 0 && down.length < sights.length)
    throw new Refused("a cluster that runs is stopped only while all its members are in", evidence, begins);
  const bare = those(({ is, held, installed, mounted }) => is === "down" && !held && !(installed && mounted));
  if (bare.length > 0)
    throw new Refused("a member is held by its own software and volume", evidence, `${begins}: that prepares ${bare.join(", ")}`);
  return [down, ...inOrder(waiting.filter((name) => !down.includes(name)))].filter((on) => on.length > 0).map((on) => ({ do: "hold", on, words }));
}
