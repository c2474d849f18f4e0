import { configures, drops, only } from "../../authorities";
import { Refused } from "../../errors";
import { hopsOf, installs, withHops } from "../../hops";
import { rest } from "../../rest";
import { abreast, idle, mostAway, oneByOne, restartsOf, restartsOfSilent, together, told, type Step } from "../../plan";
import { nothingDue, type Recovery, type Wanted } from "../../topology";
import { chosen, isGivenUp, orDecide, type Chosen } from "./decision";
import { hops } from "./hops";
import { underNew } from "./memory";
import { markerFile, noFullTransfer, setAside, unsafe } from "./rules";
import { evidence, historyOf, isAlive, isKnown, isPrepared, mayRun, mayStart, runs, tellsPosition, those, type Prepared, type Sight, type Sights } from "./sight";

export type Do = "install" | "mount" | "configure" | "bootstrap" | "recover" | "secure" | "clean" | "join" | "restart" | "resize" | "rebuild" | "leave" | "stop" | "hold" | "upgrade" | "verify";

/**
 * Pure: the steps from what is seen to a running cluster of `members`. Whoever is seen and not wanted leaves; joins
 * come before restarts and these before leaves, each one member at a time. Address lists are written first: no restart in the middle
 * then finds a member that knows fewer than there will be. Who leaves is prepared only if the cluster starts from it.
 */
export function plan({ members, forget = [], replace = [], due: asked = nothingDue, authorities = only, recovery, maxUnavailable = 1, state, vendor = "mariadb", version }: Wanted, seen: Record<string, Sight>): Step<Do>[] {
  const unseen: Sight = { is: "unreachable", why: "not looked at" };
  const isDown = (name: string) => seen[name]?.is === "down";
  const [resized, rebuilt] = [asked.resize, asked.rebuild].map((given) => members.filter((name) => name in given && isDown(name))) as [string[], string[]];
  const wanted: Sights = members.map((name) => [name, rebuilt.includes(name) ? underNew(seen[name]!) : seen[name] ?? unseen]);
  const leaving: Sights = Object.entries(seen).filter(([name]) => !members.includes(name))
    .sort(([a], [b]) => b.localeCompare(a, "en", { numeric: true }));
  const forgotten = those(leaving, (sight, name) => forget.includes(name) && sight.is === "unreachable");
  const sights: Sights = [...wanted, ...leaving.filter(([name]) => !forgotten.includes(name))];
  if (state === "stopped") return rest({ members, sights, evidence: evidence(sights), isIn: (sight) => isIn(sight, members), inOrder: (waiting) => inOrder(waiting, seen) });
  const refusal = unsafe({ sights, wanted, forgotten, replaced: replace, recovery });
  if (refusal) throw refusal;
  const hop = hopsOf(version, members.flatMap((name) => (seen[name] && "installed" in seen[name] ? [[name, seen[name]]] : [])), asked, hops[vendor as keyof typeof hops]);
  const due = withHops(asked, hop);

  const running = those(sights, runs);
  const silent = those(wanted, ({ is }) => is === "silent");
  const silenced = running.length === 0 && silent.length > 0;
  const lost = running.length > 0 || silenced ? [] : those(sights, isAlive);
  // They had their time to find each other and did not. What each holds is seen once it is down; who starts, then too.
  if (lost.length > 0) return [{ do: "stop", on: lost }, { do: startOver(sights), on: [] }];
  const start = running.length > 0 || silenced ? undefined : recovery ? startAsDecided(recovery, sights) : startOf(sights);
  const seed = start ? [start.on] : [];
  const down = running.length === 0 && !start ? those(sights, (sight) => sight.is === "down" && tellsPosition(sight.data)) : [];
  const where = (holds: (sight: Sight & Prepared, name: string) => boolean) =>
    those(sights, (sight, name) => [...members, ...seed, ...down].includes(name) && "installed" in sight && holds(sight, name));
  // Packages and system tables of another image come with that.
  const waits = (name: string) => name in due.rebuild && !rebuilt.includes(name);
  const bare = where((sight, name) => lacksPackages(sight) && !waits(name));
  const joining = members.filter((name) => ![...running, ...seed, ...silent].includes(name));
  const prepare: Step<Do>[] = [
    ...idle("rebuild", rebuilt, due.rebuild),
    ...idle("resize", resized, due.resize),
    // A package may start the server anew, which no two do at a time.
    ...installs(bare.filter((name) => !running.includes(name)), hop),
    ...bare.filter((name) => running.includes(name)).flatMap((name) => installs([name], hop)),
    ...together("mount", where(({ mounted }) => !mounted)).map((step) => ({ ...step, ...told("volume", sights) })),
    ...configures(authorities, sights.filter(([name, sight]) => members.includes(name) || mayRun(sight)), where, told("settings", sights).words, evidence(sights)),
  ];
  // Servers were made again below data whose position only an installed MariaDB can tell: look again, and plan then.
  const unconfigured = those(wanted, (sight) => sight.is === "silent" && !sight.configured);
  // Nobody tells yet what runs, or who has no room is given some: once they answer, more can be seen.
  if (silenced || unconfigured.length < silent.length) return [...prepare, ...restartsOfSilent(unconfigured), { do: "verify", on: [] }];
  if (running.length === 0 && !start) return [...prepare, { do: startOver(sights), on: [] }];
  const history = historyOf(seen[running[0] ?? start!.on]!);
  const origin = sights.filter(([name]) => [...running, ...seed].includes(name));
  const refused = noFullTransfer(version, running, joining, new Map(sights));
  if (refused) throw refused;
  const upgrades = (name: string): Step<Do>[] => {
    const { version: installed, tables } = seen[name] as Partial<Prepared>;
    const then = hop[name]?.to ?? (installed && (version ?? installed));
    return then !== undefined && (hop[name] !== undefined || (tables !== undefined && tables !== then)) ? [{ do: "upgrade", on: [name], words: `system tables of ${then}` }] : [];
  };
  // Alone it has no cluster to join.
  const comesBack = (name: string): Step<Do>[] => [...installs([name], hop), ...(["mount", "configure", members.length === 1 ? "recover" : "join"] as Do[]).flatMap((act) => together(act, [name])), ...upgrades(name)];
  const givenUp = joining.filter((name) => (start?.over ? name in start.over : isGivenUp(origin, name, seen[name]!)));
  const old = wanted.filter(([name, sight]) => sight.is === "up" && sight.primary && (sight.current === false || hasToForget(authorities, sight) || name in due.resize || name in due.rebuild));
  const steps: Step<Do>[] = [
    // Outside of the cluster that runs, and it had its time to find back: it is in nobody's quorum, and joins anew.
    ...together("stop", those(wanted, (sight) => sight.is === "up" && !sight.primary)),
    ...prepare,
    ...together(start?.do ?? "bootstrap", seed).map((step) => ({ ...step, ...(start?.over && { what: JSON.stringify(start.over) }) })),
    ...together("secure", start?.do === "bootstrap" ? seed : toSecure(sights, running)).map((step) => ({ ...step, ...told("passwords", sights) })),
    ...together("clean", joining.filter((name) => !givenUp.includes(name) && leftWithAnother(history, seen[name]!))),
    ...together("clean", givenUp).map((step) => ({ ...step, what: "given-up", words: "what is there is kept aside" })),
    ...joining.flatMap((name) => [...together<Do>("join", [name]), ...(waits(name) ? [] : upgrades(name))]),
    ...restartsOfSilent(unconfigured),
    ...[...running, ...seed].filter((name) => members.includes(name) && !waits(name)).flatMap(upgrades),
    ...abreast(restartsOf(byWrites(old), due, comesBack).map((round) => [round]), Math.min(maxUnavailable, mayBeAway(members).most), ["join", "upgrade"]),
    ...oneByOne("leave", those(sights, (sight, name) => !members.includes(name) && (mayRun(sight) || seed.includes(name)))),
  ];
  return steps.length > 0 || where(({ hasHadData, left, chosenOver, held }) => !hasHadData || left || chosenOver !== undefined || held === true).length > 0 ? [...steps, { do: "verify", on: members }] : [];
}

export const mayBeAway = (members: string[]) => {
  const most = mostAway(members.length);
  return { most, because: `of ${members.length} members those that are away and one more that fails must leave a majority; ${most + 1} may be away of ${2 * (most + 1) + 3}` };
};

/** In a cluster of just these. */
const isIn = (sight: Sight, members: string[]): boolean => sight.is === "up" && runs(sight) && sight.size === members.length;

/** Who is in nobody's quorum first; then one after another, so that who is last has all of the writes, and says so. */
const inOrder = (waiting: string[], seen: Record<string, Sight>): string[][] => {
  const outside = waiting.filter((name) => !runs(seen[name]!));
  return [outside, ...waiting.filter((name) => !outside.includes(name)).map((name) => [name])];
};

const lacksPackages = ({ installed, unheld }: Prepared): boolean => !installed || unheld === true;

/** One of those that run, for all of them: one that is not secured itself, if it can be. */
const toSecure = (sights: Sights, running: string[]): string[] => {
  const open = those(sights, (sight) => sight.is === "up" && !sight.secured);
  return open.length === 0 ? [] : [...open.filter((name) => running.includes(name)), ...running].slice(0, 1);
};

/** Galera reads who else is to be trusted while it runs; whom it trusts already it forgets at a start alone. Of one that was never verified nobody has to forget anything. */
const hasToForget = (authorities: string[], sight: Prepared): boolean => sight.hasHadData && (sight.remembers === true || drops(authorities, sight));

/** The one that clients write to comes last: they have to find another only once. */
const byWrites = (sights: Sights): string[] =>
  sights.map(([name, sight]) => ({ name, written: (sight.is === "up" && sight.written) || 0 })).sort((a, b) => a.written - b.written).map(({ name }) => name);

/** How a cluster that is down begins; `over` is what others hold that it goes on without, where a person has decided so. */
type Start = { do: "bootstrap" | "recover" } & (Chosen | { on: string; over?: undefined });

/** Holds data that it took along when it left, and that are not what the cluster runs on now. */
const leftWithAnother = (history: string | undefined, sight: Sight): boolean =>
  sight.is === "down" && sight.left && sight.data.is !== "none" && historyOf(sight) !== undefined && historyOf(sight) !== history;

/**
 * Where a cluster that is down is started from. New members: the first. Else the one with the newest data, which all
 * of the evidence must agree on: Galera's own flag proves nothing, for it is set also where there is no history.
 * Undefined when that cannot be known before servers that were made again are prepared. What it refuses a person may decide: where
 * histories differ, positions conflict or are unknown, or the newest data are of one that left, only who knows the data can tell which count.
 */
function startOf(sights: Sights): Start | undefined {
  const holders = sights.flatMap(([name, sight]) => (sight.is === "down" && sight.data.is !== "none" ? [{ name, ...sight, ...sight.data }] : []));
  if (holders.length === 0) return { do: "bootstrap", on: sights[0]![0] };
  const no = (rule: string, wayForward: string) => orDecide(rule, sights, wayForward);

  const stayed = holders.filter((each) => mayStart(each) && !each.left);
  if (stayed.length === 0)
    throw no("a cluster is started from whole data of a member that did not leave it", "give a member a volume with whole data, such as one restored from a backup; what you put on one yourself counts as whole after `sudo /usr/local/lib/datastores/settle`, without a grastate.dat too"
      + (holders.some(({ hasHadData }) => hasHadData) ? "" : `; these were never part of a cluster that was verified: to start with none of it, ${setAside} on each`));
  // A client knows of no other than verified members: theirs are the newest writes, if there are such.
  const verified = stayed.filter(({ hasHadData }) => hasHadData);
  const compared = holders.length > 1 || stayed[0]!.is === "torn";
  const cut = holders.filter((each) => each.is === "partial" && tellsPosition(each) && each.hasHadData && !each.left);
  const unknown = [...(verified.length > 0 ? verified : stayed), ...cut].filter(({ seqno }) => compared && seqno < 0);
  if (unknown.some((each) => !isPrepared(each))) return undefined;
  if (new Set(stayed.map(({ uuid }) => uuid).filter(isKnown)).size > 1)
    throw no("a cluster is not started from one of two histories", `decide which data is right, and on the members of the other ${setAside}`);
  if (stayed.filter(({ safeToBootstrap }) => safeToBootstrap).length > 1)
    throw no("one member at most was the last to leave", `each of these ran alone: decide which data is right, and on the others ${setAside}`);
  // Nobody overrides that: who only glanced has not asked yet.
  if (unknown.some(({ asked }) => asked === false))
    throw new Refused("whose data is newest must be known of all", evidence(sights), "run `pulumi refresh`: it lets MariaDB tell, and the preview after it names the member to recover from");
  if (unknown.length > 0)
    throw no("whose data is newest must be known of all", `read in \`journalctl -u datastores-position\` on ${unknown.map(({ name }) => name).join(", ")} why MariaDB cannot tell its position, and mend it; to go without that data, ${setAside} there`);
  // Of torn data the others get all anew, so whole data go first; then the flag decides.
  const rank = ({ seqno, is, safeToBootstrap }: (typeof stayed)[number]) => [seqno, is === "whole" ? 1 : 0, safeToBootstrap ? 1 : 0];
  const newest = stayed.reduce((best, each) => {
    const by = rank(each).map((value, index) => value - rank(best)[index]!).find((difference) => difference !== 0) ?? 0;
    return by > 0 ? each : best;
  });
  const newer = holders.filter((each) => each.seqno > newest.seqno && (each.is === "partial" || each.uuid === newest.uuid));
  if (newer.length > 0)
    throw no("the newest data must be whole, and of a member that did not leave", `see why ${newer.map(({ name }) => name).join(", ")} holds more than the others; `
      + (newer.every(mayStart) ? `to start from it though it left, write false for left into ${markerFile} there; ` : "")
      + `to go without that data, ${setAside} there`);
  return { do: startOver(sights), on: newest.name };
}

/** Where a person has decided to start from, if what they decided on is what is seen. */
function startAsDecided(recovery: Recovery, sights: Sights): Start | undefined {
  const it = chosen(recovery, sights);
  return it && { do: startOver(sights), ...it };
}

/** Data that a verified cluster had are recovered; a create that was cut is gone on with. */
const startOver = (sights: Sights): "bootstrap" | "recover" =>
  sights.some(([, sight]) => "hasHadData" in sight && sight.hasHadData) ? "recover" : "bootstrap";
