import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { plan, type Do } from "../../../../provider/datastores/galera/plan";
import { isKnown, tellsPosition } from "../../../../provider/datastores/galera/sight";
import { Refused } from "../../../../provider/errors";
import { describe as lines, type Step } from "../../../../provider/plan";
import type { Wanted } from "../../../../provider/topology";
import { under } from "../../cluster";
import { after, during, sight, type Seen } from "./model";

type Case = Wanted & { seen: Seen };
type Sight = Seen[string];

const flags = fc.subarray(["new", "uninstalled", "unmounted", "unconfigured", "unsecured", "safe", "left", "old"]);
/** Anything at all. */
const any = fc.tuple(
  fc.constantFrom("unreachable", "foreign", "starting", "silent", "blank", "ready", "emptied", "whole", "torn", "partial", "synced", "donor", "joining", "split"),
  fc.constantFrom("A", "A", "A", "B"), fc.integer({ min: -1, max: 3 }), fc.integer({ min: 1, max: 5 }), flags,
).map(([kind, uuid, seqno, size, more]) => [`${kind}@${uuid}:${seqno}/${size}`, ...more].join(","));
/** All down; mostly of one history, so that not all is refused. */
const outage = fc.tuple(
  fc.constantFrom("whole", "whole", "whole", "torn", "partial", "ready", "blank", "emptied,new"), fc.constantFrom("A", "A", "A", "A", "A", "B"),
  fc.constantFrom(-1, 0, 1, 2, 3, 3, 3), fc.oneof(fc.constant([]), fc.constant([]), fc.constant(["safe"]), flags),
).map(([kind, uuid, seqno, more]) => [kind.replace(/^(whole|torn|partial)/, `$1@${uuid}:${seqno}`), ...more].join(","));
/** What may be beside a cluster that runs, and is in nobody's way; who cannot be seen, once forgotten. */
const beside = fc.constantFrom("unreachable", "starting", "joining", "split", "blank", "ready", "ready,unmounted", "whole:2", "whole:2,left", "whole@B:2,left", "torn:2", "torn:-1", "partial:-1", "partial:-1,left", "partial:-1,new");
const inside = fc.tuple(fc.constantFrom("synced", "synced", "donor"), fc.subarray(["new", "unconfigured", "unsecured", "uninstalled", "old", "writer"])).map(([kind, more]) => [kind, ...more].join(","));

const members = (words: fc.Arbitrary<string>) => fc.array(words, { minLength: 1, maxLength: 5 });
/** One cluster whose members agree on its size, and others beside it. */
const well = fc.tuple(inside, fc.array(fc.oneof(inside, beside), { maxLength: 4 }), fc.nat()).map(([first, rest, at]) => {
  const words = [...rest.slice(0, at % 5), first, ...rest.slice(at % 5)];
  const size = words.filter((word) => /^(synced|donor|joining)/.test(word)).length;
  return words.map((word) => word.replace(/^(\w+)/, /^(synced|donor|joining)/.test(word) ? `$1/${size}` : "$1"));
});

/** Members in `words`, of whom any are wanted, in any order, any are to be forgotten, and one's server may be about to be made again. */
const cases = (words: fc.Arbitrary<string[]>): fc.Arbitrary<Case> => words.chain((texts) => {
  const seen = Object.fromEntries(texts.map((text, index) => [`db-${index + 1}`, sight(text, texts.length)]));
  const names = Object.keys(seen);
  const mostlyNone = (arbitrary: fc.Arbitrary<string[]>) => fc.oneof({ weight: 3, arbitrary: fc.constant<string[]>([]) }, { weight: 1, arbitrary });
  return fc.shuffledSubarray(names, { minLength: 1 }).chain((members) => fc.record({
    members: fc.constant(members),
    forget: mostlyNone(fc.subarray(names)),
    replace: mostlyNone(fc.constantFrom(...members).map((name) => [name])),
    seen: fc.constant(seen),
  }));
});
const all = fc.oneof(cases(members(any)), cases(members(outage)), cases(well));

const runs = (each: Sight) => each.is === "up" && each.primary && ["Synced", "Donor/Desynced"].includes(each.state);
const running = (seen: Seen) => Object.keys(seen).filter((name) => runs(seen[name]!));

/** The refusal of a plan; any other error is a fault of the planner. */
function refusal({ seen, ...wanted }: Case): Refused | undefined {
  try {
    plan(wanted, seen);
    return undefined;
  } catch (error) {
    if (error instanceof Refused) return error;
    throw error;
  }
}

describe("galera plan, whatever is seen", () => {
  const always = (holds: (it: Case, steps: Step<Do>[]) => void) => fc.assert(fc.property(all, (it) => {
    if (!isLost(it.seen) && !refusal(it)) holds(it, plan(it, it.seen));
  }), { numRuns: 5000 });
  const on = (steps: Step<Do>[], ...what: Do[]) => steps.filter((step) => what.includes(step.do)).flatMap((step) => step.on);
  /** Nothing is known to run, and somebody may soon, or does; or one that answers nobody is given room first. */
  const isLost = (seen: Seen) => Object.values(seen).some((each) => each.is === "silent" && each.configured)
    || (running(seen).length === 0 && Object.values(seen).some(({ is }) => is === "up" || is === "starting" || is === "silent"));
  const holders = (seen: Seen) => Object.entries(seen).flatMap(([name, each]) => (each.is === "down" && each.data.is !== "none" ? [{ name, ...each, ...each.data }] : []));
  /** Prepares servers, and says that a start follows on somebody who is seen only then. */
  const prepares = (steps: Step<Do>[]) => steps.at(-1)?.on.length === 0;
  const isGone = (each: Sight) => each.is === "foreign" || (each.is === "down" && (each.data.is === "none" || each.left));

  describe("a start", () => {
    const starts = (holds: (seed: string, it: Case, steps: Step<Do>[]) => void) => always((it, steps) => on(steps, "bootstrap", "recover").forEach((seed) => holds(seed, it, steps)));

    it("is one at most", () => always((_, steps) => ok(on(steps, "bootstrap", "recover").length <= 1)));

    it("is none while a member is up, starting or unseen, though it is to be forgotten, or a wanted one's volume is somebody else's", () => starts((_, { members, seen }) => {
      for (const [name, { is }] of Object.entries(seen)) ok(is === "down" || (is === "foreign" && !members.includes(name)), `${name} is ${is}`);
    }));

    it("without data is of the first wanted, and only where nobody has or had data", () => starts((seed, { members, seen }, steps) => {
      if (holders(seen).length > 0) return;
      deepEqual([on(steps, "bootstrap"), seed], [[members[0]], members[0]]);
      ok(Object.values(seen).every((each) => !(each.is === "down" && each.hasHadData)));
    }));

    it("with data is of the newest, which is whole, did not leave, and has the only history", () => starts((seed, { seen }) => {
      const whole = holders(seen).filter((each) => each.is !== "partial" && !each.left);
      const from = whole.find(({ name }) => name === seed);
      if (holders(seen).length === 0) return;
      ok(from);
      deepEqual(new Set(whole.map(({ uuid }) => uuid).filter(isKnown)).size, 1);
      for (const each of holders(seen)) ok(each.seqno <= from.seqno || (each.is !== "partial" && each.uuid !== from.uuid), `${each.name} is newer`);
      const verified = whole.filter(({ hasHadData }) => hasHadData);
      if (holders(seen).length > 1) ok((verified.length > 0 ? verified : whole).every(({ seqno }) => seqno >= 0), "a position is unknown");
      ok(isKnown(from.uuid), "its history is unknown");
      const flagged = whole.filter(({ safeToBootstrap }) => safeToBootstrap);
      ok(flagged.length <= 1);
      if (from.is === "torn") ok(whole.every((each) => each.is === "torn" || each.seqno < from.seqno), "whole data are as new");
      if (flagged[0]?.seqno === from.seqno && flagged[0].is === from.is) equal(from.name, flagged[0].name);
    }));

    it("is a recovery once any data were in use, and else a bootstrap, which is secured", () => starts((seed, { seen }, steps) => {
      const used = holders(seen).some(({ hasHadData }) => hasHadData);
      deepEqual([on(steps, "recover"), on(steps, "bootstrap"), on(steps, "secure")], used ? [[seed], [], []] : [[], [seed], [seed]]);
    }));
  });

  it("acts only on members that were seen and can be: joins the wanted, prepares them and where the cluster may start, and only others leave", () => always(({ members, seen }, steps) => {
    ok((prepares(steps) ? steps.slice(0, -1) : steps).every((step) => step.on.length > 0 && step.on.every((name) => seen[name] && seen[name].is !== "unreachable" && seen[name].is !== "foreign")));
    for (const name of on(steps, "clean", "join", "restart", "verify")) ok(members.includes(name), `${name} is not wanted`);
    const seed = prepares(steps) ? holders(seen).map(({ name }) => name) : on(steps, "bootstrap", "recover");
    for (const name of on(steps, "install", "mount", "configure")) ok(members.includes(name) || seed.includes(name), `${name} is not wanted, nor where the cluster may start`);
    for (const name of on(steps, "leave")) ok(!members.includes(name), `${name} is wanted`);
  }));

  it("when nothing runs stops whoever is up or starting, and starts nobody before it looked again; one in a primary component is waited for", () => fc.assert(fc.property(all, (it) => {
    if (!isLost(it.seen) || Object.values(it.seen).some(({ is }) => is === "silent")) return;
    const alive = Object.keys(it.seen).filter((name) => ["up", "starting"].includes(it.seen[name]!.is));
    const inPrimary = Object.values(it.seen).some((each) => each.is === "up" && each.primary);
    if (refusal(it)) return;
    ok(!inPrimary);
    const [stop, start, ...rest] = plan(it, it.seen);
    deepEqual([stop!.do, [...stop!.on].sort(), start!.on, rest], ["stop", alive, [], []]);
    ok(["bootstrap", "recover"].includes(start!.do));
  }), { numRuns: 5000 }));

  it("keeps the order of its steps, joins as wanted, the highest name leaves first, and ends by verifying all wanted", () => always(({ members }, steps) => {
    const order = ["stop", "install", "mount", "configure", "start", "secure", "clean", "join", "restart", "leave", "verify"];
    const places = steps.map((step) => order.indexOf(step.do.replace(/^(bootstrap|recover)$/, "start")));
    deepEqual(places, [...places].sort((a, b) => a - b));
    deepEqual(on(steps, "join"), members.filter((name) => on(steps, "join").includes(name)));
    deepEqual(on(steps, "leave"), on(steps, "leave").sort().reverse());
    if (steps.length > 0 && !prepares(steps)) deepEqual(steps.at(-1), { do: "verify", on: members });
  }));

  it("restarts those of the cluster that wait for it, each once and those last whose clients write more", () => always(({ members, seen }, steps) => {
    const written = (name: string) => { const each = seen[name]!; return (each.is === "up" && each.written) || 0; };
    const old = members.filter((name) => { const each = seen[name]!; return each.is === "up" && each.primary && !each.current; });
    const silent = members.filter((name) => seen[name]!.is === "silent");
    deepEqual(on(steps, "restart").slice(0, silent.length), silent);
    deepEqual(on(steps, "restart").sort(), [...silent, ...old].sort());
    const then = on(steps, "restart").slice(silent.length).map(written);
    deepEqual(then, [...then].sort((a, b) => a - b));
  }));

  it("of silent members restarts only those whose options are to be others, and bootstraps nobody beside one", () => fc.assert(fc.property(all, (it) => {
    const sights = Object.entries(it.seen);
    const silent = sights.filter(([, { is }]) => is === "silent");
    if (silent.length === 0 || refusal(it)) return;
    const steps = plan(it, it.seen);
    for (const [name, each] of silent) ok(it.members.includes(name) && "configured" in each && !(each.configured && each.mounted) && on(steps, "restart").includes(name) === !each.configured, name);
    deepEqual(on(steps, "bootstrap", "recover", "stop").filter((name) => it.seen[name]!.is === "silent"), []);
    deepEqual(on(steps, "bootstrap", "recover"), []);
  }), { numRuns: 5000 }));

  it("starts, joins, restarts and lets leave one member at a time", () => always((_, steps) => {
    ok((prepares(steps) ? steps.slice(0, -1) : steps).every((step) => !["bootstrap", "recover", "join", "restart", "leave"].includes(step.do) || step.on.length === 1));
    equal(new Set(on(steps, "bootstrap", "recover", "join")).size, on(steps, "bootstrap", "recover", "join").length);
    equal(new Set(on(steps, "leave")).size, on(steps, "leave").length);
  }));

  it("joins the wanted that do not run, when some member does or is started", () => always(({ members, seen }, steps) => {
    const seed = on(steps, "bootstrap", "recover");
    if (running(seen).length + seed.length === 0) deepEqual(on(steps, "join", "leave", "clean", "secure", "verify"), []);
    else deepEqual(on(steps, "join"), members.filter((name) => !running(seen).includes(name) && !seed.includes(name) && seen[name]!.is !== "silent"));
  }));

  it("moves aside only what a member took along that left, and lets no other history join", () => always(({ seen }, steps) => {
    const [from = ""] = [...running(seen), ...on(steps, "bootstrap", "recover")];
    const history = holders(seen).find(({ name }) => name === from)?.uuid ?? (seen[from] as { uuid?: string } | undefined)?.uuid;
    const joining = holders(seen).filter(({ name, is }) => on(steps, "join").includes(name) && is !== "partial").filter(({ uuid }) => isKnown(uuid));
    deepEqual(on(steps, "clean").sort(), joining.filter(({ uuid, left }) => left && uuid !== history).map(({ name }) => name));
    for (const each of joining) ok(each.left || each.uuid === history, `${each.name} has another history`);
  }));

  it("lets nobody join who holds later writes than those that run", () => always(({ seen }, steps) => {
    const last = Math.max(...running(seen).map((name) => (seen[name] as { committed?: number }).committed ?? Infinity));
    const history = new Set(running(seen).map((name) => (seen[name] as { uuid: string }).uuid));
    if (running(seen).length === 0) return;
    for (const { name, uuid, is, seqno } of holders(seen)) if (on(steps, "join").includes(name) && is !== "partial" && history.has(uuid)) ok(seqno <= last, `${name} is newer`);
    for (const name of on(steps, "stop")) ok(((seen[name] as { committed?: number }).committed ?? -1) <= last, `${name} is newer`);
  }));

  describe("done step by step", () => {
    const walk = (holds: (before: Seen, step: Step<Do>, now: Seen, it: Case) => void) => always((it, steps) => {
      steps.reduce((before, step) => {
        const now = after(before, step);
        holds(before, step, now, it);
        return now;
      }, it.seen);
    });

    it("takes one member at most away, and leaves a majority of all who count: those in the cluster, and the wanted, but not one who leaves by its word", () => walk((before, step, now, { members }) => {
      const gone = running(before).filter((name) => !running(now).includes(name));
      if (gone.length === 0) return;
      const count = Object.entries(before).filter(([name, each]) => members.includes(name) || (each.is === "up" && each.primary)).length - (step.do === "leave" ? 1 : 0);
      ok(gone.length === 1 && running(now).length * 2 > count, `${lines([step]).join()} leaves ${running(now).length} of ${count}`);
    }));

    it("prepares a member before it starts", () => walk((before, { do: what, on }) => {
      if (!["bootstrap", "recover", "join"].includes(what)) return;
      for (const name of on) {
        const each = before[name]!;
        ok("installed" in each && each.installed && each.mounted && each.configured, `${name} is not prepared`);
      }
    }));

    it("lets nobody leave, restarts and joins nobody, but of a cluster that is secured; all wanted run before the first leaves or restarts", () => walk((before, step, _, { members }) => {
      if (!["join", "restart", "leave"].includes(step.do)) return;
      ok(running(before).length > 0);
      ok(Object.values(before).every((each) => each.is !== "up" || each.secured));
      if (step.do !== "join" && before[step.on[0]!]!.is !== "silent") for (const name of members) ok(runs(before[name]!), `${name} does not run`);
    }));

    it("ends with all wanted running, the others gone, and nothing to do, or with members prepared of which more can be seen", () => always((it, steps) => {
      const end = steps.reduce((seen, step) => after(seen, step), it.seen);
      if (prepares(steps)) return;
      for (const [name, each] of Object.entries(end))
        ok(it.members.includes(name) ? runs(each) : isGone(each) || (each.is === "unreachable" && it.forget?.includes(name)), `${name} is ${each.is}`);
      deepEqual(plan(it, end), []);
    }));
  });

  it("only prepares members when nothing runs and the position of one that is not prepared is unknown", () => always((it, steps) => {
    if (!prepares(steps)) return;
    equal(running(it.seen).length, 0);
    ok(steps.slice(0, -1).every((step) => ["install", "mount", "configure"].includes(step.do)) && ["bootstrap", "recover"].includes(steps.at(-1)!.do), lines(steps).join("; "));
    const telling = holders(it.seen).filter((each) => tellsPosition(each) && !each.left);
    ok((holders(it.seen).length > 1 || telling[0]?.is === "torn") && telling.some(({ seqno, installed, mounted, configured }) => seqno < 0 && !(installed && mounted && configured)), lines(steps).join("; "));
  }));

  /** A server may be taken away, or none is to be: not of two, and only while all other wanted members run. */
  const mayReplace = ({ members, replace = [], seen }: Case) =>
    replace.length === 0 || (members.length !== 2 && members.every((name) => replace.includes(name) || runs(seen[name]!)));

  it("takes a server away only of more or fewer than two, and while all other wanted members run", () => fc.assert(fc.property(all, (it) => {
    if (!mayReplace(it)) ok(refusal(it));
  }), { numRuns: 5000 }));

  it("a cluster that runs is refused only when a member cannot be seen and is not forgotten, or a server may not be taken away, whoever else is beside it", () => fc.assert(fc.property(cases(well), (it) => {
    const unseen = Object.keys(it.seen).filter((name) => it.seen[name]!.is === "unreachable");
    equal(refusal(it) !== undefined, unseen.some((name) => it.members.includes(name) || !it.forget?.includes(name)) || !mayReplace(it), refusal(it)?.message);
  }), { numRuns: 5000 }));

  it("a refusal names its rule, what was seen, and the way forward", () => fc.assert(fc.property(all, (it) => {
    const refused = refusal(it);
    if (refused) ok(/^refused: .{20,}\. Seen: db-\d .+\. Way forward: .{20,}\.$/.test(refused.message), refused.message);
  }), { numRuns: 2000 }));
});

describe("galera plan, while servers are to have another flavor or image", () => {
  /** The members, how each is seen, and what each is due: nothing, a flavor, an image, or both. */
  const cases = fc.record({ words: fc.array(fc.constantFrom("synced", "synced,old", "synced,unconfigured", "whole:2"), { minLength: 3, maxLength: 5 }), which: fc.array(fc.nat(3), { minLength: 5, maxLength: 5 }) })
    .filter(({ words }) => words.filter((word) => word.startsWith("synced")).length * 2 > words.length)
    .map(({ words, which }) => {
      const members = words.map((_, index) => `db-${index + 1}`);
      const size = words.filter((word) => word.startsWith("synced")).length;
      const given = (bit: number, what: string) => Object.fromEntries(members.filter((_, index) => which[index]! & bit).map((name) => [name, what]));
      return {
        members, seen: Object.fromEntries(members.map((name, index) => [name, sight(words[index]!.replace("synced", `synced/${size}`), members.length)])) as Seen,
        due: { resize: given(1, "large"), rebuild: given(2, "debian-13") },
      };
    });

  it("cut after any step and planned again, each gets it once, one at a time of those that run, and then there is nothing to do", () => fc.assert(fc.property(cases, fc.nat(), ({ members, seen, due }, at) => {
    const left = structuredClone(due);
    const done = { resize: [] as string[], rebuild: [] as string[] };
    let now = seen;
    const go = (steps: Step<Do>[]) => steps.filter(({ on }) => on.length > 0).forEach((step) => {
      if (step.do === "resize" || step.do === "rebuild") {
        ok(step.what === "idle" || step.on.length === 1);
        for (const name of step.on) {
          equal(now[name]!.is === "down", step.what === "idle", name);
          // One more may fail: all others are in.
          if (step.what !== "idle") ok(members.every((other) => now[other]!.is === "up"), `${name} is taken away while another is`);
          delete left[step.do][name];
        }
        done[step.do].push(...step.on);
      }
      now = after(now, step);
    });
    const first = plan({ members, due: left }, now);
    go(first.slice(0, at % (first.length + 1)));
    for (let round = 0; round < 2; round++) go(plan({ members, due: left }, now));
    deepEqual(left, { resize: {}, rebuild: {} });
    deepEqual([done.resize.sort(), done.rebuild.sort()], [Object.keys(due.resize).sort(), Object.keys(due.rebuild).sort()]);
    deepEqual(lines(plan({ members, due: left }, now)), []);
    for (const name of members) equal(now[name]!.is, "up");
  }), { numRuns: 500 }));
});

describe("galera plan, of a cluster that is to be stopped", () => {
  const stops = (it: Case): Step<Do>[] | undefined => {
    try {
      return plan({ members: it.members, state: "stopped" }, it.seen);
    } catch (error) {
      if (error instanceof Refused) return undefined;
      throw error;
    }
  };
  const isHeld = (each: Sight) => each.is === "down" && each.held === true;
  const whole = fc.integer({ min: 1, max: 5 }).map((count) => {
    const members = Array.from({ length: count }, (_, index) => `db-${index + 1}`);
    return { members, seen: Object.fromEntries(members.map((name) => [name, sight("synced", count)])) as Seen };
  });
  /** All that may be seen of it once it is cut in one of its steps. */
  const middles = (steps: Step<Do>[], seen: Seen): Seen[] => steps.flatMap((step, index) => {
    const before = steps.slice(0, index).reduce((now, each) => after(now, each), seen);
    return [before, ...during(before, step), after(before, step)];
  });
  const end = (want: Wanted, seen: Seen) => plan(want, seen).reduce((now, step) => after(now, step), seen);

  it("whatever is seen, holds and does nothing else, one at a time of those that run; then all are held, and nothing is to do", () => fc.assert(fc.property(all, (it) => {
    const steps = stops(it);
    if (!steps) return;
    ok(steps.every((step) => step.do === "hold"));
    const held = steps.reduce((now, step) => {
      ok(step.on.filter((name) => runs(now[name]!)).length <= (step.on.length === 1 ? 1 : 0), lines([step]).join());
      return after(now, step);
    }, it.seen);
    ok(Object.values(held).every(isHeld));
    deepEqual(plan({ members: it.members, state: "stopped" }, held), []);
  }), { numRuns: 2000 }));

  it("begins of a cluster that runs only while all are in it, and nobody else", () => fc.assert(fc.property(fc.oneof(cases(well), cases(members(any))), (it) => {
    const isWhole = Object.keys(it.seen).length === it.members.length && it.members.every((name) => runs(it.seen[name]!) && (it.seen[name] as { size: number }).size === it.members.length);
    if (running(it.seen).length > 0) equal(stops(it) !== undefined, isWhole);
  }), { numRuns: 2000 }));

  it("cut anywhere, and cut again, is gone on from, or taken back; and the start after it is from who was last, and cut anywhere ends whole or stopped again", () => fc.assert(fc.property(whole, fc.nat(), fc.nat(), ({ members, seen }, first, second) => {
    const pick = (from: Seen[], at: number, otherwise: Seen) => from[at % Math.max(1, from.length)] ?? otherwise;
    const [stopping, starting] = [{ members, state: "stopped" as const }, { members }];
    const cut = pick(middles(plan(stopping, seen), seen), first, seen);
    const again = pick(middles(plan(stopping, cut), cut), second, cut);
    for (const halfway of [cut, again]) {
      ok(members.every((name) => runs(end(starting, halfway)[name]!)));
      deepEqual(plan(starting, end(starting, halfway)), []);
    }
    const stopped = end(stopping, again);
    ok(members.every((name) => isHeld(stopped[name]!)));
    const start = plan(starting, stopped);
    deepEqual(lines(start)[0], `recover ${members.at(-1)}`);
    const started = pick(middles(start, stopped), first, stopped);
    ok(members.every((name) => runs(end(starting, started)[name]!)));
    deepEqual(plan(starting, end(starting, started)), []);
    const back = stops({ members, seen: started });
    if (back) ok(Object.values(end(stopping, started)).every(isHeld));
    else ok(Object.values(started).every((each) => !("held" in each)), JSON.stringify(started));
  }), { numRuns: 150 }));
});

describe("galera plan, while the major version is to be another", () => {
  const [was, wanted] = ["10.11", "11.8"];
  /** How far each has come: not begun, up or down; on its new disk without packages, with them; joined, its system tables still to be upgraded; done. */
  const stages = [`synced,is=${was}`, `starting,is=${was}`, `split/1,is=${was}`, `synced,is=${was},unheld`, `whole:2,is=${was}`, `whole:2,uninstalled,unmounted,unconfigured,data=${was}`, `whole:2,data=${was},has=${wanted}`, `synced,is=${wanted},tables=${was}`, `synced,is=${wanted}`];
  const cases = fc.array(fc.constantFrom(...stages), { minLength: 1, maxLength: 5 })
    .filter((words) => words.filter((word) => word.startsWith("synced")).length * 2 > words.length)
    .map((words) => {
      const size = words.filter((word) => word.startsWith("synced")).length;
      const seen: Seen = Object.fromEntries(words.map((word, index) => [`db-${index + 1}`, sight(word.replace("synced", `synced/${size}`), words.length)]));
      const old = Object.keys(seen).filter((_, index) => words[index]!.includes(`,is=${was}`));
      return { members: Object.keys(seen), seen, rebuild: Object.fromEntries(old.map((name) => [name, "debian-13"])) };
    });
  const versionsOf = (seen: Seen) => Object.values(seen).map((each) => ("installed" in each ? [each.version, each.writtenBy, each.tables, each.unheld] : []));

  it("cut after any step and planned again, all get it once, one at a time of those that run, each with its system tables, and then there is nothing to do", () => fc.assert(fc.property(cases, fc.nat(), fc.nat(), ({ members, seen, rebuild }, ...cuts) => {
    const left = { ...rebuild };
    let now = seen;
    const plans = () => plan({ members, due: { resize: {}, rebuild: left }, version: wanted }, under(wanted, now));
    const go = (steps: Step<Do>[]) => steps.forEach((step) => {
      if (step.do === "rebuild") {
        if (step.what !== "idle") ok(step.on.length === 1 && members.every((other) => now[other]!.is === "up"), `${step.on.join()} is taken away while another is`);
        for (const name of step.on) {
          ok(name in left, `${name} is rebuilt again`);
          delete left[name];
        }
      }
      if (["join", "recover", "upgrade"].includes(step.do)) equal(step.on.length, 1);
      if (step.do === "install") for (const name of step.on) ok([undefined, wanted].includes((now[name] as { version?: string }).version), `${name} has ${was} on its disk`);
      for (const name of step.on) if (step.do === "upgrade") ok(now[name]!.is === "up" && (now[name] as { version?: string }).version === wanted, `${name} is not of ${wanted} yet`);
      now = after(now, step);
    });
    for (const cut of cuts) {
      const steps = plans();
      go(steps.slice(0, cut % (steps.length + 1)));
    }
    for (let round = 0; round < 2; round++) go(plans());
    deepEqual([left, lines(plans())], [{}, []]);
    deepEqual(versionsOf(now), members.map(() => [wanted, wanted, wanted, undefined]));
    for (const name of members) equal(now[name]!.is, "up");
  }), { numRuns: 1000 }));

  it("is never an older one, where any member's data were opened by a later, nor one that no vendor names", () => fc.assert(fc.property(cases, fc.constantFrom(was, "10.6", "12.3", "11.4"), ({ members, seen, rebuild }, version) => {
    const opened = Object.values(seen).map((each) => (each as { writtenBy?: string }).writtenBy);
    const isBack = version === was && !opened.includes(wanted) && !Object.values(seen).some((each) => (each as { version?: string }).version === wanted);
    const isNext = version === "11.4" && !opened.includes(wanted) && !Object.values(seen).some((each) => (each as { version?: string }).version === wanted);
    const refused = refusal({ members, seen, due: { resize: {}, rebuild }, version });
    equal(refused === undefined, isBack || isNext, refused?.message);
  }), { numRuns: 1000 }));
});
