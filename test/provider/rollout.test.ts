import { deepEqual, equal, match, ok } from "node:assert/strict";
import fc from "fast-check";
import { plan as planGalera } from "../../provider/datastores/galera/plan";
import { plan as planRedis } from "../../provider/datastores/redis/plan";
import { isIn, shardOf, type Sight } from "../../provider/datastores/redis/sight";
import { check, diff, update } from "../../provider/lifecycle";
import { describe as lines, type Step } from "../../provider/plan";
import { dueWithout, keptBack, takesAway, without } from "../../provider/rollout";
import { fast } from "./clock";
import { under } from "./cluster";
import { after as afterGalera, all, named as namedGalera, sight, type Seen as SeenGalera } from "./datastores/galera/model";
import { after as afterRedis, named as namedRedis, outage, running, type Seen as SeenRedis } from "./datastores/redis/model";
import { known, news, of } from "./document";
import { Fleet } from "./fleet";

const members = known.members.map(({ name }) => name);
const canary = { ...known, rollout: { canary: true }, options: { vendor: "mariadb", configuration: { max_connections: 500, performance_schema: "ON" } } };
const stored = (seen: SeenGalera, document: object = known) => ({ ...known, ...document, stateVersion: 1 as const, status: "ready" as const, known: known.members, seen, unreached: [] as string[], pins: {} });

describe("a rollout with a canary", () => {
  let fleet: Fleet;
  beforeEach(() => { fleet = new Fleet({}); });
  afterEach(() => fleet.end());

  const said = async (olds: object, news: object) => {
    fleet.printed.length = 0;
    const answer = await diff("orders", olds as never, news as never);
    return { answer, printed: fleet.printed.map((line) => line.replace("[orders] ", "")) };
  };

  it("changes one member, says in preview and after it who is to follow, and goes on with the next run, though nothing else is wanted then", async () => {
    const before = stored(all(members, "synced"));
    deepEqual((await said(before, canary)).printed, ["configure orders-3 (performance_schema at a restart)", "restart orders-3", "verify orders-1 orders-2 orders-3", "canary: the next run changes orders-1 orders-2"]);

    fleet.seen = { ...all(members, "synced,unconfigured,old"), "orders-1": sight("synced,unconfigured,old,writer", 3) };
    const { outs } = await update("orders", before as never, canary as never);
    deepEqual(fleet.done.filter((line) => !line.startsWith("verify")), ["configure orders-3", "restart orders-3"]);
    ok(fleet.printed.some((line) => line.endsWith("the canary is well; the next `pulumi up` changes orders-1, orders-2")), fleet.printed.join("\n"));
    equal(outs!.status, "ready");

    const next = await said(outs!, canary);
    deepEqual(next, { answer: { changes: true }, printed: ["configure orders-1 orders-2", "restart orders-1", "restart orders-2", "verify orders-1 orders-2 orders-3"] });
    fleet.done.length = 0;
    const { outs: then } = await update("orders", outs as never, canary as never);
    deepEqual(fleet.done.filter((line) => line.startsWith("restart")), ["restart orders-2", "restart orders-1"]);
    deepEqual(await said(then!, canary), { answer: {}, printed: [] });
  });

  it("keeps nobody back whose certificates are to change: all have to trust who signs next", async () => {
    const { printed } = await said(stored(all(members, "synced")), { ...canary, options: known.options, authorities: ["1", "2"] });
    deepEqual(printed, ["configure orders-1 orders-2 orders-3 (trusts authorities 1, 2)", "verify orders-1 orders-2 orders-3"]);
  });

  it("goes on from a canary that is taken back, and mends one that is down", async () => {
    const sick = stored({ ...all(members, "synced/2,unconfigured,old"), "orders-1": sight("whole:9", 3) }, canary);
    const { printed } = await said(sick, { ...canary, options: known.options });
    deepEqual(printed.filter((line) => /^(join|restart|canary)/.test(line)), ["join orders-1", "restart orders-2", "restart orders-3", "canary: none, for members come, go or are not well"]);
  });

  it("keeps nobody back from other passwords: those of all members change in one run, beside settings too", () => {
    for (const change of [{ secured: false }, { secured: false, configured: false }]) {
      const names = namedRedis(3, 0);
      const seen = running(3, 0);
      for (const each of Object.values(seen)) Object.assign(each, change);
      const back = keptBack(names, seen);
      deepEqual(back, "configured" in change ? ["db-1-1", "db-2-1"] : []);
      deepEqual(lines(planRedis({ members: names }, without(back, seen as Record<string, never>))), [...("configured" in change ? ["configure db-3-1"] : []), `secure ${names.join(" ")}`, `verify ${names.join(" ")}`]);
    }
  });

  it("changes the version of one member alone, as its preview says", () => {
    const [image, version] = ["debian-13", "11.8"];
    const due = { resize: {}, rebuild: Object.fromEntries(members.map((name) => [name, image])) };
    const seen = all(members, "synced,is=10.11");
    const back = keptBack(members, seen, due);
    deepEqual(back, ["orders-1", "orders-2"]);
    const planned = (seen: SeenGalera) => lines(planGalera({ members, version, due: dueWithout(back, due) }, without(back, seen)));
    deepEqual(planned(seen).map((line) => line.split(" ").slice(0, 2).join(" ")), ["rebuild", "install", "mount", "configure", "join", "upgrade"].map((act) => `${act} orders-3`).concat("verify orders-1"));
    deepEqual(planned(under(version, seen)), planned(seen));
  });

  it("waits between two restarts as long as it is told", () => fast(async () => {
    fleet.seen = all(members, "synced,unconfigured,old");
    const began = Date.now();
    await update("orders", stored(all(members, "synced")) as never, { ...canary, rollout: { pauseSeconds: 60 } } as never);
    ok(Date.now() - began >= 120_000);
    equal(fleet.printed.filter((line) => line.includes("waits 60 s, as rollout.pauseSeconds says")).length, 2);
  }));

  it("waits before no restart of one that answers nobody: it is away already", () => fast(async () => {
    fleet.seen = all(members, "silent,unconfigured");
    await update("orders", stored(all(members, "silent"), canary) as never, { ...known, rollout: { pauseSeconds: 3600 } } as never);
    ok(fleet.done.includes("restart orders-2") && !fleet.printed.some((line) => line.includes("waits")), fleet.printed.join("\n"));
  }));

  it("keeps nobody back of a cluster that has nothing to change, or that members join", () => {
    const galera = (words: string[]) => {
      const seen = Object.fromEntries(words.map((word, index) => [`db-${index + 1}`, sight(word, words.length)]));
      return keptBack(Object.keys(seen), seen);
    };
    deepEqual(galera(["synced", "synced", "synced"]), []);
    deepEqual(galera(["synced/2,old", "synced/2,old", "blank"]), []);
    deepEqual(galera(["synced,old", "synced,old", "synced"]), []);
    deepEqual(galera(["synced,old", "synced,old", "synced,old"]), ["db-1", "db-2"]);
    deepEqual(galera(["synced,unconfigured", "synced,unconfigured", "synced,unconfigured"]), ["db-1", "db-2"]);
  });

  it("touches one member in the first run and all others in the second, of either datastore, whoever writes and whoever is primary", () => fc.assert(fc.property(
    fc.integer({ min: 2, max: 5 }), fc.nat(4), fc.record({ shards: fc.integer({ min: 3, max: 4 }), replicas: fc.integer({ min: 0, max: 2 }) }), fc.array(fc.nat(5), { minLength: 5, maxLength: 5 }), fc.boolean(),
    (count, writer, { shards, replicas }, dealt, live) => {
      const walk = <Seen extends SeenGalera | SeenRedis>(names: string[], start: Seen, plan: (seen: Seen) => ReturnType<typeof planGalera>, after: (seen: Seen, step: ReturnType<typeof planGalera>[number]) => Seen) => {
        const run = (seen: Seen): [Seen, string[]] => {
          const back = keptBack(names, seen);
          const steps = plan(without(back, seen as Record<string, never>) as Seen).filter(({ on }) => on.length > 0);
          return [steps.reduce((now, step) => after(now, step), seen), [...new Set(steps.filter((step) => ["configure", "restart"].includes(step.do)).flatMap(({ on }) => on))]];
        };
        const [then, first] = run(start);
        const [end, second] = run(then);
        equal(first.length, 1);
        deepEqual([...first, ...second].sort(), [...names].sort());
        deepEqual(lines(plan(end)), []);
      };
      const old = live ? "" : ",old";
      const galera = Object.fromEntries(namedGalera(count).map((name, index) => [name, sight(`synced,unconfigured${old}${index === writer ? ",writer" : ""}`, count)]));
      walk(namedGalera(count), galera, (seen) => planGalera({ members: namedGalera(count) }, seen), afterGalera);
      const names = namedRedis(shards, replicas);
      const redis = running(shards, replicas, (shard) => dealt[shard]!);
      for (const each of Object.values(redis)) Object.assign(each, { configured: false, current: live });
      walk(names, redis, (seen) => planRedis({ members: names }, seen) as never, (seen, step) => afterRedis(seen, step, names));
    }), { numRuns: 300 }));
});

describe("a rollout with maxUnavailable", () => {
  let fleet: Fleet;
  beforeEach(() => { fleet = new Fleet({}); });
  afterEach(() => fleet.end());

  const failuresOf = async (members: number, maxUnavailable: number) =>
    (await check(undefined, { ...of(...Array.from({ length: members }, (_, index) => index + 1)), rollout: { maxUnavailable } })).failures!.map(({ reason }) => reason);

  it("is refused where those that are away and one more that fails would leave no majority, with the number that may be", async () => {
    deepEqual(await failuresOf(7, 2), []);
    deepEqual(await failuresOf(5, 2), ["rollout: may have a maxUnavailable of 1 at most, and has 2: of 5 members those that are away and one more that fails must leave a majority; 2 may be away of 7"]);
    match((await failuresOf(7, 3))[0]!, /of 2 at most, and has 3: .*; 3 may be away of 9$/);
    const redis = async (shards: number, replicas: number, maxUnavailable: number) => (await check(undefined, { ...news, datastore: "redis", options: { vendor: "redis", persistence: "every-second", configuration: {} },
      members: namedRedis(shards, replicas).map((name) => ({ ...known.members[0]!, name })), rollout: { maxUnavailable } })).failures!.map(({ reason }) => reason);
    deepEqual(await redis(3, 1, 3), []);
    deepEqual(await redis(3, 1, 4), ["rollout: may have a maxUnavailable of 3 at most, and has 4: one of each shard may be away"]);
    deepEqual(await redis(6, 0, 2), ["rollout: may have a maxUnavailable of 1 at most, and has 2: of 6 primaries without replicas those that are away and one more that fails must leave a majority; 2 may be away of 7"]);
  });

  type Walk<Seen extends Record<string, { is: string }>> = {
    names: string[]; seen: Seen; due: { resize: Record<string, string>; rebuild: Record<string, string> };
    plan(seen: Seen, due: Walk<Seen>["due"]): Step[]; after(seen: Seen, step: Step): Seen; stopped(seen: Seen, on: string[]): Seen; bearable(seen: Seen, away: string[]): void;
  };
  /** Does what is planned, up to a step in which some were stopped and some were done; then plans and does it again. How many were away at most. */
  const walked = <Seen extends Record<string, { is: string }>>({ names, seen, due, plan, after, stopped, bearable }: Walk<Seen>, at: number, some: number): number => {
    const left = structuredClone(due);
    let [now, most] = [seen, 0];
    const does = (step: Step) => {
      const away = [...new Set([...names.filter((name) => now[name]!.is !== "up"), ...(takesAway(step) ? step.on : [])])];
      if (takesAway(step)) {
        bearable(now, away);
        most = Math.max(most, away.length);
      }
      if (step.do === "resize" || step.do === "rebuild") for (const name of step.on) delete left[step.do][name];
      now = after(now, step);
    };
    const steps = plan(now, left).filter(({ on }) => on.length > 0);
    const cut = at % (steps.length + 1);
    steps.slice(0, cut).forEach(does);
    const step = steps[cut];
    if (step && takesAway(step)) now = stopped(now, step.on.filter((_, index) => some & (1 << index)));
    for (let round = 0; round < 3; round++) plan(now, left).filter(({ on }) => on.length > 0).forEach(does);
    deepEqual([left, lines(plan(now, left)), names.filter((name) => now[name]!.is !== "up")], [{ resize: {}, rebuild: {} }, [], []]);
    return most;
  };
  const given = (names: string[], bits: number, what: string) => Object.fromEntries(names.filter((_, index) => bits & (1 << (index % 30))).map((name) => [name, what]));
  const changes = fc.record({ resize: fc.nat(), rebuild: fc.oneof(fc.constant(0), fc.nat()), old: fc.boolean() });

  it("of Galera takes no more away than it may and than one more failure bears, lets one after another join, and goes on from each cut", () => {
    let abreast = 0;
    fc.assert(fc.property(fc.integer({ min: 3, max: 11 }), fc.integer({ min: 1, max: 5 }), changes, fc.nat(), fc.nat(), (count, allowed, { resize, rebuild, old }, at, some) => {
      const names = namedGalera(count);
      abreast += Number(walked<SeenGalera>({
        names, seen: all(names, old ? "synced,old,unconfigured" : "synced"), due: { resize: given(names, resize, "large"), rebuild: given(names, rebuild, "debian-13") },
        plan: (seen, due) => planGalera({ members: names, due, maxUnavailable: allowed }, seen),
        after: (seen, step) => { if (step.do === "join") equal(step.on.length, 1); return afterGalera(seen, step); },
        stopped: (seen, on) => afterGalera(seen, { do: "stop", on }),
        bearable: (_, away) => {
          ok(away.length <= allowed, `${away.length} are away`);
          if (away.length > 1) ok(count - away.length - 1 > count / 2, `${away.length} of ${count} are away`);
        },
      }, at, some) > 1);
    }), { numRuns: 300 });
    ok(abreast > 40, `${abreast} were side by side`);
  });

  it("of Redis takes one of each shard away at most, and no primary that others follow, and goes on from each cut", () => {
    let abreast = 0;
    fc.assert(fc.property(fc.integer({ min: 3, max: 8 }), fc.integer({ min: 0, max: 2 }), fc.array(fc.nat(5), { minLength: 8, maxLength: 8 }), fc.integer({ min: 1, max: 8 }), changes, fc.nat(), fc.nat(),
      (shards, replicas, dealt, allowed, { resize, rebuild, old }, at, some) => {
        const names = namedRedis(shards, replicas);
        const seen = running(shards, replicas, (shard) => dealt[shard - 1]!);
        for (const each of Object.values(seen)) if (old) Object.assign(each, { configured: false, current: false });
        abreast += Number(walked<SeenRedis>({
          names, seen, due: { resize: given(names, resize, "large"), rebuild: given(names, rebuild, "debian-13") },
          plan: (now, due) => planRedis({ members: names, due, maxUnavailable: allowed }, now),
          after: (now, step) => { if (step.do === "promote") equal(step.on.length, 1); return afterRedis(now, step, names); },
          stopped: (now, on) => outage(now, on),
          bearable: (now, away) => {
            ok(away.length <= allowed);
            equal(new Set(away.map(shardOf)).size, away.length, `${away.join()} are away`);
            const primaries = Object.entries(now).filter(([, sight]) => isIn(sight) && (sight as Sight & { slots: string }).slots !== "").map(([name]) => name);
            const gone = primaries.filter((name) => away.includes(name));
            if (replicas > 0) deepEqual(gone, []);
            else if (gone.length > 1) ok(shards - gone.length - 1 > shards / 2, `${gone.length} of ${shards} primaries are away`);
          },
        }, at, some) > 1);
      }), { numRuns: 150 });
    ok(abreast > 15, `${abreast} were side by side`);
  });
});
