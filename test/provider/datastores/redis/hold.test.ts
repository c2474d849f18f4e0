import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { Do } from "../../../../provider/datastores/redis/plan";
import { steps } from "../../../../provider/datastores/redis/steps";
import { fast } from "../../clock";
import { named } from "./model";
import { guests } from "./servers";

describe("redis members that are held", () => {
  const six = named(3, 1);
  const [primaries, replicas] = [["db-1-1", "db-2-1", "db-3-1"], ["db-1-2", "db-2-2", "db-3-2"]];
  type Guests = ReturnType<typeof guests>;
  const done = async (what: Do, { redis, memberOf }: Guests, on: string[], how?: string): Promise<void> => {
    const step = { do: what, on, ...(how !== undefined && { what: how }) };
    await Promise.all(on.map((name) => steps[what](redis, memberOf(name), step)));
  };
  const stopped = async (all: Guests) => {
    await done("hold", all, replicas);
    await done("hold", all, primaries);
  };
  const of = ({ ran }: Guests, name: string) => ran.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));

  it("are marked before they stop, replicas and then primaries, and nobody fails over", () => fast(async () => {
    const all = guests(six);
    const before = all.owners("db-1-1");
    await stopped(all);
    for (const name of six) deepEqual(of(all, name), ['marked {"hasHadData":true,"left":false,"held":true}', "systemctl stop"]);
    deepEqual([all.owners("db-1-1"), Object.values(all.servers).filter(({ down, mark }) => down !== undefined && mark.held).length], [before, 6]);
  }));

  it("of snapshots write what they have first, and one that cannot runs on", () => fast(async () => {
    const all = guests(six, { persistence: "snapshots" });
    await done("hold", all, replicas);
    all.servers["db-2-1"]!.full = true;
    await rejects(done("hold", all, primaries), /SHUTDOWN SAVE on db-2-1: ERR Errors trying to SHUTDOWN/);
    await sleep(10);
    deepEqual(six.map((name) => all.servers[name]!.saved), six.map((name) => name !== "db-2-1"));
    equal(all.servers["db-2-1"]!.down, undefined);
    all.servers["db-2-1"]!.full = false;
    await done("hold", all, ["db-2-1"]);
    ok(all.servers["db-2-1"]!.saved && all.servers["db-2-1"]!.down !== undefined);
  }));

  it("are not begun with while one is down that is not held", () => fast(async () => {
    const all = guests(primaries);
    all.servers["db-3-1"]!.down = Date.now();
    await rejects(done("hold", all, primaries), { name: "TimedOut", message: /waited 120 s for the members to agree.*db-3-1 is in no cluster, or silent/ });
    deepEqual(all.ran, []);
  }));

  it("go on where some are held, and lose power in the middle", () => fast(async () => {
    const all = guests(six);
    await done("hold", all, ["db-1-2", "db-2-2"]);
    all.servers["db-3-2"]!.down = Date.now();
    await done("hold", all, ["db-3-2"]);
    await done("hold", all, primaries);
    ok(six.every((name) => all.servers[name]!.mark.held));
  }));

  it("are refused where a failover came between: then who was to stop as a replica is a primary that another follows", () => fast(async () => {
    const all = guests(six);
    all.takeOver(all.servers["db-2-2"]!);
    await rejects(done("hold", all, [...replicas, "db-2-1"]), { name: "Refused", message: /a primary stops once nobody follows it.*db-2-1 follows db-2-2/ });
    deepEqual(all.ran, []);
  }));

  it("start again, the replicas once all primaries agree, and each follows who it did", () => fast(async () => {
    const all = guests(six);
    const before = all.owners("db-1-1");
    await stopped(all);
    all.ran.length = 0;
    const early = done("start", all, ["db-1-2"], "replicas");
    early.catch(() => undefined);
    await sleep(10_000);
    deepEqual(all.ran, []);
    await done("start", all, primaries);
    await early;
    await done("start", all, replicas.slice(1), "replicas");
    await done("verify", all, six);
    deepEqual(of(all, "db-1-2").slice(0, 3), ['marked {"hasHadData":true,"left":false}', "systemctl enable", "systemctl start"]);
    for (const name of six) deepEqual([all.owners(name), all.servers[name]!.mark.held], [before, undefined]);
  }));
});
