import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { newAuthority } from "../../../../provider/certificates";
import { steps } from "../../../../provider/datastores/galera/steps";
import { fast } from "../../clock";
import { member } from "../../cluster";
import { guests, running, synced, type View } from "./servers";

describe("a restart of a galera member", () => {
  const [unit, stop, start] = ["mariadb.service.d/datastore.conf", "systemctl stop --no-block mariadb", "systemctl start --no-block mariadb"];

  /** Once the member is told to start it is in the cluster again, as long as it may. */
  const comesBack = async (views: Record<string, View | undefined>, at: (what: string) => number) => {
    while (at(start) < 0) await sleep(10);
    Object.assign(views, running("db-1", "db-2", "db-3"));
  };

  it("waits for all, makes the unit as it is to be, stops, and joins", () => fast(async () => {
    const views: Record<string, View | undefined> = running("db-1", "db-2", "db-3");
    const { three, ran, asked, at } = guests(views);
    await Promise.all([steps.restart(three, member("db-2")), comesBack(views, at)]);
    const places = [unit, stop, start].map((what) => at(what));
    ok(places.every((place, index) => place > (places[index - 1] ?? -1)), ran.join("\n"));
    ok(asked[0]!.filter((name) => name === "db-2").length >= 3);
    deepEqual(asked.at(-1)!.slice(-3), ["db-1", "db-2", "db-3"]);
  }));

  it("of two side by side asks all once before, stops both, and has one come back after the other", () => fast(async () => {
    const views: Record<string, View | undefined> = running("db-1", "db-2", "db-3");
    const { three, ran, at } = guests(views);
    const step = { do: "restart" as const, on: ["db-2", "db-3"] };
    const both = Promise.all(step.on.map((name) => steps.restart(three, member(name), step)));
    while (at(start) < 0) await sleep(10);
    deepEqual(ran.filter((line) => line.includes(stop)).map((line) => line.split(" ")[0]).sort(), ["db-2", "db-3"]);
    await sleep(5000);
    const [first, ...none] = ran.filter((line) => line.includes(start)).map((line) => line.split(" ")[0]!);
    deepEqual(none, []);
    Object.assign(views, running("db-1", first!));
    while (ran.filter((line) => line.includes(start)).length < 2) await sleep(10);
    Object.assign(views, running("db-1", "db-2", "db-3"));
    await both;
  }));

  it("of two side by side leaves the second down where the first does not come back: it would have no donor of its own", () => fast(async () => {
    const { three, ran } = guests(running("db-1", "db-2", "db-3"), { unit: "ActiveState=failed\nResult=exit-code\nNRestarts=0" });
    const step = { do: "restart" as const, on: ["db-2", "db-3"] };
    const ends = await Promise.allSettled(step.on.map((name) => steps.restart(three, member(name), step)));
    const reasons = ends.map((end) => String((end as PromiseRejectedResult).reason)).sort();
    match(reasons[0]!, /MariaDB does not start on db-[23]/);
    match(reasons[1]!, /db-[23] waits in vain for another that was to come back before it/);
    equal(ran.filter((line) => line.includes(start)).length, 1);
  }));

  it("says for how many writes the others have what it misses", () => fast(async () => {
    const views: Record<string, View | undefined> = { "db-1": synced(3, { cached: 11 }), "db-2": synced(3), "db-3": synced(3, { cached: 21 }) };
    const { three, ran, at } = guests(views);
    await Promise.all([steps.restart(three, member("db-2")), comesBack(views, at)]);
    ok(ran.includes("db-2 says the others keep the last 39 writes: for as long it gets only what it misses"), ran.join("\n"));
  }));

  it("says that it gets all data anew where the others keep no writes", () => fast(async () => {
    const views: Record<string, View | undefined> = { "db-1": synced(3, { cached: 50 }), "db-2": synced(3), "db-3": synced(3, { cached: 50 }) };
    const { three, ran, at } = guests(views);
    await Promise.all([steps.restart(three, member("db-2")), comesBack(views, at)]);
    ok(ran.includes("db-2 says the others keep no writes: it gets all data anew"), ran.join("\n"));
  }));

  it("says that it does not know what the others keep where one does not tell it, and restarts the member", () => fast(async () => {
    const views: Record<string, View | undefined> = running("db-1", "db-2", "db-3");
    const { three, ran, at } = guests(views, { forgetful: ["db-3"] });
    await Promise.all([steps.restart(three, member("db-2")), comesBack(views, at)]);
    const said = at("db-2 says whether the others keep the writes that it misses is not known: db-3: `mariadb");
    ok(said >= 0 && said < at(stop), ran.join("\n"));
  }));

  for (const [what, views] of Object.entries<Record<string, View>>({
    "one of the others receives its data": { ...running("db-1", "db-2", "db-3"), "db-3": synced(3, { state: "Joining: receiving State Transfer" }) },
    "one of the others gives its data": { ...running("db-1", "db-2", "db-3"), "db-1": synced(3, { state: "Donor/Desynced" }) },
    "one of the others is down": running("db-1", "db-2"),
    "the cluster has a stranger": { "db-1": synced(4), "db-2": synced(4), "db-3": synced(4) },
  })) it(`stops nothing while ${what}`, () => fast(async () => {
    const { three, ran } = guests(views);
    await rejects(steps.restart(three, member("db-2")), { name: "TimedOut", message: /waited 300 s for db-\d, db-\d, db-\d to be one Synced cluster/ });
    deepEqual(ran.filter((line) => !line.includes(" says ")), []);
  }));

  it("of one that was to answer nobody, answers, and takes its settings is none", () => fast(async () => {
    const { three, ran } = guests({ "db-1": synced(3), "db-2": synced(3), "db-3": undefined }, { mute: ["db-3"] });
    await steps.restart({ ...three, authority: await newAuthority("db") }, member("db-2"), { do: "restart", on: ["db-2"], what: "silent" });
    ok(ran.includes("db-2 says it answers again, and took its settings: it is not restarted") && !ran.some((line) => line.includes("systemctl stop")), ran.join("\n"));
  }));

  it("of one that answers for moments, and in none of them takes its settings, is done like that of a silent one", () => fast(async () => {
    const views: Record<string, View | undefined> = { "db-1": synced(3), "db-2": synced(3), "db-3": undefined };
    const { three, ran, at } = guests(views, { mute: ["db-3"], deaf: true });
    const restarted = steps.restart({ ...three, authority: await newAuthority("db") }, member("db-2"), { do: "restart", on: ["db-2"], what: "silent" });
    while (at(start) < 0) await sleep(10);
    Object.assign(views, { "db-1": synced(3), "db-2": synced(3) });
    await restarted;
    const refused = at("db-2 says it answers now and then, and did not take its settings: ERROR 1040 (HY000): Too many connections");
    ok(refused >= 0 && refused < at(stop) && at(stop) < at(start), ran.join("\n"));
  }));

  it("of a silent member is done while all that answer are in the cluster, and waits for it alone among the silent", () => fast(async () => {
    const views: Record<string, View | undefined> = { "db-1": synced(3), "db-2": undefined, "db-3": undefined };
    const { three, ran, at } = guests(views, { mute: ["db-2", "db-3"] });
    const restarted = steps.restart(three, member("db-2"), { do: "restart", on: ["db-2"], what: "silent" });
    while (at(start) < 0) await sleep(10);
    Object.assign(views, { "db-1": synced(3), "db-2": synced(3) });
    await restarted;
    ok(at(unit) < at(stop) && at(stop) < at(start), ran.join("\n"));
  }));

  it("of one of members that are all silent lets it find them, and bootstraps nothing", () => fast(async () => {
    const views: Record<string, View | undefined> = {};
    const { three, ran, at } = guests(views, { mute: ["db-1", "db-2", "db-3"] });
    const restarted = steps.restart(three, member("db-2"), { do: "restart", on: ["db-2"], what: "silent" });
    while (at(start) < 0) await sleep(10);
    views["db-2"] = synced(3);
    await restarted;
    ok(at(stop) < at(start), ran.join("\n"));
    equal(at("galera_new_cluster"), -1);
  }));

  it("of the only member starts the cluster again", () => fast(async () => {
    const views: Record<string, View | undefined> = running("db-1");
    const { three: { want, ...rest }, ran, at } = guests(views);
    const alone = { ...rest, want: { ...want, members: want.members.slice(0, 1) } };
    const restarted = steps.restart(alone, member("db-1"));
    while (at("galera_new_cluster") < 0) await sleep(10);
    views["db-1"] = synced(1);
    await restarted;
    ok(at(stop) < at("galera_new_cluster"));
    equal(at(start), -1);
    match(ran[at("galera_new_cluster")]!, /safe_to_bootstrap: 1/);
  }));
});
