import { deepEqual, ok } from "node:assert/strict";
import fc from "fast-check";
import { kept, recall } from "../../../../provider/datastores/redis/memory";
import { plan, type Do } from "../../../../provider/datastores/redis/plan";
import { shardOf, type Sight } from "../../../../provider/datastores/redis/sight";
import { count, read, slotCount } from "../../../../provider/datastores/redis/slots";
import { Refused } from "../../../../provider/errors";
import { describe as lines, surprises, type Step } from "../../../../provider/plan";
import { under } from "../../cluster";
import { after, blank, during, isCovered, named, outage, running, silence, ups, type Seen } from "./model";

const sizes = fc.record({ shards: fc.integer({ min: 3, max: 6 }), replicas: fc.integer({ min: 0, max: 2 }) });
/** A cluster that is to be made, or one that runs, with any member of each shard as its primary; and what it is to become. */
const cases = fc.record({ from: fc.option(sizes), to: sizes, dealt: fc.array(fc.nat(5), { minLength: 8, maxLength: 8 }), more: fc.record({ restart: fc.boolean(), unconfigured: fc.boolean(), unsecured: fc.boolean() }) }).map(({ from, to, dealt, more }) => {
  const members = named(to.shards, to.replicas);
  const there = from ? running(from.shards, from.replicas, (shard) => dealt[shard]!) : {};
  for (const [, view] of ups(there)) Object.assign(view, { current: !more.restart, configured: !more.unconfigured, secured: !more.unsecured });
  return { members, was: from && named(from.shards, from.replicas), seen: { ...Object.fromEntries(members.map((name) => [name, structuredClone(blank)])), ...there } as Seen };
});

const wanted = (members: string[], seen: Seen) => plan({ members }, seen);
const done = (members: string[], seen: Seen): Seen => wanted(members, seen).filter(({ on }) => on.length > 0).reduce((now, step) => after(now, step, members), seen);

/** Undefined where it refuses. */
function planned(members: string[], seen: Seen) {
  try {
    return wanted(members, seen);
  } catch (error) {
    if (error instanceof Refused) return undefined;
    throw error;
  }
}

function isWell(members: string[], seen: Seen): void {
  ok(isCovered(seen), "a slot has no owner");
  const views = ups(seen).filter(([name]) => members.includes(name));
  deepEqual(views.map(([name]) => name).sort(), [...members].sort());
  for (const shard of new Set(members.map(shardOf))) {
    const ofShard = views.filter(([name]) => shardOf(name) === shard);
    const owners = ofShard.filter(([, { slots }]) => slots !== "");
    deepEqual(owners.length, 1, `shard ${shard} has ${owners.length} owners`);
    const share = slotCount / new Set(members.map(shardOf)).size;
    ok(Math.abs(count(read(owners[0]![1].slots)) - share) <= Math.max(1, share * 0.02), `shard ${shard} owns ${owners[0]![1].slots}`);
    for (const [name, view] of ofShard) if (name !== owners[0]![0]) deepEqual([view.role, view.of], ["replica", owners[0]![1].id], name);
  }
  const ids = views.map(([, { id }]) => id).sort();
  for (const [name, view] of views) deepEqual([[...view.knows].sort(), view.open, view.current, view.secured], [ids, [], true, true], name);
}

describe("redis plan", () => {
  const holds = (check: (members: string[], seen: Seen) => void, numRuns = 300) => fc.assert(fc.property(cases, ({ members, seen }) => check(members, seen)), { numRuns });

  it("ends well, and then there is nothing to do", () => holds((members, seen) => {
    const end = done(members, seen);
    isWell(members, end);
    deepEqual(lines(wanted(members, end)), []);
  }));

  it("cut anywhere, planned again from what is then seen, ends as well", () => holds((members, seen) => {
    let now = seen;
    for (const step of wanted(members, seen)) {
      for (const middle of during(now, step, members)) isWell(members, done(members, middle));
      now = after(now, step, members);
    }
  }, 150));

  it("cut by a power cut of any of them, or by who takes its authority along, ends as well, in as many plans as a run may make", () => fc.assert(fc.property(
    cases, fc.nat(), fc.array(fc.boolean(), { minLength: 30, maxLength: 30 }), fc.boolean(), ({ members, seen }, at, hit, estranged) => {
      const steps = wanted(members, seen);
      fc.pre(steps.length > 0);
      const before = steps.slice(0, at % steps.length).reduce((now, step) => after(now, step, members), seen);
      const names = Object.keys(before).filter((name, index) => hit[index] && (!estranged || !(before[name] as { hasHadData: boolean }).hasHadData));
      let now = outage(before, names, estranged);
      for (let round = 0; round < 3; round++) now = done(members, now);
      isWell(members, now);
      deepEqual(lines(wanted(members, now)), []);
    }), { numRuns: 500 }));

  it("takes back settings that silenced any of them, from wherever it is cut, in as many plans as a run may make", () => fc.assert(fc.property(
    fc.record({ shards: fc.integer({ min: 3, max: 5 }), replicas: fc.integer({ min: 0, max: 2 }) }), fc.nat(), fc.nat(20), fc.nat(1), ({ shards, replicas }, mute, at, which) => {
      const members = named(shards, replicas);
      const seen = silence(running(shards, replicas), members.filter((_, index) => mute & (1 << index)));
      const steps = wanted(members, seen).filter(({ on }) => on.length > 0);
      const cut = steps.slice(0, at % (steps.length + 1)).reduce((now, step) => after(now, step, members), seen);
      const next = steps[at % (steps.length + 1)];
      const inside = next && which === 1 && next.on.length > 1 ? after(cut, next, members, next.on.slice(0, 1)) : cut;
      let now = inside;
      for (let round = 1; round <= 3; round++) now = done(members, now);
      isWell(members, now);
      deepEqual(lines(wanted(members, now)), []);
      for (const [, view] of ups(now)) ok(view.configured);
    }), { numRuns: 500 }));

  it("gives servers another flavor or image, each once, of one member at a time where it runs, and of who is no primary that another follows", () => fc.assert(fc.property(cases, fc.nat(), fc.nat(), fc.nat(), ({ members, seen }, resize, rebuild, at) => {
    const given = (which: number, what: string) => Object.fromEntries(members.filter((_, index) => which & (1 << (index % 30))).map((name) => [name, what]));
    const due = { resize: given(resize, "large"), rebuild: given(rebuild, "debian-13") };
    const left = structuredClone(due);
    const done = { resize: [] as string[], rebuild: [] as string[] };
    let now = seen;
    const go = (steps: Step<Do>[]) => steps.filter(({ on }) => on.length > 0).forEach((step) => {
      if (step.do === "resize" || step.do === "rebuild") {
        const runs = step.on.filter((name) => now[name]!.is === "up");
        ok(step.what === "idle" ? runs.length === 0 : step.on.length === 1);
        for (const name of runs) ok(ups(now).every(([other, view]) => other === name || view.of !== (now[name] as { id: string }).id), `${name} has replicas`);
        for (const name of step.on) delete left[step.do][name];
        done[step.do].push(...step.on);
      }
      now = after(now, step, members);
    });
    const first = plan({ members, due: left }, now);
    go(first.slice(0, at % (first.length + 1)));
    for (let round = 0; round < 2; round++) go(plan({ members, due: left }, now));
    isWell(members, now);
    deepEqual([left, done.resize.sort(), done.rebuild.sort(), lines(plan({ members, due: left }, now))], [{ resize: {}, rebuild: {} }, Object.keys(due.resize).sort(), Object.keys(due.rebuild).sort(), []]);
  }), { numRuns: 300 }));

  it("does nothing grave after a power cut that the preview did not announce which could not see who lost power", () => {
    let compared = 0;
    const numRuns = 500;
    fc.assert(fc.property(cases, fc.nat(), fc.array(fc.boolean(), { minLength: 30, maxLength: 30 }), ({ members, seen }, at, hit) => {
      const steps = wanted(members, seen);
      fc.pre(steps.length > 0);
      const before = steps.slice(0, at % steps.length).reduce((now, step) => after(now, step, members), seen);
      const names = Object.keys(before);
      const away = names.filter((_, index) => hit[index]);
      // Of who is not reached what was seen of it before is kept; there may be none.
      const last = (name: string): Sight => (before[name]!.is === "up" && seen[name]!.is === "up" ? seen[name]! : { is: "unreachable", why: "timed out" });
      const remembered = recall(names, kept({ ...before, ...Object.fromEntries(away.map((name) => [name, last(name)])) }));
      const forecast = planned(members, remembered);
      const now = planned(members, outage(before, away));
      if (!forecast || !now) return;
      compared++;
      deepEqual(surprises(now, lines(forecast)), [], `${lines(forecast).join("; ")} | ${lines(now).join("; ")}`);
    }), { numRuns });
    ok(compared > numRuns * 0.6, `of ${numRuns} cases only ${compared} were planned`);
  });

  it("does nothing grave that the preview did not announce which remembers some as down, whoever of them is back by now, or reads its data", () => {
    let compared = 0;
    const numRuns = 500;
    fc.assert(fc.property(cases, fc.nat(), fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 37, maxLength: 37 }), ({ members, seen }, at, hit) => {
      const steps = wanted(members, seen);
      fc.pre(steps.length > 0);
      const before = steps.slice(0, at % steps.length).reduce((now, step) => after(now, step, members), seen);
      const names = Object.keys(before);
      const down = (least: number) => outage(before, names.filter((_, index) => hit[index]! >= least));
      const forecast = planned(members, recall(names, kept(down(2))));
      // Who is back has started with the file that it has.
      const there = down(3);
      for (const [name, view] of ups(there)) view.current ||= hit[names.indexOf(name)] === 2;
      names.forEach((name, index) => {
        const sight = there[name]!;
        if (sight.is === "down" && sight.data && hit[index + 1] === 0) there[name] = { ...(sight as object), is: "starting" } as Sight;
      });
      const now = planned(members, there);
      if (!forecast || !now) return;
      compared++;
      deepEqual(surprises(now, lines(forecast)), [], `${lines(forecast).join("; ")} | ${lines(now).join("; ")}`);
    }), { numRuns });
    ok(compared > numRuns * 0.6, `of ${numRuns} cases only ${compared} were planned`);
  });

  it("cut twice ends as well", () => fc.assert(fc.property(cases, fc.nat(), fc.nat(), ({ members, seen }, first, second) => {
    let now = seen;
    for (const at of [first, second]) {
      const steps = wanted(members, now);
      if (steps.length === 0) return;
      const done = steps.slice(0, at % steps.length);
      now = done.reduce((state, step) => after(state, step, members), now);
      const middles = during(now, steps[done.length]!, members);
      now = middles[at % Math.max(1, middles.length)] ?? now;
    }
    isWell(members, done(members, now));
  }), { numRuns: 300 }));

  it("cut and taken back ends as it was", () => fc.assert(fc.property(cases, fc.nat(), fc.nat(), ({ members, was, seen }, at, which) => {
    fc.pre(was !== null);
    const steps = wanted(members, seen);
    fc.pre(steps.length > 0);
    const before = steps.slice(0, at % steps.length);
    const now = before.reduce((state, step) => after(state, step, members), seen);
    const middles = [now, ...during(now, steps[before.length]!, members)];
    isWell(was, done(was, middles[which % middles.length]!));
  }), { numRuns: 500 }));

  it("on its way never leaves a slot without its owner, and never has fewer than three owners", () => holds((members, seen) => {
    let now = seen;
    for (const step of wanted(members, seen)) {
      const before = isCovered(now);
      now = after(now, step, members);
      if (before) ok(isCovered(now), `${lines([step])[0]}`);
      if (before) ok(ups(now).filter(([, { slots }]) => slots !== "").length >= 3);
    }
  }));

  it("lets nobody leave who owns slots, or is followed by who stays", () => holds((members, seen) => {
    let now = seen;
    for (const step of wanted(members, seen)) {
      if (step.do === "leave") for (const name of step.on) {
        const self = ups(now).find(([each]) => each === name)![1];
        deepEqual(self.slots, "", name);
        ok(!ups(now).some(([other, view]) => members.includes(other) && view.of === self.id), `${name} is followed`);
      }
      now = after(now, step, members);
    }
  }));

  it("acts on one member at a time where a second failure would cost a shard", () => holds((members, seen) => {
    const alone: Do[] = ["promote", "move", "leave", "restart"];
    for (const step of wanted(members, seen)) {
      if (alone.includes(step.do)) deepEqual(step.on.length, 1, lines([step])[0]);
      if (step.do === "join") deepEqual(new Set(step.on.map(shardOf)).size, step.on.length, "two of a shard");
    }
  }));

  it("restarts a primary only once another of its shard has taken over, and no member that needs none", () => holds((members, seen) => {
    let now = seen;
    for (const step of wanted(members, seen)) {
      if (step.do === "restart") for (const name of step.on) {
        const self = ups(now).find(([each]) => each === name)![1];
        ok(!self.current);
        const shard = ups(now).filter(([other]) => shardOf(other) === shardOf(name));
        ok(self.slots === "" || shard.length === 1, `${name} is primary`);
      }
      now = after(now, step, members);
    }
  }));
});

describe("redis plan, of a cluster that is to be stopped", () => {
  const stop = (members: string[], seen: Seen) => plan({ members, state: "stopped" }, seen);
  const isHeld = (each: Sight) => each.is === "down" && each.held !== undefined;
  const whole = fc.record({ shards: fc.integer({ min: 3, max: 6 }), replicas: fc.integer({ min: 0, max: 2 }), dealt: fc.array(fc.nat(5), { minLength: 8, maxLength: 8 }) })
    .map(({ shards, replicas, dealt }) => ({ members: named(shards, replicas), seen: running(shards, replicas, (shard) => dealt[shard]!) }));
  const middles = (steps: Step<Do>[], members: string[], seen: Seen): Seen[] => steps.flatMap((step, index) => {
    const before = steps.slice(0, index).reduce((now, each) => after(now, each, members), seen);
    return [before, ...during(before, step, members), after(before, step, members)];
  });
  const all = (steps: Step<Do>[], members: string[], seen: Seen) => steps.filter(({ on }) => on.length > 0).reduce((now, step) => after(now, step, members), seen);
  const pick = (from: Seen[], at: number, otherwise: Seen) => from[at % Math.max(1, from.length)] ?? otherwise;

  it("stops no primary that somebody follows, starts no replica before all that were primaries serve, and ends as it was", () => fc.assert(fc.property(whole, ({ members, seen }) => {
    let now = seen;
    for (const step of stop(members, seen)) {
      for (const name of step.on) ok(!ups(now).some(([, { of }]) => of === (now[name] as { id: string }).id), `${name} is followed`);
      now = after(now, step, members);
    }
    ok(members.every((name) => isHeld(now[name]!)));
    deepEqual(stop(members, now), []);
    for (const step of wanted(members, now)) {
      if (step.do === "start" && step.on.some((name) => (now[name] as { held?: string }).held === "replica")) ok(isCovered(now));
      now = after(now, step, members);
    }
    deepEqual(now, seen);
  }), { numRuns: 70 }));

  it("cut anywhere, and cut again, is gone on from, or taken back; so is the start after it", () => fc.assert(fc.property(whole, fc.nat(), fc.nat(), ({ members, seen }, first, second) => {
    const cut = pick(middles(stop(members, seen), members, seen), first, seen);
    const again = pick(middles(stop(members, cut), members, cut), second, cut);
    for (const halfway of [cut, again]) isWell(members, done(members, done(members, halfway)));
    const stopped = all(stop(members, again), members, again);
    ok(members.every((name) => isHeld(stopped[name]!)));
    const started = pick(middles(wanted(members, stopped), members, stopped), second, stopped);
    const end = done(members, done(members, started));
    isWell(members, end);
    deepEqual(lines(wanted(members, end)), []);
    ok(members.every((name) => !("held" in end[name]!)));
    const back = all(stop(members, started), members, started);
    ok(members.every((name) => isHeld(back[name]!)));
  }), { numRuns: 70 }));
});

describe("redis plan, while the major version is to be another", () => {
  const [was, wanted] = ["7.0", "8.0"];
  const cases = fc.record({ shards: fc.constant(3), replicas: fc.integer({ min: 0, max: 2 }), heads: fc.array(fc.nat(2), { minLength: 4, maxLength: 4 }), done: fc.nat(), away: fc.nat() }).map(({ shards, replicas, heads, done, away }) => {
    const members = named(shards, replicas);
    let seen = running(shards, replicas, (shard) => heads[shard]!);
    const has = (which: number, index: number) => (which & (1 << index)) !== 0;
    for (const [name, view] of ups(seen)) Object.assign(view, has(done, members.indexOf(name)) ? { version: wanted, writtenBy: wanted } : { version: was, writtenBy: was });
    // On its new disk, without packages yet.
    const rebuilt = members.filter((name, index) => has(away, index) && !has(done, index) && (seen[name] as { role: string }).role === "replica");
    seen = outage(seen, rebuilt);
    for (const name of rebuilt) Object.assign(seen[name]!, { version: undefined, installed: false, mounted: false, configured: false });
    return { members, seen, rebuild: Object.fromEntries(members.filter((name, index) => !has(done, index) && !rebuilt.includes(name)).map((name) => [name, "debian-13"])) };
  });
  /** Who follows a primary of a later version than its own. */
  const fed = (seen: Seen): string[] => ups(seen).filter(([, self]) => ups(seen).some(([, other]) => other.id === self.of && other.version === wanted && self.version === was)).map(([name]) => name);

  it("cut after any step and planned again, all get it once, and nobody is given anything by a primary of a later version but in the moment before its own server is made anew", () => fc.assert(fc.property(cases, fc.nat(), fc.nat(), ({ members, seen, rebuild }, ...cuts) => {
    const left = { ...rebuild };
    let now = seen;
    const plans = () => plan({ members, due: { resize: {}, rebuild: left }, version: wanted }, under(wanted, now));
    const go = (all: Step<Do>[], until = all.length) => all.slice(0, until).forEach((step, index) => {
      if (step.on.length === 0) return;
      const before = fed(now);
      if (step.do === "install") for (const name of step.on) ok([undefined, wanted].includes((now[name] as { version?: string }).version), `${name} has ${was} on its disk`);
      if (step.do === "rebuild") {
        if (step.what !== "idle") {
          const [name = ""] = step.on;
          ok(step.on.length === 1 && ups(now).every(([other, view]) => other === name || view.of !== (now[name] as { id: string }).id), `${name} has replicas`);
        }
        for (const name of step.on) {
          ok(name in left, `${name} is rebuilt again`);
          delete left[name];
        }
      }
      now = after(now, step, members);
      for (const name of fed(now).filter((each) => !before.includes(each))) {
        deepEqual([step.do, all[index + 1]?.do, all[index + 1]?.on], ["promote", "rebuild", [name]], `${name} follows a later version`);
      }
      for (const name of step.on) if (step.do === "promote") ok((now[name] as { version?: string }).version === wanted, `${name} takes over, and is of ${was}`);
    });
    for (const cut of cuts) {
      const steps = plans();
      go(steps, cut % (steps.length + 1));
    }
    for (let round = 0; round < 3; round++) go(plans());
    isWell(members, now);
    deepEqual([left, lines(plans())], [{}, []]);
    for (const [name, view] of ups(now)) deepEqual([view.version, view.writtenBy], [wanted, wanted], name);
  }), { numRuns: 150 }));
});
