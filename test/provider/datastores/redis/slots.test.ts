import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { count, evenly, joined, missing, moves, parted, read, slotCount, written, type Move, type Slots } from "../../../../provider/datastores/redis/slots";

/** Any set of slots, as few or many ranges. */
const any = fc.uniqueArray(fc.integer({ min: 0, max: slotCount - 1 }), { maxLength: 30 }).map((slots) => joined(slots.map((slot) => [slot, slot])));
/** All slots, dealt to so many shards in pieces. */
const dealt = (shards: number) => fc.array(fc.integer({ min: 0, max: shards - 1 }), { minLength: 1, maxLength: 40 }).map((owners) => {
  const owned = new Map<number, Slots>(Array.from({ length: shards }, (_, shard) => [shard, []]));
  const piece = Math.ceil(slotCount / owners.length);
  owners.forEach((shard, index) => {
    const [first, last] = [index * piece, Math.min(slotCount, (index + 1) * piece) - 1];
    if (first <= last) owned.set(shard, joined(owned.get(shard)!, [[first, last]]));
  });
  return owned;
});
const after = <Shard>(owned: ReadonlyMap<Shard, Slots>, planned: Move<Shard>[]) => {
  const now = new Map(owned);
  for (const { from, to, slots } of planned) {
    now.set(from, without(now.get(from)!, slots));
    now.set(to, joined(now.get(to) ?? [], slots));
  }
  return now;
};
/** What is in `slots` and not in `others`. */
const without = (slots: Slots, others: Slots): Slots => missing(joined(missing(slots), others));

describe("slots", () => {
  it("are read as Redis writes them", () => {
    deepEqual(read("0-5460 5462"), [[0, 5460], [5462, 5462]]);
    deepEqual(read(""), []);
    fc.assert(fc.property(any, (slots) => deepEqual(read(written(slots)), slots)));
  });

  it("that are joined lose and gain none", () => fc.assert(fc.property(any, any, (some, others) => {
    deepEqual(joined(some, others), joined(others, some));
    equal(count(joined(some, missing(some))), slotCount);
    equal(count(some) + count(missing(some)), slotCount);
  })));

  it("that are parted are the same slots", () => fc.assert(fc.property(any, fc.nat(40), (slots, many) => {
    const [some, rest] = parted(slots, many);
    equal(count(some), Math.min(many, count(slots)));
    deepEqual(joined(some, rest), slots);
  })));

  for (let shards = 3; shards <= 64; shards++)
    it(`are dealt to ${shards} shards whole, each once, none with two more than another`, () => {
      const all = evenly(shards);
      equal(all.length, shards);
      deepEqual(joined(...all), [[0, slotCount - 1]]);
      equal(all.reduce((sum, slots) => sum + count(slots), 0), slotCount);
      ok(all.every((slots) => slots.length === 1));
      const counts = all.map(count);
      ok(Math.max(...counts) - Math.min(...counts) <= 1);
    });

  describe("that are moved", () => {
    const cases = fc.integer({ min: 3, max: 9 }).chain((there) => fc.record({ owned: dealt(there), wanted: fc.shuffledSubarray(Array.from({ length: there + 3 }, (_, shard) => shard), { minLength: 3 }) }));

    it("leave each wanted shard with its share, and others with none", () => fc.assert(fc.property(cases, ({ owned, wanted }) => {
      const now = after(owned, moves(owned, wanted));
      for (const [shard, slots] of now) if (!wanted.includes(shard)) equal(count(slots), 0);
      const share = slotCount / wanted.length;
      for (const shard of wanted) ok(Math.abs(count(now.get(shard) ?? []) - share) <= Math.max(1, share * 0.02), `${shard} of ${share}`);
      deepEqual(joined(...now.values()), [[0, slotCount - 1]]);
    })));

    it("are each with its owner, once, and never with the same shard again", () => fc.assert(fc.property(cases, ({ owned, wanted }) => {
      const planned = moves(owned, wanted);
      let now: ReadonlyMap<number, Slots> = owned;
      for (const move of planned) {
        deepEqual(without(move.slots, now.get(move.from)!), [], "it owns what it gives");
        ok(count(move.slots) > 0 && move.from !== move.to && wanted.includes(move.to));
        now = after(now, [move]);
      }
      equal(count(joined(...planned.map(({ slots }) => slots))), planned.reduce((sum, { slots }) => sum + count(slots), 0));
    })));

    it("are as few as can be", () => fc.assert(fc.property(cases, ({ owned, wanted }) => {
      const planned = moves(owned, wanted);
      if (planned.length === 0) return;
      const now = after(owned, planned);
      const gained = wanted.reduce((sum, shard) => sum + Math.max(0, count(now.get(shard) ?? []) - count(owned.get(shard) ?? [])), 0);
      equal(planned.reduce((sum, { slots }) => sum + count(slots), 0), gained);
      for (const shard of wanted) ok(!planned.some(({ from }) => from === shard) || !planned.some(({ to }) => to === shard), "nobody gives and gets");
    })));

    it("need no more moves once they are there, and after a cut what is left of them", () => fc.assert(fc.property(cases, fc.nat(), fc.nat(), ({ owned, wanted }, at, part) => {
      const planned = moves(owned, wanted);
      deepEqual(moves(after(owned, planned), wanted), []);
      if (planned.length === 0) return;
      const done = planned.slice(0, at % planned.length);
      const cut = planned[done.length]!;
      const [slots] = parted(cut.slots, part % (count(cut.slots) + 1));
      const middle = after(owned, [...done, { ...cut, slots }]);
      const rest = moves(middle, wanted);
      ok(rest.reduce((sum, move) => sum + count(move.slots), 0) <= planned.reduce((sum, move) => sum + count(move.slots), 0));
      deepEqual(moves(after(middle, rest), wanted), []);
    })));

    it("are none of a cluster whose shards own nearly the same", () => deepEqual(moves(new Map([["a", [[0, 5400]]], ["b", [[5401, 10922]]], ["c", [[10923, 16383]]]] as [string, Slots][]), ["a", "b", "c"]), []));

    it("say of a grow who gives what to whom", () => deepEqual(
      moves(new Map(evenly(3).map((slots, index) => [index + 1, slots])), [1, 2, 3, 4]).map(({ from, to, slots }) => `${count(slots)} from ${from} to ${to}: ${written(slots)}`),
      ["1366 from 1 to 4: 0-1365", "1365 from 2 to 4: 5462-6826", "1365 from 3 to 4: 10923-12287"]));
  });
});
