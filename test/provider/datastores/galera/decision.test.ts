import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import { hashOf } from "../../../../provider/datastores/galera/evidence";
import { kept, recall } from "../../../../provider/datastores/galera/memory";
import { plan, type Do } from "../../../../provider/datastores/galera/plan";
import { isKnown, isPrepared, mayStart, runs } from "../../../../provider/datastores/galera/sight";
import { describe as lines, type Step } from "../../../../provider/plan";
import type { Wanted } from "../../../../provider/topology";
import { cuts } from "./cuts";
import { after, all, named, sight, type Seen } from "./model";

const of = (...words: string[]): Seen => Object.fromEntries(words.map((word, index) => [`db-${index + 1}`, sight(word, words.length)]));
const hash = (seen: Seen): string => hashOf(Object.entries(seen));

describe("galera: what a decision counts on", () => {
  it("is the same in any order, and in what a preview remembers", () => {
    const seen = of("whole@A:95", "torn@B:96", "emptied");
    equal(hash(Object.fromEntries(Object.entries(seen).reverse())), hash(seen));
    equal(hash(recall(named(3), kept(seen))), hash(seen));
    match(hash(seen), /^[0-9a-f]{12}$/);
  });

  it("is not changed by our own steps on the way to a start", () => {
    for (const [before, then] of [["whole:95", "whole:95,safe"], ["whole:95", "whole:95,left"], ["torn:95", "whole:95"], ["whole:95,uninstalled,unmounted,unconfigured", "whole:95"], ["whole:95,left", "whole:95,over=db-2=A:97"]] as const)
      equal(hash(of(then, "whole@B:9")), hash(of(before, "whole@B:9")), then);
  });

  it("is changed by who there is, and by which data they hold, of which history, and how far", () => {
    const seen = [of("whole@A:95"), of("whole@A:96"), of("whole@A:-1"), of("whole@B:95"), of("partial@A:95"), of("ready"), of("emptied"), { "db-2": sight("whole@A:95", 1) }, of("whole@A:95", "ready")];
    equal(new Set(seen.map(hash)).size, seen.length);
  });
});

/** All down, of whom any are wanted, and one with data that a cluster can be started from is chosen. */
const holds = fc.tuple(fc.constantFrom("whole", "whole", "whole", "torn", "partial", "ready", "blank", "emptied"), fc.constantFrom("A", "A", "B", "C"), fc.integer({ min: -1, max: 3 }),
  fc.subarray(["new", "safe", "left", "uninstalled", "unconfigured"])).map(([kind, uuid, seqno, more]) => [kind.replace(/^(whole|torn|partial)/, `$1@${uuid}:${seqno}`), ...more].join(","));
const decided: fc.Arbitrary<{ want: Required<Pick<Wanted, "members" | "recovery">>; seen: Seen }> = fc.array(holds, { minLength: 1, maxLength: 5 })
  .map((words) => of(...words)).filter((seen) => candidates(seen).length > 0 && !Object.values(seen).some(waitsToTell))
  .chain((seen) => fc.tuple(fc.shuffledSubarray(Object.keys(seen), { minLength: 1 }), fc.constantFrom(...candidates(seen)))
    .map(([members, from]) => ({ want: { members, recovery: { from, evidence: hash(seen) } }, seen })));
const candidates = (seen: Seen) => Object.keys(seen).filter((name) => { const each = seen[name]!; return each.is === "down" && mayStart(each.data) && isKnown(each.data.uuid); });
/** More can be seen of it once it is prepared. */
const waitsToTell = (each: Seen[string]) => each.is === "down" && each.data.is !== "none" && each.data.seqno < 0 && !isPrepared(each);

const starts = (steps: Step<Do>[]) => steps.filter((step) => ["bootstrap", "recover"].includes(step.do)).flatMap((step) => step.on);

describe("galera plan by a person's decision", () => {
  const always = (numRuns: number, holds: (it: { want: Required<Pick<Wanted, "members" | "recovery">>; seen: Seen }) => void) => fc.assert(fc.property(decided, holds), { numRuns });

  it("starts from whoever is chosen, once, and ends with all wanted running, and nothing to do", () => always(500, ({ want, seen }) => {
    const steps = plan(want, seen);
    deepEqual(starts(steps), [want.recovery.from]);
    ends(want, steps.reduce((now, step) => after(now, step), seen), "");
  }));

  it("reaches the same end from wherever it was cut, with one start at most, and lets nothing be erased that the chosen one does not hold", () => always(150, ({ want, seen }) => {
    for (const [cut, halfway] of cuts(want, seen)) {
      const steps = plan(want, halfway);
      ok(starts(steps).length <= 1 && starts(steps).every((name) => name === want.recovery.from), cut);
      if (Object.values(halfway).some(runs)) deepEqual(starts(steps), [], cut);
      ends(want, steps.reduce((now, step) => {
        if (step.do === "join") erases(step.on[0]!, now, seen, want.recovery.from, cut);
        return after(now, step);
      }, halfway), cut);
    }
  }));

  it("reaches the same end though it is cut twice", () => {
    const seen = of("whole@A:95", "whole@B:90", "emptied", "whole@C:7");
    const want = { members: named(3), recovery: { from: "db-2", evidence: hash(seen) } };
    for (const [first, halfway] of cuts(want, seen)) for (const [second, later] of cuts(want, halfway))
      ends(want, plan(want, later).reduce((now, step) => after(now, step), later), `${first}; ${second}`);
  });

  it("is refused once anybody holds something else", () => always(500, ({ want, seen }) => {
    const name = want.recovery.from;
    const moved = { ...seen, [name]: { ...seen[name]!, data: { ...(seen[name] as { data: object }).data, seqno: 99 } } as Seen[string] };
    throws(() => plan(want, moved), { name: "Refused", message: new RegExp(`a decision counts only for what was seen when it was made.*${hash(moved)}`) });
  }));

  it("is of no account once a cluster runs", () => {
    for (const seen of [all(named(3), "synced"), of("synced/2", "whole:9", "synced/2"), of("synced/3,unconfigured", "synced/3", "synced/3,new")])
      for (const from of ["db-1", "db-9"]) deepEqual(lines(plan({ members: named(3), recovery: { from, evidence: "000000000000" } }, seen)), lines(plan({ members: named(3) }, seen)));
  });

  it("is remembered of the member that runs by it, also by a preview", () => {
    const seen = of("whole@A:95", "synced@B/1,over=db-1=A:95");
    const remembered = recall(named(2), kept(seen));
    deepEqual(lines(plan({ members: named(2) }, remembered)), ["clean db-1 (what is there is kept aside)", "join db-1", "verify db-1 db-2"]);
    deepEqual(after(after(seen, { do: "recover", on: [] }), { do: "verify", on: ["db-2"] })["db-2"], sight("synced@B/1", 2));
  });

  const ends = (want: Wanted, end: Seen, cut: string) => {
    for (const [name, each] of Object.entries(end)) {
      if (want.members.includes(name)) ok(runs(each), `${name} is ${each.is} ${cut}`);
      else ok(each.is === "down" && (each.data.is === "none" || each.left), `${name} is ${each.is} ${cut}`);
    }
    deepEqual(plan(want, end), [], cut);
  };

  /** What joins is erased where its history is another, and kept apart where its writes are. */
  const erases = (name: string, now: Seen, seen: Seen, from: string, cut: string) => {
    const [each, before, chosen] = [now[name]!, seen[name]!, seen[from] as { data: { uuid: string; seqno: number } }];
    if (each.is !== "down" || each.data.is === "none" || before.is !== "down" || before.data.is === "none" || (before.data.is === "partial" && !isKnown(before.data.uuid))) return;
    // What a join that was cut has left is the cluster's own.
    if (each.data.uuid !== before.data.uuid || each.data.seqno !== before.data.seqno) return;
    ok(each.data.uuid === chosen.data.uuid && each.data.seqno >= 0 && each.data.seqno <= chosen.data.seqno && !before.data.safeToBootstrap, `${name} loses ${each.data.uuid}:${each.data.seqno} ${cut}`);
  };
});
