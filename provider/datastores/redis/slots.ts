/** Hash slots of a cluster (Redis: Cluster specification, Key distribution model). */
export const slotCount = 16384;

/** Slots from the first to the last of each range, ascending, no two of which touch. */
export type Slots = readonly (readonly [first: number, last: number])[];

export const count = (slots: Slots): number => slots.reduce((sum, [first, last]) => sum + last - first + 1, 0);

/** As Redis writes them: `0-5460 5500`. */
export const written = (slots: Slots): string => slots.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(" ");

export const read = (text: string): Slots => joined(text.split(/[ ,]+/).filter(Boolean).map((range) => {
  const [first = "", last = first] = range.split("-");
  return [Number(first), Number(last)] as const;
}));

/** The slots of all of these. */
export function joined(...all: Slots[]): Slots {
  const ranges: [number, number][] = [];
  for (const [first, last] of all.flat().sort(([a], [b]) => a - b)) {
    const before = ranges.at(-1);
    if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else ranges.push([first, last]);
  }
  return ranges;
}

/** The first so many of `slots`, and the others. */
export function parted(slots: Slots, many: number): [some: Slots, rest: Slots] {
  const some: (readonly [number, number])[] = [];
  const rest: (readonly [number, number])[] = [];
  for (const [first, last] of slots) {
    const taken = Math.min(Math.max(many - count(some), 0), last - first + 1);
    if (taken > 0) some.push([first, first + taken - 1]);
    if (first + taken <= last) rest.push([first + taken, last]);
  }
  return [some, rest];
}

/** Slots that nobody in `slots` has. */
export function missing(slots: Slots): Slots {
  const gaps: (readonly [number, number])[] = [];
  let next = 0;
  for (const [first, last] of slots) {
    if (first > next) gaps.push([next, first - 1]);
    next = last + 1;
  }
  return next < slotCount ? [...gaps, [next, slotCount - 1]] : gaps;
}

/** All slots, dealt to so many shards: whole, and as many to each as to any other, or one more to the first. */
export function evenly(shards: number): Slots[] {
  const dealt: Slots[] = [];
  let rest: Slots = [[0, slotCount - 1]];
  for (let left = shards; left > 0; left--) {
    const [some, others] = parted(rest, Math.ceil(count(rest) / left));
    dealt.push(some);
    rest = others;
  }
  return dealt;
}

export interface Move<Shard> {
  from: Shard;
  to: Shard;
  slots: Slots;
}

/** A shard may own so much more or less than its share before slots are moved for that alone. */
const tolerance = 0.02;

/**
 * The fewest slots that have to move so that each of `wanted` owns its share and nobody else owns any; none where it is so already, or nearly.
 * Who gives most gives first, so that a receiver gets what it gets in few moves.
 */
export function moves<Shard>(owned: ReadonlyMap<Shard, Slots>, wanted: readonly Shard[]): Move<Shard>[] {
  const own = (shard: Shard) => owned.get(shard) ?? [];
  const leave = [...owned.keys()].filter((shard) => !wanted.includes(shard) && count(own(shard)) > 0);
  const share = slotCount / wanted.length;
  if (leave.length === 0 && wanted.every((shard) => Math.abs(count(own(shard)) - share) <= Math.max(1, share * tolerance))) return [];
  // The remainder stays with those that own most.
  const byOwned = [...wanted].sort((a, b) => count(own(b)) - count(own(a)));
  const target = new Map(byOwned.map((shard, index) => [shard, Math.floor(share) + (index < slotCount % wanted.length ? 1 : 0)]));
  const gives = [...leave, ...byOwned].map((shard) => ({ shard, slots: parted(own(shard), Math.max(0, count(own(shard)) - (target.get(shard) ?? 0)))[0] }))
    .sort((a, b) => count(b.slots) - count(a.slots));
  const planned: Move<Shard>[] = [];
  for (const to of wanted) {
    let lacks = target.get(to)! - count(own(to));
    for (const giver of gives) {
      if (lacks <= 0) break;
      const [slots, rest] = parted(giver.slots, lacks);
      if (count(slots) === 0) continue;
      planned.push({ from: giver.shard, to, slots });
      giver.slots = rest;
      lacks -= count(slots);
    }
  }
  return planned;
}
