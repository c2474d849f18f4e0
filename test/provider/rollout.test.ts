import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { plan as planGalera } from "../../provider/datastores/galera/plan";
import { plan as planRedis } from "../../provider/datastores/redis/plan";
import { diff, update } from "../../provider/lifecycle";
import { describe as lines } from "../../provider/plan";
import { keptBack, without } from "../../provider/rollout";
import { fast } from "./clock";
import { after as afterGalera, all, named as namedGalera, sight, type Seen as SeenGalera } from "./datastores/galera/model";
import { after as afterRedis, named as namedRedis, running, type Seen as SeenRedis } from "./datastores/redis/model";
import { known } from "./document";
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

  it("waits between two restarts as long as it is told", () => fast(async () => {
    fleet.seen = all(members, "synced,unconfigured,old");
    const began = Date.now();
    await update("orders", stored(all(members, "synced")) as never, { ...canary, rollout: { pauseSeconds: 60 } } as never);
    ok(Date.now() - began >= 120_000);
    equal(fleet.printed.filter((line) => line.includes("waits 60 s, as rollout.pauseSeconds says")).length, 2);
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
