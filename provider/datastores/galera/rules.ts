import { Refused } from "../../errors";
import { madeAnew } from "../../hops";
import type { Recovery } from "../../topology";
import { isGivenUp, orDecide } from "./decision";
import { evidence, historiesOf, isAlive, mayRun, newerThanCluster, runs, type Prepared, type Sight, type Sights } from "./sight";

export const markerFile = "/var/lib/datastore/.datastore.json";
/** What a person does to let a member start anew without the data that it holds. */
export const setAside = `stop MariaDB, \`mv /var/lib/datastore/mysql /var/lib/datastore/mysql.aside\`, and write false for hasHadData into ${markerFile}`;

interface Situation {
  /** All members that count: the wanted, and those that are to leave and are not forgotten. */
  sights: Sights;
  wanted: Sights;
  /** Who is to leave, cannot be seen, and is to be forgotten. */
  forgotten: string[];
  /** Whose server is about to be made again. */
  replaced: string[];
  recovery?: Recovery;
  /** Those of `sights` that run in a cluster. */
  running: Sights;
}

/** The first rule that forbids any plan: they are in order of what a person has to mend first. */
export function unsafe(seen: Omit<Situation, "running">): Refused | undefined {
  const situation = { ...seen, running: that(seen.sights, runs) };
  for (const rule of situation.running.length > 0 ? [...always, ...whileOneRuns, ...ofReplacing] : [...always, ...whileNoneRuns, ...ofReplacing]) {
    const refused = rule(situation);
    if (refused) return refused;
  }
  return undefined;
}

type Rule = (situation: Situation) => Refused | undefined | false;

const that = (among: Sights, holds: (sight: Sight) => boolean): Sights => among.filter(([, sight]) => holds(sight));
const namesOf = (sights: Sights) => sights.map(([name]) => name);

/**
 * What a silent member would have told is not missed where it is to have other options, or a larger volume: its old ones may be what silenced it, and to take them back must not be
 * refused because of them. With other options it is started anew as at a boot, which starts no cluster and makes nobody forget anything.
 */
const mayBeMended = ({ wanted }: Situation, name: string, sight: Sight): boolean =>
  sight.is === "silent" && sight.installed && !(sight.mounted && sight.configured) && namesOf(wanted).includes(name);

/** Nobody overrides it: one that is not seen may run, and a second cluster beside it would be lost writes. Its end is told by the cloud, or by `forget`. */
const allAreSeen: Rule = (situation) => {
  const { sights, wanted } = situation;
  const unseen = sights.filter(([name, sight]) => sight.is === "unreachable" || (sight.is === "silent" && !mayBeMended(situation, name, sight)));
  const leavers = namesOf(unseen).filter((name) => !namesOf(wanted).includes(name));
  return unseen.length > 0 && new Refused("every member and its volume must be seen before anything is changed", evidence(unseen),
    "start the server, mend its network, attach its volume or let its database answer, then run `pulumi up` again; `openstack server show` tells its state. A server that is gone for ever is deleted with `openstack server delete`; after `pulumi refresh` the next `pulumi up` makes it again over its volume"
    + (unseen.some(([, { is }]) => is === "silent") ? ". If a setting keeps a server from answering, take that back in `configuration`: once a `pulumi refresh` has seen it so, that is done" : "")
    + (leavers.length > 0 ? `. A leaving member that is gone for ever is named in forget: ${JSON.stringify(leavers)}` : ""));
};

/** While no cluster runs, what a leaver holds may be the newest. */
const thatMatter = ({ running, sights, wanted }: Situation) => (running.length > 0 ? wanted : sights);

/** What a cluster was started without, because a person decided so, is in nobody's way any more. */
const notGivenUp = (among: Sights, running: Sights): Sights => among.filter(([name, sight]) => !isGivenUp(running, name, sight));

/** Nobody overrides it: whose the data are is not known, so neither is who may decide on them. */
const noVolumeIsForeign: Rule = (situation) => {
  const foreign = that(thatMatter(situation), ({ is }) => is === "foreign");
  return foreign.length > 0 && new Refused("a volume that we did not format is never touched", evidence(foreign),
    "mend its marker if that is what is wrong; else empty the volume yourself if its data may go, or give the member another volume");
};

/** A person may override it while no cluster runs, for only they know that a volume is lost; a cluster that runs loses nothing by waiting for it. */
const noDataVanished: Rule = (situation) => {
  const { sights, running, recovery } = situation;
  const isDecided = recovery !== undefined && sights.every(([, { is }]) => is === "down");
  if (isDecided || that(notGivenUp(thatMatter(situation), running), (sight) => sight.is === "down" && sight.hasHadData && sight.data.is === "none").length === 0) return false;
  const [rule, wayForward] = ["a member whose data vanished neither starts a cluster nor joins one",
    "attach the volume that holds its data; if that is lost, and others hold the data, delete the member's server and volume, then `pulumi refresh` and `pulumi up`"] as const;
  return running.length > 0 ? new Refused(rule, evidence(sights), wayForward) : orDecide(rule, sights, wayForward);
};

/** Nobody overrides it: its cluster may take writes at this moment. */
const nobodyIsInACluster: Rule = ({ sights }) =>
  that(sights, (sight) => sight.is === "up" && sight.primary).length > 0
  && new Refused("no cluster is started while a member is in one", evidence(sights), "wait a minute for that member to be Synced, then run `pulumi up` again");

/** Nobody overrides it: that a person will not see a member again does not say that it does not run. */
const nobodyIsForgotten: Rule = ({ sights, forgotten }) =>
  forgotten.length > 0 && new Refused("a member is forgotten only by a running cluster", `${evidence(sights)}; ${forgotten.join(", ")} cannot be seen`,
    "start the servers of those that are to be forgotten, so that what they hold is seen; or start the others' cluster yourself, with `galera_new_cluster` on the one with the newest data once MariaDB is stopped on all of them");

/** Of a cluster that runs nobody overrides this or the rules below: to choose another's data would end what takes writes now. */
const thereIsOneHistory: Rule = ({ sights, running }) =>
  historiesOf(that(notGivenUp(sights, running), (sight) => !(sight.is === "down" && sight.left))).size > 1
  && new Refused("a member with another history is no part of this cluster, and a join would erase it", evidence(sights),
    `two clusters exist: decide which data is right, and on the members of the other ${setAside}`);

export const nobodyIsNewer = ({ sights, running }: Pick<Situation, "sights" | "running">): Refused | false => {
  const newer = newerThanCluster(running, notGivenUp(sights, running));
  return newer.length > 0 && new Refused("a cluster that runs on older data takes nobody in who holds newer", evidence(sights),
    `wait a minute, and run \`pulumi up\` again, if those that run are still at their writes. Else the cluster was started without ${namesOf(newer).join(", ")}: both have gone on since, so decide which data is right. To keep the newer: on those that run ${setAside}. To keep what runs: the same on those that hold the newer. Then \`pulumi refresh\` and \`pulumi up\``);
};

/** Files of one major version are not what another copies. Who comes with its own data gets the writes that it missed, which is another matter. */
export function noFullTransfer(wanted: string | undefined, running: string[], joining: string[], sights: ReadonlyMap<string, Sight>): Refused | undefined {
  const versionOf = (name: string) => (sights.get(name) as { version?: string }).version;
  const others = running.filter((name) => versionOf(name) !== undefined);
  const come = joining.filter((name) => {
    const sight = sights.get(name)!;
    return sight.is === "down" && (sight.data.is === "none" || sight.data.is === "partial");
  });
  return wanted === undefined || others.length === 0 || come.length === 0 || others.some((name) => versionOf(name) === wanted) ? undefined
    : new Refused("who joins without data gets them from a member of its own major version", `${come.join(", ")} would be of ${wanted}, and ${others.map((name) => `${name} is of ${versionOf(name)}`).join(", ")}`,
      "bring it in first, with the `version` and `image` that the others have, and change these in a `pulumi up` of its own"
      + (come.some((name) => (sights.get(name) as Partial<Prepared>).writtenBy === wanted) ? `. Its own data were opened by ${wanted} already, so with these set back ${madeAnew}` : ""));
}

const theyAreOneCluster: Rule = ({ sights, wanted, running, forgotten }) => {
  const sizes = new Set(running.map(([, sight]) => (sight as { size: number }).size));
  const [size = 0] = sizes;
  // Who cannot be seen is forgotten only once the cluster does not count it.
  const most = forgotten.length > 0 ? that(sights, isAlive).length : sights.filter(([name, sight]) => namesOf(wanted).includes(name) || mayRun(sight)).length;
  if (forgotten.length === 0 && size > most)
    return new Refused("a cluster has no members but those that are known", evidence(sights),
      "a run that was killed may have let others in: set the arguments to what that run wanted, run `pulumi up` to its end, and change them then; else stop MariaDB on those that do not belong to it");
  return (sizes.size > 1 || size < running.length || size > most) && new Refused("members that run must be one cluster of nobody else", evidence(sights),
    forgotten.length > 0 ? `the cluster still counts a member that cannot be seen: power off ${forgotten.join(", ")}, then run \`pulumi up\` again`
      : "if members are just finding each other, run `pulumi up` again; else stop MariaDB on those that do not belong together");
};

const othersKeepTheirMajority: Rule = ({ sights, wanted, replaced }) =>
  replaced.length > 0 && wanted.length === 2
  && new Refused("a server is taken away only where the others keep their majority", evidence(sights), "set `members` to 3 first, and back to 2 when the server is made again");

const allOthersRun: Rule = ({ sights, wanted, replaced }) => {
  const idle = wanted.filter(([name, sight]) => !replaced.includes(name) && !runs(sight));
  return replaced.length > 0 && idle.length > 0
    && new Refused("a member's server is taken away only while all others run", evidence(sights), `bring ${namesOf(idle).join(", ")} back first, without \`replace\``);
};

const always = [allAreSeen, noVolumeIsForeign, noDataVanished];
const whileNoneRuns = [nobodyIsInACluster, nobodyIsForgotten];
const whileOneRuns = [thereIsOneHistory, nobodyIsNewer, theyAreOneCluster];
const ofReplacing = [othersKeepTheirMajority, allOthersRun];
