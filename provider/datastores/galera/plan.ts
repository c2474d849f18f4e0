import { Refused } from "../../errors";
import { oneByOne, together, type Step } from "../../plan";
import type { Wanted } from "../../topology";

export type Do = "install" | "mount" | "configure" | "bootstrap" | "recover" | "secure" | "clean" | "join" | "leave" | "stop" | "verify";

/**
 * What lies in a member's data directory while its server is down. `seqno` is -1 when nothing tells it. Torn are data
 * that lost power in the middle of a statement that changes tables: Galera forgets its position for as long, and InnoDB,
 * which finishes or undoes the statement, tells it. Partial is what a state transfer did not bring whole.
 */
export type Data =
  | { is: "none" }
  | { is: "whole" | "torn" | "partial"; uuid: string; seqno: number; safeToBootstrap: boolean };

export interface Prepared {
  installed: boolean;
  mounted: boolean;
  configured: boolean;
  /** The volume's marker says that it once held the whole data. */
  hasHadData: boolean;
  /** The volume's marker says that the member left the cluster by our word. */
  left: boolean;
}

export type Sight =
  | { is: "unreachable"; why: string }
  | { is: "foreign"; why: string }
  | { is: "down"; data: Data } & Prepared
  | { is: "starting" } & Prepared
  | { is: "up"; primary: boolean; state: string; size: number; uuid: string; secured: boolean; committed?: number } & Prepared;

type Sights = [name: string, sight: Sight][];

/**
 * Pure: the steps from what is seen to a running cluster of `members`. Whoever is seen and not wanted leaves; joins
 * come before leaves, and either is one member at a time. Address lists are written first: no restart in the middle
 * then finds a member that knows fewer than there will be. Who leaves is prepared only if the cluster starts from it.
 */
export function plan({ members, forget = [], replace = [] }: Wanted, seen: Record<string, Sight>): Step<Do>[] {
  const unseen: Sight = { is: "unreachable", why: "not looked at" };
  const wanted: Sights = members.map((name) => [name, seen[name] ?? unseen]);
  const leaving: Sights = Object.entries(seen).filter(([name]) => !members.includes(name))
    .sort(([a], [b]) => b.localeCompare(a, "en", { numeric: true }));
  const forgotten = those(leaving, (sight, name) => forget.includes(name) && sight.is === "unreachable");
  const sights: Sights = [...wanted, ...leaving.filter(([name]) => !forgotten.includes(name))];
  const refusal = unsafe(sights, wanted, forgotten);
  if (refusal) throw refusal;
  if (replace.length > 0 && members.length === 2)
    throw new Refused("a server is taken away only where the others keep their majority", evidence(sights), "set `members` to 3 first, and back to 2 when the server is made again");
  const idle = those(wanted, (sight, name) => !replace.includes(name) && !runs(sight));
  if (replace.length > 0 && idle.length > 0)
    throw new Refused("a member's server is taken away only while all others run", evidence(sights), `bring ${idle.join(", ")} back first, without \`replace\``);

  const running = those(sights, runs);
  const lost = running.length > 0 ? [] : those(sights, isAlive);
  // They had their time to find each other and did not. What each holds is seen once it is down; who starts, then too.
  if (lost.length > 0) return [{ do: "stop", on: lost }, { do: startOver(sights), on: [] }];
  const start = running.length > 0 ? undefined : startOf(sights);
  const seed = start ? [start.on] : [];
  const down = running.length === 0 && !start ? those(sights, (sight) => sight.is === "down" && tellsPosition(sight.data)) : [];
  const where = (holds: (sight: Sight & Prepared, name: string) => boolean) =>
    those(sights, (sight, name) => [...members, ...seed, ...down].includes(name) && "installed" in sight && holds(sight, name));
  const joining = members.filter((name) => ![...running, ...seed].includes(name));
  const prepare: Step<Do>[] = [
    // A package may start the server anew, which no two do at a time.
    ...together("install", where(({ installed }, name) => !installed && !running.includes(name))),
    ...oneByOne("install", where(({ installed }, name) => !installed && running.includes(name))),
    ...together("mount", where(({ mounted }) => !mounted)),
    ...together("configure", where(({ configured }) => !configured)),
  ];
  // Servers were made again below data whose position only an installed MariaDB can tell: look again, and plan then.
  if (running.length === 0 && !start) return [...prepare, { do: startOver(sights), on: [] }];
  const history = historyOf(seen[running[0] ?? start!.on]!);
  const steps: Step<Do>[] = [
    // Outside of the cluster that runs, and it had its time to find back: it is in nobody's quorum, and joins anew.
    ...together("stop", those(wanted, (sight) => sight.is === "up" && !sight.primary)),
    ...prepare,
    ...together(start?.do ?? "bootstrap", seed),
    ...together("secure", those(sights, (sight) => sight.is === "up" && !sight.secured).length > 0 ? running.slice(0, 1) : start?.do === "bootstrap" ? seed : []),
    ...together("clean", joining.filter((name) => leftWithAnother(history, seen[name]!))),
    ...oneByOne("join", joining),
    ...oneByOne("leave", those(sights, (sight, name) => !members.includes(name) && mayRun(sight))),
  ];
  const toVerify = where(({ hasHadData, left }) => !hasHadData || left).length > 0 || wanted.some(([, sight]) => sight.is === "up" && sight.size !== members.length);
  return steps.length > 0 || toVerify ? [...steps, { do: "verify", on: members }] : [];
}

const those = (sights: Sights, holds: (sight: Sight, name: string) => boolean): string[] =>
  sights.filter(([name, sight]) => holds(sight, name)).map(([name]) => name);

/** Part of the running cluster. A donor is, for as long as it gives its data to a joiner or a backup. */
export const inCluster = (primary: boolean, state = ""): boolean => primary && ["Synced", "Donor/Desynced"].includes(state);

const runs = (sight: Sight) => sight.is === "up" && inCluster(sight.primary, sight.state);
const isAlive = ({ is }: Sight) => is === "up" || is === "starting";
/** Runs, or would again after a boot. */
const mayRun = (sight: Sight) => isAlive(sight) || (sight.is === "down" && sight.data.is !== "none" && !sight.left);

/** Data whose position is known, or will be once MariaDB is asked. */
export const tellsPosition = (data: Data): data is Exclude<Data, { is: "none" }> => data.is === "whole" || data.is === "torn";

export const isKnown = (uuid: string): boolean => !/^[0-]*$/.test(uuid);

/** The history that a member runs, or that its data belong to. */
function historyOf(sight: Sight): string | undefined {
  const uuid = sight.is === "up" ? sight.uuid : sight.is === "down" && tellsPosition(sight.data) ? sight.data.uuid : "";
  return isKnown(uuid) ? uuid : undefined;
}

const historiesOf = (sights: Sights) => new Set(sights.map(([, sight]) => historyOf(sight)).filter(Boolean));

/** Holds data that it took along when it left, and that are not what the cluster runs on now. */
const leftWithAnother = (history: string | undefined, sight: Sight): boolean =>
  sight.is === "down" && sight.left && sight.data.is !== "none" && historyOf(sight) !== undefined && historyOf(sight) !== history;

/** Nothing is planned while a member is unknown, a disk is not ours, or there are two histories or no quorum. */
function unsafe(sights: Sights, wanted: Sights, forgotten: string[]): Refused | undefined {
  const where = (among: Sights, is: (sight: Sight) => boolean) => among.filter(([, sight]) => is(sight));
  const unreachable = where(sights, ({ is }) => is === "unreachable");
  if (unreachable.length > 0) {
    const leavers = unreachable.filter(([name]) => !wanted.some(([each]) => each === name)).map(([name]) => name);
    return new Refused("every member and its volume must be seen before anything is changed", evidence(unreachable),
      "start the server, mend its network, attach its volume or let its database answer, then run `pulumi up` again; `openstack server show` tells its state. A server that is gone for ever is deleted with `openstack server delete`; after `pulumi refresh` the next `pulumi up` makes it again over its volume"
      + (leavers.length > 0 ? `. A leaving member that is gone for ever is named in forget: ${JSON.stringify(leavers)}` : ""));
  }
  const running = where(sights, runs);
  // While no cluster runs, what a leaver holds may be the newest.
  const foreign = where(running.length > 0 ? wanted : sights, ({ is }) => is === "foreign");
  if (foreign.length > 0)
    return new Refused("a volume that we did not format is never touched", evidence(foreign),
      "mend its marker if that is what is wrong; else empty the volume yourself if its data may go, or give the member another volume");
  const emptied = where(running.length > 0 ? wanted : sights, (sight) => sight.is === "down" && sight.hasHadData && sight.data.is === "none");
  if (emptied.length > 0)
    return new Refused("a member whose data vanished neither starts a cluster nor joins one", evidence(sights),
      "attach the volume that holds its data; if that is lost, and others hold the data, delete the member's server and volume, then `pulumi refresh` and `pulumi up`");
  if (running.length === 0 && where(sights, (sight) => sight.is === "up" && sight.primary).length > 0)
    return new Refused("no cluster is started while a member is in one", evidence(sights),
      "wait a minute for that member to be Synced, then run `pulumi up` again");
  if (running.length === 0 && forgotten.length > 0)
    return new Refused("a member is forgotten only by a running cluster", `${evidence(sights)}; ${forgotten.join(", ")} cannot be seen`,
      "start the servers of those that are to be forgotten, so that what they hold is seen; or start the others' cluster yourself, with `galera_new_cluster` on the one with the newest data once MariaDB is stopped on all of them");
  const histories = historiesOf(sights.filter(([, sight]) => !(sight.is === "down" && sight.left)));
  if (running.length > 0 && histories.size > 1)
    return new Refused("a member with another history is no part of this cluster, and a join would erase it", evidence(sights),
      `two clusters exist: decide which data is right, and on the members of the other ${setAside}`);
  if (newerThanCluster(running, sights).length > 0)
    return new Refused("a cluster that runs on older data takes nobody in who holds newer", evidence(sights),
      `wait a minute, and run \`pulumi up\` again, if those that run are still at their writes. Else the cluster was started without ${newerThanCluster(running, sights).map(([name]) => name).join(", ")}: both have gone on since, so decide which data is right. To keep the newer: on those that run ${setAside}. To keep what runs: the same on those that hold the newer. Then \`pulumi refresh\` and \`pulumi up\``);
  const sizes = new Set(running.map(([, sight]) => (sight as { size: number }).size));
  const [size = 0] = sizes;
  const most = forgotten.length > 0 ? where(sights, isAlive).length : sights.length;
  if (running.length > 0 && forgotten.length === 0 && size > most)
    return new Refused("a cluster has no members but those that are known", evidence(sights),
      "a run that was killed may have let others in: set the arguments to what that run wanted, run `pulumi up` to its end, and change them then; else stop MariaDB on those that do not belong to it");
  if (running.length > 0 && (sizes.size > 1 || size < running.length || size > most))
    return new Refused("members that run must be one cluster of nobody else", evidence(sights),
      forgotten.length > 0 ? `the cluster still counts a member that cannot be seen: power off ${forgotten.join(", ")}, then run \`pulumi up\` again`
        : "if members are just finding each other, run `pulumi up` again; else stop MariaDB on those that do not belong together");
  return undefined;
}

/** Members outside of the running cluster that hold later writes of its history than those that run. */
function newerThanCluster(running: Sights, sights: Sights): Sights {
  if (running.length === 0) return [];
  const position = (sight: Sight) => (sight.is === "up" ? sight.committed : sight.is === "down" && sight.data.is !== "none" ? sight.data.seqno : undefined);
  const last = Math.max(...running.map(([, sight]) => position(sight) ?? Infinity));
  return sights.filter(([, sight]) => !runs(sight) && historyOf(sight) === historyOf(running[0]![1]) && (position(sight) ?? -1) > last);
}

const markerFile = "/var/lib/datastore/.datastore.json";
/** What a person does to let a member start anew without the data that it holds. */
const setAside = `stop MariaDB, \`mv /var/lib/datastore/mysql /var/lib/datastore/mysql.aside\`, and write false for hasHadData into ${markerFile}`;

/**
 * Where a cluster that is down is started from. New members: the first. Else the one with the newest data, which all
 * of the evidence must agree on: Galera's own flag proves nothing, for it is set also where there is no history.
 * Undefined when that cannot be known before servers that were made again are prepared.
 */
function startOf(sights: Sights): { do: "bootstrap" | "recover"; on: string } | undefined {
  const holders = sights.flatMap(([name, sight]) => (sight.is === "down" && sight.data.is !== "none" ? [{ name, ...sight, ...sight.data }] : []));
  if (holders.length === 0) return { do: "bootstrap", on: sights[0]![0] };
  const no = (rule: string, wayForward: string) => new Refused(rule, evidence(sights), wayForward);

  const stayed = holders.filter((each) => tellsPosition(each) && !each.left);
  if (stayed.length === 0)
    throw no("a cluster is started from whole data of a member that did not leave it", "give a member a volume with whole data, such as one restored from a backup; what you put on one yourself counts as whole after `sudo /usr/local/lib/datastores/settle`"
      + (holders.some(({ hasHadData }) => hasHadData) ? "" : `; these were never part of a cluster that was verified: to start with none of it, ${setAside} on each`));
  // A client knows of no other than verified members: theirs are the newest writes, if there are such.
  const verified = stayed.filter(({ hasHadData }) => hasHadData);
  const compared = holders.length > 1 || stayed[0]!.is === "torn";
  const unknown = (verified.length > 0 ? verified : stayed).filter(({ seqno }) => compared && seqno < 0);
  if (unknown.some(({ installed, mounted, configured }) => !(installed && mounted && configured))) return undefined;
  if (new Set(stayed.map(({ uuid }) => uuid).filter(isKnown)).size > 1)
    throw no("a cluster is not started from one of two histories", `decide which data is right, and on the members of the other ${setAside}`);
  if (stayed.filter(({ safeToBootstrap }) => safeToBootstrap).length > 1)
    throw no("one member at most was the last to leave", `each of these ran alone: decide which data is right, and on the others ${setAside}`);
  if (unknown.length > 0)
    throw no("whose data is newest must be known of all", `read in \`journalctl -u datastores-position\` on ${unknown.map(({ name }) => name).join(", ")} why MariaDB cannot tell its position, and mend it; to go without that data, ${setAside} there`);
  const newest = stayed.reduce((best, each) =>
    each.seqno > best.seqno || (each.seqno === best.seqno && each.safeToBootstrap && !best.safeToBootstrap) ? each : best);
  const newer = holders.filter((each) => each.seqno > newest.seqno && (each.is === "partial" || each.uuid === newest.uuid));
  if (newer.length > 0)
    throw no("the newest data must be whole, and of a member that did not leave", `see why ${newer.map(({ name }) => name).join(", ")} holds more than the others; `
      + (newer.every(tellsPosition) ? `to start from it though it left, write false for left into ${markerFile} there; ` : "")
      + `to go without that data, ${setAside} there`);
  return { do: startOver(sights), on: newest.name };
}

/** Data that a verified cluster had are recovered; a create that was cut is gone on with. */
const startOver = (sights: Sights): "bootstrap" | "recover" =>
  sights.some(([, sight]) => "hasHadData" in sight && sight.hasHadData) ? "recover" : "bootstrap";

/** What was seen, one clause a member. */
export const evidence = (sights: Sights): string =>
  sights.map(([name, sight]) => `${name} ${words(sight)}`).join("; ");

function words(sight: Sight): string {
  switch (sight.is) {
    case "unreachable": return `cannot be seen (${sight.why})`;
    case "foreign": return `has a volume that is not known as ours (${sight.why})`;
    case "starting": return "is starting";
    case "up": return `is up (${sight.primary ? "Primary" : "non-Primary"}, ${sight.state}, size ${sight.size}, ${sight.uuid}${sight.committed === undefined ? "" : `:${sight.committed}`})`;
    case "down": return (sight.data.is === "none" ? `is down without data${sight.hasHadData ? ", but once had some" : ""}`
      : `is down with ${sight.data.is} data ${sight.data.uuid}:${sight.data.seqno}${sight.data.safeToBootstrap ? " (safe to bootstrap)" : ""}`)
      + (sight.left ? ", and left the cluster" : "");
  }
}

/**
 * What a preview takes the members for: as last seen, and well where nothing is known. While a cluster runs, a member
 * that was starting or just out of it is taken for well too: `up` looks for itself. One that never could be seen is
 * new, or has still to leave.
 */
export function recall(names: string[], seen: Record<string, Sight | undefined>, leaving: string[] = []): Record<string, Sight> {
  const ran = names.some((name) => seen[name] === undefined || runs(seen[name]));
  const now = names.map((name): [string, Sight] => {
    const sight = seen[name];
    if (sight?.is === "unreachable") return [name, ran && leaving.includes(name) ? well(undefined) : blank];
    return [name, !sight || (ran && isAlive(sight)) ? well(sight) : sight];
  });
  // More than are known are no stale count: a run that was killed let them in.
  const most = Math.max(0, ...names.flatMap((name) => (seen[name]?.is === "up" && runs(seen[name]) ? seen[name].size : [])));
  const size = most > names.length ? most : now.filter(([, sight]) => runs(sight)).length;
  const [uuid = "known"] = historiesOf(names.flatMap((name): Sights => (seen[name] && runs(seen[name]) ? [[name, seen[name]]] : [])));
  return Object.fromEntries(now.map(([name, sight]) => [name, runs(sight) ? { ...sight, size, uuid } : sight]));
}

const well = (sight: Sight | undefined): Sight => {
  const { installed = true, mounted = true, configured = true, hasHadData = true } = (sight ?? {}) as Partial<Prepared>;
  return { is: "up", primary: true, state: "Synced", size: 0, uuid: "known", secured: true, installed, mounted, configured, hasHadData, left: false };
};

/** What is remembered: how far a cluster that runs has come is news at each look, and kept only where it forbids something. */
export function kept(seen: Record<string, Sight>): Record<string, Sight> {
  const sights = Object.entries(seen);
  if (newerThanCluster(sights.filter(([, sight]) => runs(sight)), sights).length > 0) return seen;
  return Object.fromEntries(sights.map(([name, { ...sight }]) => {
    if (sight.is === "up") delete sight.committed;
    return [name, sight];
  }));
}

/** What is seen of a new server. */
export const blank: Sight = { is: "down", data: { is: "none" }, installed: false, mounted: false, configured: false, hasHadData: false, left: false };

/** What is seen of a member whose server was made again over its volume, if it is known what it held. What ran there was not closed. */
export function underNew(sight: Sight): Sight {
  if (!("installed" in sight)) return sight.is === "foreign" ? sight : blank;
  const uuid = historyOf(sight);
  if (sight.is !== "down" && uuid === undefined) return blank;
  const data: Data = sight.is === "down" ? sight.data : { is: "whole", uuid: uuid!, seqno: -1, safeToBootstrap: false };
  return { is: "down", data, installed: false, mounted: false, configured: false, hasHadData: sight.hasHadData, left: sight.left };
}
