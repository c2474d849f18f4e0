import { Refused } from "../../errors";
import { evidence, isToTell, isIn, midway, ownedBy, shardOf, ups, type Sight, type Sights } from "./sight";
import { count, joined, missing, written, type Move, type Slots } from "./slots";

export interface Situation {
  /** All members that count: the wanted, and those that are to leave and are not forgotten. */
  sights: Sights;
  wanted: Sights;
  /** Who is to leave, cannot be seen, and is to be forgotten. */
  forgotten: string[];
  /** Whose server is about to be made again. */
  replaced: string[];
}

type Rule = (situation: Situation) => Refused | undefined | false;

const that = (among: Sights, holds: (sight: Sight, name: string) => boolean): Sights => among.filter(([name, sight]) => holds(sight, name));
const namesOf = (sights: Sights) => sights.map(([name]) => name);

/** The first rule that forbids any plan: they are in order of what a person has to mend first. */
export function unsafe(situation: Situation): Refused | undefined {
  for (const rule of [allAreSeen, noVolumeIsForeign, theyAreOneCluster, noFailoverIsUnderWay, nobodyUnknownServes, everySlotHasItsData, othersKeepTheirMajority]) {
    const refused = rule(situation);
    if (refused) return refused;
  }
  return undefined;
}

/** Its old options, or a full volume, may be what silenced it: to mend them must not be refused because of them. With other options it is started anew. */
const mayBeMended = ({ wanted }: Situation, name: string, sight: Sight): boolean =>
  sight.is === "silent" && sight.installed && !(sight.mounted && sight.configured) && namesOf(wanted).includes(name);

const allAreSeen: Rule = (situation) => {
  const { sights, wanted } = situation;
  const unseen = that(sights, (sight, name) => sight.is === "unreachable" || (sight.is === "silent" && !mayBeMended(situation, name, sight)));
  const leavers = namesOf(unseen).filter((name) => !namesOf(wanted).includes(name));
  return unseen.length > 0 && new Refused("every member and its volume must be seen before anything is changed", evidence(unseen),
    "start the server, mend its network, attach its volume or let its database answer, then run `pulumi up` again; `openstack server show` tells its state. A server that is gone for ever is deleted with `openstack server delete`; after `pulumi refresh` the next `pulumi up` makes it again over its volume"
    + (unseen.some(([, { is }]) => is === "silent") ? ". If a setting keeps a server from answering, take that back in `configuration`: once a `pulumi refresh` has seen it so, that is done" : "")
    + (leavers.length > 0 ? `. A leaving member that is gone for ever is named in forget: ${JSON.stringify(leavers)}` : ""));
};

const noVolumeIsForeign: Rule = ({ sights }) => {
  const foreign = that(sights, ({ is }) => is === "foreign");
  return foreign.length > 0 && new Refused("a volume that we did not format is never touched", evidence(foreign),
    "mend its marker if that is what is wrong; else empty the volume yourself if its data may go, or give the member another volume");
};

/** A meeting joins two clusters into one, in which each slot has one owner: the other's keys would be gone. */
const theyAreOneCluster: Rule = ({ sights }) => {
  const inIt = ups(sights).filter(([, sight]) => isIn(sight) || sight.slots !== "");
  const apart = inIt.filter(([, view]) => inIt.some(([, other]) => view.slots !== "" && !other.knows.includes(view.id)));
  return apart.length > 0 && new Refused("members that own slots must be known to all that are in a cluster", evidence(sights),
    "if members are just finding each other, run `pulumi up` again; else there are two clusters: decide which data is right, and on the members of the other stop the server and move its data aside");
};

/** Who takes over from whom is for the members to agree on: what was seen of one is from before, and of another from after. */
const noFailoverIsUnderWay: Rule = ({ sights }) => {
  const under = midway(sights);
  return under.length > 0 && new Refused("nothing is changed in the middle of a failover", evidence(sights.filter(([name]) => under.includes(name))), "run `pulumi up` again: by then it has ended");
};

/** One that failed is a server's former life, or a member that was forgotten: it is taken out. One that is well is somebody's. */
const nobodyUnknownServes: Rule = ({ sights, forgotten }) => {
  const known = new Set(sights.map(([, sight]) => ("id" in sight ? sight.id : undefined)));
  const strange = ups(sights).filter(([, view]) => view.knows.some((id) => !known.has(id) && !view.failed.includes(id)));
  return strange.length > 0 && !sights.some(([, sight]) => isToTell(sight))
    && new Refused("a cluster has no members but those that are known", evidence(strange), forgotten.length > 0
      ? `the cluster still counts a member that cannot be seen: power off ${forgotten.join(", ")}, then run \`pulumi up\` again`
      : `a run that was killed may have let others in: set the arguments to what that run wanted, run \`pulumi up\` to its end, and change them then; else ${client(strange[0]![0], "CLUSTER NODES")} tells who does not belong to it, by id: within a minute have each member forget that one, as in ${client(strange[0]![0], "CLUSTER FORGET ID")}`);
};

/** Slots that nobody serves are either new, or some lost member's keys: those are given up by nobody but a person. */
const everySlotHasItsData: Rule = ({ sights, forgotten }) => {
  const unserved = missing(joined(...ownedBy(sights).values()));
  if (unserved.length === 0 || sights.some(([, sight]) => isToTell(sight))) return false;
  const had = sights.some(([, sight]) => "hasHadData" in sight && sight.hasHadData) || forgotten.length > 0;
  return had && new Refused("slots whose keys are lost are not given out again as if they were empty", `nobody serves ${written(unserved)}: ${evidence(sights)}`,
    `bring back a member of the shard that had them, with its data${decided(sights, unserved)}; then \`pulumi refresh\` and \`pulumi up\``);
};

/** What a person may have done, by commands: no plan gives up keys. What a replica got is served before anything is given up. */
function decided(sights: Sights, unserved: Slots): string {
  const views = ups(sights);
  const orphans = views.filter(([, { of }]) => of !== undefined && !views.some(([, { id }]) => id === of)).sort(([, a], [, b]) => (b.offset ?? 0) - (a.offset ?? 0));
  const heirs = orphans.filter(([, { of }], index) => orphans.findIndex(([, other]) => other.of === of) === index);
  if (heirs.length > 0) return `, or have ${namesOf(heirs).join(", ")} serve what was got of them: ${heirs.map(([name]) => client(name, "CLUSTER FAILOVER TAKEOVER")).join(", ")}`;
  const taker = views.find(([, { slots }]) => slots !== "")?.[0];
  const ranges = unserved.flat().join(" ");
  // Its own word of them is the newest once its epoch is: so the others believe it.
  return taker === undefined ? "" : `, or go on without those keys, and have ${taker} take their slots: ${[`DELSLOTSRANGE ${ranges}`, `ADDSLOTSRANGE ${ranges}`, "BUMPEPOCH"].map((words) => client(taker, `CLUSTER ${words}`)).join(", ")}`;
}

const client = (member: string, words: string): string => `\`npx pulumi-openstack-datastores client ${member} ${words}\``;

/** A failover needs the word of most primaries that own slots. */
const othersKeepTheirMajority: Rule = ({ sights, replaced }) => {
  const down = sights.filter(([name, sight]) => !replaced.includes(name) && !(sight.is === "up" && sight.ok));
  const alone = replaced.filter((name) => !sights.some(([other, sight]) => other !== name && shardOf(other) === shardOf(name) && isIn(sight)));
  if (replaced.length > 0 && down.length > 0)
    return new Refused("a member's server is taken away only while all others run", evidence(sights), `bring ${namesOf(down).join(", ")} back first, without \`replace\``);
  return alone.length > 0 && new Refused("a shard's only member is not taken away", evidence(sights), "give each shard a replica first, with `replicasPerShard`");
};

/** Pulumi takes a server away before any step of ours: clients of its shard would wait until the others take it for failed. */
export function stillNeeded(replaced: string[], seen: Record<string, Sight>): Refused | undefined {
  const sights = Object.entries(seen);
  const others = (primary: string) => that(sights, (sight, name) => name !== primary && shardOf(name) === shardOf(primary) && sight.is === "up");
  const [primary] = ups(sights).filter(([name, { role, slots }]) => replaced.includes(name) && role === "primary" && slots !== "" && others(name).length > 0).map(([name]) => name);
  if (primary === undefined) return undefined;
  const heirs = namesOf(that(others(primary), (sight) => sight.is === "up" && sight.linked));
  return new Refused("a primary's server is taken away only after another of its shard took over", evidence(sights.filter(([name]) => shardOf(name) === shardOf(primary))),
    heirs.length === 0 ? `none of the others has all of its writes: wait until ${namesOf(others(primary)).join(" or ")} has a link to it again, and \`pulumi refresh\``
      : `name ${heirs.join(" or ")} in \`replace\`, if that is to go too; then take \`replace\` out and change \`restartTrigger\`: with that a replica of each shard takes over, and ${primary} may go. If its server is broken, \`openstack server stop ${primary}\`, and \`pulumi refresh\` once another took over`);
}

/** Keys go only where there is room for them: who has none throws keys away, or takes no more writes. Keys are taken to be dealt evenly to slots. */
export function tooMuch(planned: Move<string>[], owned: ReadonlyMap<string, Slots>, sights: Sights): Refused | undefined {
  const memories = new Map(ups(sights).map(([name, { memory }]) => [name, memory]));
  const bytes = ({ from, slots }: Move<string>) => (memories.get(from)?.keys ?? 0) * count(slots) / count(owned.get(from) ?? slots);
  const over = [...new Set(planned.map(({ to }) => to))].flatMap((to) => {
    const memory = memories.get(to);
    const then = (memory?.used ?? 0) + planned.filter((each) => each.to === to).reduce((sum, each) => sum + bytes(each), 0);
    return memory && then > memory.most ? [`${to} would hold ${mib(then)} of at most ${mib(memory.most)}`] : [];
  });
  return over.length === 0 ? undefined : new Refused("keys are moved only to members whose memory has room for them", over.join("; "),
    "keep more shards, or raise `maxMemory` first, in a `pulumi up` of its own; or take members of a larger flavor, in a new cluster");
}

const mib = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MiB`;

/** Whom the cluster still counts, and that is no member any more. */
export const strangers = (sights: Sights): string[] => {
  const known = new Set(ups(sights).map(([, { id }]) => id));
  return [...new Set(ups(sights).flatMap(([, { knows }]) => knows))].filter((id) => !known.has(id));
};
