import { configures, only } from "../../authorities";
import { hopsOf, installs, withHops, type Hop } from "../../hops";
import { rest } from "../../rest";
import { abreast, idle, mostAway, oneByOne, restartsOf, restartsOfSilent, together, told, type Step } from "../../plan";
import { nothingDue, type Due, type Wanted } from "../../topology";
import { hops } from "./hops";
import { underNew } from "./memory";
import { strangers, tooMuch, unsafe } from "./rules";
import { evidence, isAlive, isIn, isToTell, midway, ownedBy, shardOf, those, ups, waits, type Prepared, type Sight, type Sights, type Up } from "./sight";
import { count, joined, missing, moves, written, type Move, type Slots } from "./slots";

export type Do = "install" | "mount" | "configure" | "secure" | "clean" | "start" | "bootstrap" | "join" | "move" | "promote" | "leave" | "restart" | "resize" | "rebuild" | "hold" | "verify";

/**
 * Pure: the steps from what is seen to a cluster of `members`, in which each shard's members hold the same slots and all shards as many.
 * Who comes joins before slots move; who goes leaves when it owns none. A slot that is on its way gets there first.
 */
export function plan({ members, forget = [], replace = [], due: asked = nothingDue, authorities = only, maxUnavailable = 1, state, vendor = "redis", version }: Wanted, seen: Record<string, Sight>): Step<Do>[] {
  const unseen: Sight = { is: "unreachable", why: "not looked at" };
  const isDown = (name: string) => seen[name]?.is === "down";
  const [resized, rebuilt] = [asked.resize, asked.rebuild].map((given) => members.filter((name) => name in given && isDown(name))) as [string[], string[]];
  const wanted: Sights = members.map((name) => [name, rebuilt.includes(name) ? underNew(seen[name]!) : seen[name] ?? unseen]);
  const leaving: Sights = Object.entries(seen).filter(([name]) => !members.includes(name)).sort(([a], [b]) => b.localeCompare(a, "en", { numeric: true }));
  const forgotten = those(leaving, (sight, name) => forget.includes(name) && sight.is === "unreachable");
  const sights: Sights = [...wanted, ...leaving.filter(([name]) => !forgotten.includes(name))];
  if (state === "stopped") return rest({ members, sights, evidence: evidence(sights), isIn: (sight) => midway(sights).length === 0 && isWhole(sight, members), inOrder: (waiting) => inOrder(waiting, seen) });
  const refusal = unsafe({ sights, wanted, forgotten, replaced: replace });
  if (refusal) throw refusal;
  const hop = hopsOf(version, members.flatMap((name) => (seen[name] && "installed" in seen[name] ? [[name, seen[name]]] : [])), asked, hops[vendor as keyof typeof hops]);
  const due = withHops(asked, hop);

  const where = (holds: (sight: Exclude<Sight, { is: "unreachable" | "foreign" }>, name: string) => boolean) => those(wanted, (sight, name) => "installed" in sight && holds(sight, name));
  const prepare: Step<Do>[] = [
    ...idle("rebuild", rebuilt, due.rebuild),
    ...idle("resize", resized, due.resize),
    // Packages of another image come with that.
    ...installs(where(({ installed, unheld }, name) => (!installed || unheld === true) && (!(name in due.rebuild) || rebuilt.includes(name))), hop),
    ...together("mount", where(({ mounted }) => !mounted)).map((step) => ({ ...step, ...told("volume", sights) })),
    ...configures(authorities, sights.filter(([name, sight]) => members.includes(name) || mayServe(sight)), where, told("settings", sights).words, evidence(sights)),
    ...together("secure", where(({ secured }) => secured === false)).map((step) => ({ ...step, ...told("passwords", sights) })),
  ];
  // Whose the slots are is known once all that have data serve it again. Addresses are as before, so they find each other by themselves.
  const back = those(sights, waits);
  const silent = those(wanted, ({ is }) => is === "silent");
  const begun = missing(joined(...ownedBy(sights).values())).length === 0;
  const gone = those(sights, (sight, name) => !members.includes(name) && mayServe(sight));
  if (back.length + silent.length > 0) return [...prepare, ...starts(back, seen), ...restartsOfSilent(those(wanted, (sight) => sight.is === "silent" && !sight.configured)), ...lookAgain(wanted, gone.length > 0, begun), ...stillDue(wanted, gone, due, ownedBy(sights))];

  const shards = shardsOf(members, sights);
  const steps: Step<Do>[] = [
    ...prepare,
    ...together("clean", those(wanted, (sight) => sight.is === "down" && sight.hasHadData)),
    ...together("start", those(wanted, ({ is }) => is === "down")),
    ...(begun ? [] : together<Do>("bootstrap", shards.map(({ head }) => head).slice(0, 1))),
    ...joins(shards, seen, begun, (name) => name in hop && name in due.rebuild),
    ...(begun ? changes(shards, gone, sights, due, hop, Math.min(maxUnavailable, mayBeAway(members).most)) : []),
  ];
  // What is left to tidy: a member without its mark, a node that is no member, a slot that is still said to be on its way.
  const untidy = where(({ hasHadData, left, held }) => !hasHadData || left || held !== undefined).length > 0 || strangers(sights).length > 0 || ups(sights).some(([, { open }]) => open.length > 0);
  return steps.length > 0 || untidy ? [...steps, { do: "verify", on: members }] : [];
}

/** In a cluster of just these, with nothing under way. */
const isWhole = (sight: Sight, members: string[]): boolean => sight.is === "up" && sight.ok && sight.knows.length === members.length && sight.failed.length === 0 && sight.open.length === 0 && (sight.role === "primary" || sight.linked);

/** Replicas first, so that nobody takes over from a primary that stops: who is primary has all of the writes. */
function inOrder(waiting: string[], seen: Record<string, Sight>): string[][] {
  const isPrimary = (name: string) => (seen[name] as Partial<Up>).role === "primary";
  return [waiting.filter((name) => !isPrimary(name)), waiting.filter(isPrimary)];
}

/** Of a cluster that was stopped the primaries first: its replicas lack the writes between their own stop and that of their primary. */
function starts(back: string[], seen: Record<string, Sight>): Step<"start">[] {
  const isReplica = (name: string) => (seen[name] as Partial<Prepared>).held === "replica";
  return [...together("start" as const, back.filter((name) => !isReplica(name))), ...together("start" as const, back.filter(isReplica)).map((step) => ({ ...step, what: "replicas" }))];
}

/** What comes after those that have data serve it again: nothing where these are all and were verified. Else it depends on how far a run that was cut had come. */
function lookAgain(wanted: Sights, shrinks: boolean, begun: boolean): Step<Do>[] {
  const had = those(wanted, (sight) => "hasHadData" in sight && sight.hasHadData);
  const whole = !shrinks && wanted.every(([name, sight]) => had.includes(name) && (isAlive(sight) || isToTell(sight)));
  return whole ? [{ do: "verify", on: had }] : [{ do: begun || had.length > 0 ? "verify" : "bootstrap", on: [] }];
}

/** Others that are to restart, whose servers are to be others, or who leave, do so once all serve: whom first is seen only then. */
function stillDue(wanted: Sights, gone: string[], due: Due, owned: ReadonlyMap<string, Slots>): Step<Do>[] {
  const some = (holds: (sight: Sight, name: string) => boolean) => those(wanted, holds).length > 0;
  const acts = {
    move: gone.some((name) => count(owned.get(name) ?? []) > 0),
    restart: some((sight) => sight.is === "up" && !sight.current),
    resize: some(({ is }, name) => is !== "down" && name in due.resize),
    rebuild: some(({ is }, name) => is !== "down" && name in due.rebuild),
    leave: gone.length > 0,
  };
  return (["move", "restart", "resize", "rebuild", "leave"] as const).filter((act) => acts[act]).map((act) => ({ do: act, on: [] }));
}

interface Shard {
  members: string[];
  /** Who is to own its slots. */
  head: string;
  /** Who owns them, where that is one that leaves. */
  instead?: string;
}

/** The wanted shards. The head of one is who owns its slots, if it stays; else who follows that one and has most of it; else who came first. */
function shardsOf(members: string[], sights: Sights): Shard[] {
  const owned = ownedBy(sights);
  const slotsOf = (name: string) => count(owned.get(name) ?? []);
  return [...new Set(members.map(shardOf))].map((shard) => {
    const stay = members.filter((name) => shardOf(name) === shard);
    const owner = [...owned.keys()].filter((name) => shardOf(name) === shard && slotsOf(name) > 0).sort((a, b) => slotsOf(b) - slotsOf(a))[0];
    if (owner !== undefined && stay.includes(owner)) return { members: stay, head: owner };
    const views = ups(sights).filter(([name]) => stay.includes(name));
    const id = ups(sights).find(([name]) => name === owner)?.[1].id;
    const [heir] = views.filter(([, { of, linked }]) => id !== undefined && of === id && linked).sort(([, a], [, b]) => (b.offset ?? 0) - (a.offset ?? 0));
    const [came] = views.filter(([, view]) => view.role === "primary" && isIn(view));
    return { members: stay, head: (heir ?? (owner === undefined ? came : undefined))?.[0] ?? stay[0]!, ...(owner !== undefined && { instead: owner }) };
  });
}

/**
 * Those that are not in yet, or do not follow who owns their shard's slots: one of each shard at a time, for who gives its data to two has twice the work. Who is to get a later
 * version joins with that: its primary may have it already, and then has nothing to give to an older one.
 */
function joins(shards: Shard[], seen: Record<string, Sight>, begun: boolean, isOlder: (name: string) => boolean): Step<Do>[] {
  const isSettled = ({ head, instead }: Shard, name: string): boolean => {
    const sight = seen[name]!;
    const owner = seen[instead ?? head];
    if (!begun && name === head) return true;
    if (name !== head && sight.is === "up" && isOlder(name)) return true;
    // One that was leaving is forgotten by some already.
    if (sight.is !== "up" || !isIn(sight) || !ups(Object.entries(seen)).every(([, other]) => !isIn(other) || other.knows.includes(sight.id))) return false;
    return name === (instead ?? head) || (sight.role === "replica" ? owner?.is === "up" && sight.of === owner.id : instead === undefined && name === head);
  };
  const come = shards.map((shard) => [shard.head, ...shard.members.filter((name) => name !== shard.head)].filter((name) => !isSettled(shard, name)));
  const waves = Math.max(0, ...come.map(({ length }) => length));
  return Array.from({ length: waves }, (_, wave) => together<Do>("join", come.flatMap((names) => names.slice(wave, wave + 1)))).flat();
}

/** What changes a cluster that runs: whose the slots are, who is in it, and what each runs with. */
function changes(shards: Shard[], gone: string[], sights: Sights, due: Due, hop: Record<string, Hop>, most: number): Step<Do>[] {
  const owned = ownedBy(sights);
  const open = opened(sights);
  const promoted = shards.filter(({ instead }) => instead !== undefined);
  const then = new Map(owned);
  for (const { from, to, slots } of open) {
    then.set(from, without(then.get(from) ?? [], slots));
    then.set(to, joined(then.get(to) ?? [], slots));
  }
  for (const { head, instead } of promoted) {
    then.set(head, then.get(instead!)!);
    then.delete(instead!);
  }
  const planned = moves(then, shards.map(({ head }) => head));
  const refusal = tooMuch(planned, then, sights);
  if (refusal) throw refusal;
  return [
    ...open.map(move),
    ...promoted.flatMap(({ head }) => together<Do>("promote", [head])),
    ...planned.map(move),
    ...abreast(shards.map((shard) => restarts(shard, gone, sights, due, hop)).filter((rounds) => rounds.length > 0), most, ["promote"]),
    // Replicas first: they would follow whoever gets the slots of their primary.
    ...oneByOne<Do>("leave", [...gone.filter((name) => !owned.has(name)), ...gone.filter((name) => owned.has(name))]),
  ];
}

const move = ({ from, to, slots }: Move<string>): Step<Do> =>
  ({ do: "move", on: [from], to, what: written(slots), words: count(slots) === 1 ? "1 slot" : `${count(slots)} slots` });

/** Runs, or would again. */
const mayServe = (sight: Sight): boolean => waits(sight) || (sight.is === "up" && !sight.left);

/** Slots that are on their way: who owns them gives them, whoever did when they set out, to whom they were going. */
function opened(sights: Sights): Move<string>[] {
  // A failover may have made another of its shard the primary: it has the keys that were there.
  const primaryOf = (name: string | undefined) => {
    const those = ups(sights).filter(([other, view]) => name !== undefined && shardOf(other) === shardOf(name) && view.role === "primary" && isIn(view));
    return (those.find(([, { slots }]) => slots !== "") ?? those[0])?.[0];
  };
  const ownerOf = (slot: number) => [...ownedBy(sights)].find(([, slots]) => slots.some(([first, last]) => first <= slot && slot <= last))?.[0];
  const found = new Map<string, Move<string>>();
  for (const [name, view] of ups(sights))
    for (const { slot, peer, way } of view.open) {
      const [from, to] = [ownerOf(slot), primaryOf(way === "out" ? peer : name)];
      if (from === undefined || to === undefined || from === to) continue;
      found.set(`${from} ${to}`, { from, to, slots: joined(found.get(`${from} ${to}`)?.slots ?? [], [[slot, slot]]) });
    }
  return [...found.values()];
}

const without = (slots: Slots, others: Slots): Slots => missing(joined(missing(slots), others));

/** One of each shard. With a replica in each none of them is a primary, of which no more may be away than leaves a majority, with one more that fails. */
export function mayBeAway(members: string[]): { most: number; because: string } {
  const shards = [...new Set(members.map(shardOf))];
  const alone = shards.some((shard) => members.filter((name) => shardOf(name) === shard).length === 1);
  const most = alone ? mostAway(shards.length) : shards.length;
  return { most, because: alone ? `of ${shards.length} primaries without replicas those that are away and one more that fails must leave a majority; ${most + 1} may be away of ${2 * (most + 1) + 3}` : "one of each shard may be away" };
}

/** Rounds: replicas, then one of them takes over, then who was primary: where a setting, another flavor or image waits for that. Where none stays, one that leaves takes over for as long. */
function restarts({ members, head }: Shard, gone: string[], sights: Sights, due: Due, hop: Record<string, Hop>): Step<Do>[][] {
  const old = those(sights, (sight, name) => members.includes(name) && sight.is === "up" && (!sight.current || name in due.resize || name in due.rebuild));
  const replicas = members.filter((name) => name !== head);
  const leaving = gone.filter((name) => shardOf(name) === shardOf(head) && isIn(new Map(sights).get(name)!));
  // Its primary waits for it, so it loses nothing however far behind it is: but one that has no link would be waited for in vain.
  const hasLink = (name: string) => Number((new Map(sights).get(name) as Partial<Up>).linked ?? false);
  const [heir] = [...replicas, ...leaving].sort((a, b) => hasLink(b) - hasLink(a));
  /** How a member comes back whose server has a new disk. */
  const comesBack = (name: string): Step<Do>[] => [...installs([name], hop), ...(["mount", "configure", "start", "join"] as Do[]).flatMap((act) => together(act, [name]))];
  return [
    ...restartsOf(replicas.filter((name) => old.includes(name)), due, comesBack),
    ...(old.includes(head) ? restartsOf([head], due, comesBack).map((round) => together<Do>("promote", heir ? [heir] : []).concat(round, together("promote", heir && !replicas.includes(heir) ? [head] : []))) : []),
  ];
}
