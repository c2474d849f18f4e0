import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { galera } from "../../../../provider/datastores/galera";
import { plan, type Do } from "../../../../provider/datastores/galera/plan";
import { Refused, reason } from "../../../../provider/errors";
import { describe as lines, type Step } from "../../../../provider/plan";
import { answersIn, goldens } from "../../../goldens";
import { after, all, during, sight, type Seen } from "./model";

const folder = `${__dirname}/plans`;
const named = (count: number) => Array.from({ length: count }, (_, index) => `db-${index + 1}`);

describe("galera plan", () => {
  goldens(folder, ({ want = [], seen = [] }) => {
    try {
      return lines(plan(want, Object.fromEntries(want.map((name, index) => [name, sight(seen[index]!, want.length)]))));
    } catch (error) {
      return [reason(error)];
    }
  });

  it("every step occurs in a golden", () => {
    const shown = new Set(answersIn(folder).map((line) => line.split(" ")[0]));
    deepEqual(Object.keys(galera.steps).filter((step) => !shown.has(step)), []);
  });

  it("what a preview takes for a healthy member and a new server is what the planner knows as such", () => {
    deepEqual(plan(named(3), Object.fromEntries(named(3).map((name) => [name, galera.healthy(3)]))), []);
    deepEqual(lines(plan(["db-1"], { "db-1": galera.blank })).slice(0, 4), ["install db-1", "mount db-1", "configure db-1", "bootstrap db-1"]);
  });

  it("a member that nobody looked at is no reason to act", () => {
    const seen = all(named(3), "synced");
    delete seen["db-2"];
    ok(refusal(named(3), seen)?.message.includes("db-2 cannot be seen (not looked at)"));
  });
});

describe("galera plan, interrupted", () => {
  for (const count of [1, 3, 5]) {
    it(`reaches the same end from wherever a create of ${count} was cut`, () => {
      for (const [cut, halfway] of cuts(all(named(count), "blank"), plan(named(count), all(named(count), "blank")))) {
        const end = plan(named(count), halfway).reduce((seen, step) => after(seen, step), halfway);
        deepEqual(end, all(named(count), "synced"), cut);
        deepEqual(plan(named(count), end), [], cut);
      }
    });
  }

  it("reaches the same end when the second run is cut too", () => {
    for (const [first, halfway] of cuts(all(named(3), "blank"), plan(named(3), all(named(3), "blank"))))
      for (const [second, later] of cuts(halfway, plan(named(3), halfway)))
        deepEqual(plan(named(3), later).reduce((seen, step) => after(seen, step), later), all(named(3), "synced"), `${first}; ${second}`);
  });

  /** All that guests may show when `steps` are cut: between two of them, with a part of the members done, or inside one. */
  function* cuts(start: Seen, steps: Step<Do>[]): Generator<[string, Seen]> {
    let seen = start;
    for (const step of steps) {
      const [line] = lines([step]);
      yield [`before ${line}`, seen];
      for (let count = 1; count < step.on.length; count++) {
        yield [`first ${count} of ${line}`, after(seen, step, step.on.slice(0, count))];
        yield [`last ${count} of ${line}`, after(seen, step, step.on.slice(-count))];
      }
      for (const inside of during(seen, step)) yield [`inside ${line}: ${JSON.stringify(inside)}`, inside];
      seen = after(seen, step);
    }
    yield ["after the last step", seen];
  }
});

describe("galera plan, whatever is seen", () => {
  const flags = ["new", "uninstalled", "unmounted", "unconfigured", "unsecured", "safe"];
  const word = fc.tuple(
    fc.constantFrom("unreachable", "foreign", "starting", "blank", "ready", "emptied", "whole", "partial", "synced", "donor", "joining", "split"),
    fc.constantFrom("A", "A", "A", "B"), fc.integer({ min: -1, max: 3 }), fc.integer({ min: 1, max: 5 }), fc.subarray(flags),
  ).map(([kind, uuid, seqno, size, extra]) => [`${kind}@${uuid}:${seqno}/${size}`, ...extra].join(","));
  // Most arbitrary mixtures are refused, so half of them are of the few kinds that go together.
  const tame = fc.tuple(fc.constantFrom("blank", "ready", "whole:5", "synced/1"), fc.subarray(flags)).map(([kind, extra]) => [kind, ...extra].join(","));
  const clusters = fc.oneof(fc.array(word, { minLength: 1, maxLength: 5 }), fc.array(tame, { minLength: 1, maxLength: 5 }))
    .map((words) => Object.fromEntries(words.map((text, index) => [`db-${index + 1}`, sight(text, words.length)])));
  const always = (holds: (members: string[], seen: Seen, steps: Step<Do>[]) => void) => fc.assert(fc.property(clusters, (seen) => {
    const members = Object.keys(seen);
    if (!refusal(members, seen)) holds(members, seen, plan(members, seen));
  }), { numRuns: 3000 });
  const doing = (steps: Step<Do>[], what: Do) => steps.filter((step) => step.do === what);
  const kinds = (seen: Seen) => Object.values(seen).map(({ is }) => is);

  it("never bootstraps while a member is up, starting, unreachable or somebody else's, and never two", () => always((_, seen, steps) => {
    const seeds = doing(steps, "bootstrap").flatMap(({ on }) => on);
    ok(seeds.length <= 1);
    if (seeds.length > 0) deepEqual([...new Set(kinds(seen))], ["down"]);
  }));

  it("never bootstraps when data may be lost", () => always((_, seen, steps) => {
    const [seed] = doing(steps, "bootstrap").flatMap(({ on }) => on);
    if (!seed) return;
    const holders = Object.entries(seen).filter(([, each]) => each.is === "down" && each.data.is !== "none");
    ok(holders.length <= 1, "two hold data");
    for (const [name, each] of holders) equal(`${name} ${each.is === "down" && each.data.is}`, `${seed} whole`);
    ok(Object.values(seen).every((each) => !(each.is === "down" && each.hasHadData && each.data.is === "none")), "data vanished");
  }));

  it("acts only on wanted members, joins one at a time and only what is not in, after a seed or a running member", () => always((members, seen, steps) => {
    ok(steps.every(({ on }) => on.length > 0 && on.every((name) => members.includes(name))));
    const joins = doing(steps, "join");
    ok(joins.every(({ on }) => on.length === 1));
    const joining = joins.flatMap(({ on }) => on);
    equal(new Set(joining).size, joining.length);
    if (joining.length > 0) ok(doing(steps, "bootstrap").length === 1 || kinds(seen).includes("up"));
  }));

  it("never lets a member with another history join", () => always((_, seen, steps) => {
    const history = Object.values(seen).flatMap((each) => (each.is === "up" ? [each.uuid] : []))[0];
    for (const name of doing(steps, "join").flatMap(({ on }) => on)) {
      const each = seen[name]!;
      if (history && each.is === "down" && each.data.is === "whole") equal(each.data.uuid, history);
    }
  }));

  it("prepares a member before it starts, and ends by verifying all", () => always((members, _, steps) => {
    const order: Do[] = ["install", "mount", "configure", "bootstrap", "secure", "join", "verify"];
    const places = steps.map((step) => order.indexOf(step.do));
    deepEqual(places, [...places].sort((a, b) => a - b));
    if (steps.length > 0) deepEqual(steps.at(-1), { do: "verify", on: members });
  }));

  it("a refusal names its rule, what was seen, and the way forward", () => fc.assert(fc.property(clusters, (seen) => {
    const refused = refusal(Object.keys(seen), seen);
    if (refused) ok(/^refused: .{20,}\. Seen: db-\d .+\. Way forward: .{20,}\.$/.test(refused.message), refused.message);
  }), { numRuns: 1000 }));
});

/** The refusal of a plan; any other error is a fault of the planner. */
function refusal(members: string[], seen: Seen): Refused | undefined {
  try {
    plan(members, seen);
    return undefined;
  } catch (error) {
    if (error instanceof Refused) return error;
    throw error;
  }
}
