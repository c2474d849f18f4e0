import { Refused } from "../../errors";
import type { Recovery } from "../../topology";
import { hashOf, holding } from "./evidence";
import { evidence, isKnown, isPrepared, mayStart, tellsPosition, those, type Sight, type Sights } from "./sight";

/** Whole data of a known history: what a server never wrote wholly no person knows the worth of, and without its history a start would begin another one. */
const mayBeChosen = (sight: Sight): boolean => sight.is === "down" && mayStart(sight.data) && (isKnown(sight.data.uuid) || !isPrepared(sight));

const positionOf = (sight: Sight): number => (sight.is === "down" && sight.data.is !== "none" ? sight.data.seqno : -1);

/** How to write down who is chosen, of what is seen now; nothing where nobody can be, or while not all are down. */
function asArgument(sights: Sights): string {
  const alive = those(sights, ({ is }) => is !== "down");
  if (alive.length > 0) return `. With MariaDB stopped on ${alive.join(", ")} too, it says how to go on without that data`;
  const [first, ...others] = sights.filter(([, sight]) => mayBeChosen(sight)).sort(([, a], [, b]) => positionOf(b) - positionOf(a)).map(([name]) => name);
  return first === undefined ? "" : `. Or decide from whose data the cluster goes on: \`recovery: { from: ${JSON.stringify(first)}, evidence: "${hashOf(sights)}" }\``
    + `${others.length > 0 ? `, with ${[first, ...others].join(" or ")} as from` : ""}; what the others hold beside that is set aside on their volumes, and kept`;
}

/** A refusal that a person may override, who knows more of the data than they tell. */
export const orDecide = (rule: string, sights: Sights, wayForward: string): Refused => new Refused(rule, evidence(sights), `${wayForward}${asArgument(sights)}`);

/** Where a person has decided to start a cluster that is down, and what each of the others holds that the cluster goes on without. */
export interface Chosen {
  on: string;
  over: Record<string, string>;
}

/** Undefined as long as servers that were made again have to be prepared to tell what they hold. */
export function chosen({ from, evidence: decided }: Recovery, sights: Sights): Chosen | undefined {
  const now = hashOf(sights);
  const self = sights.find(([name]) => name === from)?.[1];
  if (!self)
    throw new Refused("`recovery.from` names a member, wanted or still to leave", evidence(sights), `set it to one of ${sights.map(([name]) => name).join(", ")}, or leave \`recovery\` out`);
  // A glance asks MariaDB nothing: what it says of itself is part of what is decided on.
  if (sights.some(([, sight]) => sight.is === "down" && sight.data.is !== "none" && sight.data.asked === false))
    throw new Refused("a decision counts on what is seen now", evidence(sights), "run `pulumi refresh`: it lets MariaDB tell what each member holds");
  if (decided !== now)
    throw new Refused("a decision counts only for what was seen when it was made", `${evidence(sights)}, in short ${now}, and \`recovery.evidence\` is ${JSON.stringify(decided)}`,
      `leave \`recovery\` out, and see whether it is still needed${asArgument(sights)}`);
  if (sights.some(([, sight]) => sight.is === "down" && tellsPosition(sight.data) && sight.data.seqno < 0 && !isPrepared(sight))) return undefined;
  if (!mayBeChosen(self))
    throw new Refused("`recovery.from` names a member with whole data of a known history", evidence(sights), `${from} has none${asArgument(sights)}`);
  return { on: from, over: Object.fromEntries(sights.filter(([name, sight]) => name !== from && isBeside(self, sight)).map(([name, sight]) => [name, holding(sight)])) };
}

/**
 * Whether a member holds what the one that is chosen does not, or may: another history, later writes, a position that nobody tells, or those of a time when it ran
 * alone, which Galera's flag proves of nobody, but must not be overlooked. Or it held data that have vanished.
 */
function isBeside(chosen: Sight, sight: Sight): boolean {
  if (sight.is !== "down") return false;
  const { data, hasHadData } = sight;
  if (data.is === "none") return hasHadData;
  if (!tellsPosition(data)) return false;
  const isIn = chosen.is === "down" && chosen.data.is !== "none" && data.uuid === chosen.data.uuid && data.seqno >= 0 && data.seqno <= chosen.data.seqno && !data.safeToBootstrap;
  return !isIn;
}

/** Whether a person has decided that the cluster goes on from `origin` without just what this member holds: a start by that writes it down there, so that a run which was cut is gone on with. */
export const isGivenUp = (origin: Sights, name: string, sight: Sight): boolean =>
  sight.is === "down" && origin.some(([, each]) => "installed" in each && each.chosenOver?.[name] === holding(sight));
