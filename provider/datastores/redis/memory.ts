import { kept as keptOf } from "../../authorities";
import { isIn, midway, ownedBy, shardOf, ups, type Prepared, type Sight, type Sights, type Up } from "./sight";
import { count, evenly, joined, missing, parted, written, type Slots } from "./slots";

/** What is seen of a new server. */
export const blank: Sight = { is: "down", data: false, installed: false, mounted: false, configured: false, hasHadData: false, left: false };

/**
 * What a preview takes the members for: as last seen, and well where nothing is known. One that was starting is taken for well too:
 * `up` looks for itself. One that never could be seen is new, or has still to leave.
 */
export function recall(names: string[], seen: Record<string, Sight | undefined>, leaving: string[] = []): Record<string, Sight> {
  const well = healthy(names);
  const ran = names.some((name) => seen[name] === undefined || isIn(seen[name]!));
  const now: Sights = names.map((name) => {
    const sight = seen[name];
    if (!sight || (ran && sight.is === "starting")) return [name, { ...well[name]!, ...(sight && marksOf(sight)) }];
    return [name, sight.is !== "unreachable" ? sight : ran && leaving.includes(name) ? well[name]! : blank];
  });
  // They know each other, whatever each was seen to know: and whom else they were seen to know, they still do, unless that may be who never could be seen.
  const others = names.some((name) => seen[name]?.is === "unreachable") ? [] : names.flatMap((name) => (seen[name]?.is === "up" && isIn(seen[name]) ? seen[name].knows : []));
  const ids = ups(now).filter(([, view]) => isIn(view)).map(([, { id }]) => id);
  const known = [...new Set([...ids, ...others])];
  return Object.fromEntries(decided(now).map(([name, sight]) => [name, isIn(sight) ? { ...(sight as Up), knows: known } : sight]));
}

/** Who looks in the middle of a failover sees one member as it was before and another as it is after, and nobody who owns their slots. By now one does: which, a preview need not know. */
function decided(now: Sights): Sights {
  let nobodys = missing(joined(...ownedBy(now).values()));
  const heads = [...new Set(midway(now).map(shardOf))].map((shard) => midway(now).find((name) => shardOf(name) === shard)!);
  const given = new Map(heads.map((head, index): [string, Slots] => {
    const [share, rest] = parted(nobodys, Math.ceil(count(nobodys) / (heads.length - index)));
    nobodys = rest;
    return [head, share];
  }));
  return now.map(([name, sight]): [string, Sight] => {
    const head = heads.find((each) => shardOf(each) === shardOf(name));
    if (head === undefined || sight.is !== "up") return [name, sight];
    const { of: _, ...self } = sight;
    const id = new Map(ups(now)).get(head)!.id;
    return [name, name === head ? { ...self, role: "primary", linked: false, slots: written(given.get(head)!) } : { ...self, role: "replica", of: id, slots: "" }];
  });
}

const marksOf = (sight: Sight): Partial<Prepared> => {
  if (!("installed" in sight)) return {};
  const { installed, mounted, configured, secured, hasHadData, left, authorities, unloaded, unheld, version, writtenBy } = sight;
  return { installed, mounted, configured, ...(secured !== undefined && { secured }), hasHadData, left, ...(authorities && { authorities }), ...(unloaded && { unloaded }), ...(unheld && { unheld }), ...(version && { version }), ...(writtenBy && { writtenBy }) };
};

/** A cluster of these in which each shard's first member is its primary. */
function healthy(names: string[]): Record<string, Up> {
  const shards = [...new Set(names.map(shardOf))];
  const dealt = evenly(shards.length);
  const idOf = (name: string) => `known-${name}`;
  return Object.fromEntries(names.map((name): [string, Up] => {
    const head = names.find((other) => shardOf(other) === shardOf(name))!;
    const role = name === head ? { role: "primary" as const, slots: written(dealt[shards.indexOf(shardOf(name))]!) } : { role: "replica" as const, of: idOf(head), slots: "" };
    return [name, { is: "up", id: idOf(name), linked: name !== head, open: [], ok: true, knows: names.map(idOf), failed: [], current: true, ...role,
      installed: true, mounted: true, configured: true, secured: true, hasHadData: true, left: false }];
  }));
}

/** What is remembered: how far a replication has come and how much a member holds is news at each look. */
export const kept = (seen: Record<string, Sight>): Record<string, Sight> => Object.fromEntries(Object.entries(seen).map(([name, { ...sight }]) => {
  if (sight.is === "up") {
    delete sight.offset;
    delete sight.memory;
  }
  return [name, keptOf(sight)];
}));

/** They take for failed who is gone with its data, and a replica that had all of a primary's has taken over. */
export function bereft(others: Record<string, Sight>, gone: Record<string, Sight>): Record<string, Sight> {
  return ups(Object.entries(gone)).reduce((seen, [, lost]) => {
    const heir = ups(Object.entries(seen)).find(([, { of, linked }]) => of === lost.id && linked);
    return Object.fromEntries(Object.entries(seen).map(([name, sight]): [string, Sight] => {
      if (sight.is !== "up" || !sight.knows.includes(lost.id)) return [name, sight];
      const { of, ...self } = { ...sight, failed: [...new Set([...sight.failed, lost.id])] };
      if (name === heir?.[0]) return [name, { ...self, role: "primary", linked: false, slots: lost.slots }];
      return [name, { ...self, ...(of !== undefined && { of: of === lost.id && heir ? heir[1].id : of }) }];
    }));
  }, others);
}

/** What is seen of a member whose server was made again over its volume: its identity lies there with its data. */
export function underNew(sight: Sight): Sight {
  if (!("installed" in sight)) return sight.is === "foreign" ? sight : blank;
  const { hasHadData, left, held, writtenBy = sight.version } = sight;
  return { is: "down", data: sight.is === "down" ? sight.data : true, installed: false, mounted: false, configured: false, hasHadData, left, ...(held && { held }), ...(writtenBy && { writtenBy }) };
}

/** What is seen of a cluster that was stopped in order. */
export const stopped = (names: string[]): Record<string, Sight> => Object.fromEntries(Object.entries(healthy(names)).map(([name, { role, id }]) =>
  [name, { is: "down", data: true, id, installed: true, mounted: true, configured: true, secured: true, hasHadData: true, left: false, held: role }]));
