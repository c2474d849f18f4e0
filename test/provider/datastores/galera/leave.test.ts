import { deepEqual, doesNotMatch, equal, match, ok, rejects } from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { steps } from "../../../../provider/datastores/galera/steps";
import { fast } from "../../clock";
import { member } from "../../cluster";
import { guests, running, synced, type View } from "./servers";

describe("galera steps of members that go", () => {
  describe("a leave", () => {
    const marks = { "db-3": { hasHadData: true, left: false } };
    const [stopped, disabled, marked] = ["systemctl stop --no-block mariadb", "systemctl disable --quiet mariadb", 'db-3 marked {"hasHadData":true,"left":true}'];

    it("waits for all to agree, stops for good, waits for the others to agree, and says so on the volume", () => fast(async () => {
      const { three, ran, asked, at } = guests(running("db-1", "db-2", "db-3"), { leaving: ["db-3"], marks });
      await steps.leave(three, member("db-3"));
      ok(at(disabled) <= at(stopped) && at(stopped) < at(marked), ran.join("\n"));
      deepEqual(asked[0]!.slice(-9), ["db-1", "db-2", "db-3", "db-1", "db-2", "db-3", "db-1", "db-2", "db-3"]);
      deepEqual(asked.at(-2), ["db-1", "db-2", "db-1", "db-2", "db-1", "db-2"]);
      equal(ran.at(-1), marked);
    }));

    it("does not begin while the cluster has a stranger", () => fast(async () => {
      const views: Record<string, View> = { "db-1": synced(4), "db-2": synced(4), "db-3": synced(4) };
      const { three, ran } = guests(views, { leaving: ["db-3"], marks });
      const left = steps.leave(three, member("db-3"));
      await sleep(700);
      deepEqual(ran, []);
      Object.assign(views, running("db-1", "db-2", "db-3"));
      await left;
    }));

    it("neither ends nor says that it left while the others still count it", () => fast(async () => {
      const views = running("db-1", "db-2", "db-3");
      const { three, ran, at } = guests(views, { leaving: ["db-3"], marks });
      let ended = false;
      const left = steps.leave(three, member("db-3")).then(() => { ended = true; });
      while (!ran.at(-1)?.includes(stopped)) await sleep(10);
      Object.assign(views, { "db-1": synced(3), "db-2": synced(3) });
      await sleep(700);
      deepEqual([ended, at("marked")], [false, -1]);
      Object.assign(views, { "db-1": synced(2), "db-2": synced(2) });
      await left;
    }));

    it("of a member that is down keeps it from starting, and waits for the others only", () => fast(async () => {
      const { three, ran, asked } = guests(running("db-1", "db-2"), { leaving: ["db-3"], marks });
      await steps.leave(three, member("db-3"));
      ok(ran[0]!.includes(disabled) && ran.at(-1) === marked, ran.join("\n"));
      deepEqual(asked.at(-2), ["db-1", "db-2", "db-1", "db-2", "db-1", "db-2"]);
    }));

    for (const [what, views] of [
      ["alone in the cluster", { "db-3": synced(1) }], ["outside of it", { "db-3": synced(1, { primary: false }) }],
      ["one of two", { "db-1": synced(2), "db-3": synced(2) }], ["down, as all are", {}],
    ] as [string, Record<string, View>][])
      it(`of a member that is ${what} does nothing while not all are there who stay: it may hold the newest rows`, () => fast(async () => {
        const { three, ran } = guests(views, { leaving: ["db-3"], marks });
        await rejects(steps.leave(three, member("db-3")), { name: "TimedOut", message: /waited 300 s for db-1, db-2(, db-3)? to be one Synced cluster; last seen: .*db-2 does not answer yet/ });
        deepEqual(ran.filter((line) => !line.includes(" says ")), []);
      }));

    it("of a member that still receives its data, be it for hours, does not wait for that", () => fast(async () => {
      const views: Record<string, View | undefined> = { "db-1": synced(3), "db-2": synced(3, { state: "Donor/Desynced" }) };
      const { three, ran, at } = guests(views, { leaving: ["db-3"], marks });
      const left = steps.leave(three, member("db-3"));
      while (!ran.at(-1)?.includes(stopped)) await sleep(10);
      ok(at(disabled) <= at(stopped));
      Object.assign(views, { "db-1": synced(2), "db-2": synced(2) });
      await left;
    }));

    it("marks no volume that is not ours", () => fast(async () => {
      const { three, at } = guests(running("db-1", "db-2", "db-3"), { leaving: ["db-3"], disk: "TYPE=ext4\nUUID=c0ffee\nmounted=no\n" });
      await steps.leave(three, member("db-3"));
      deepEqual([at("marked"), at(stopped) >= 0], [-1, true]);
    }));
  });

  it("a stop ends a server and leaves it to start at the next boot", () => fast(async () => {
    const { three, ran } = guests({ "db-2": synced(0, { primary: false }) });
    await steps.stop(three, member("db-2"));
    deepEqual(ran, ["db-2 runs systemctl stop --no-block mariadb"]);
  }));

  it("a stop kills a server that was told to stop before it had started, and does not come to an end", () => fast(async () => {
    const { three, ran } = guests({ "db-2": synced(3) }, { stops: Infinity, started: false });
    await steps.stop(three, member("db-2"));
    deepEqual(ran.filter((line) => line.includes(" runs ")), ["db-2 runs systemctl stop --no-block mariadb", "db-2 runs systemctl kill --signal=KILL mariadb"]);
    match(ran.join("\n"), /db-2 says MariaDB was told to stop before it had started, and hangs since 30 s: it is killed/);
    await steps.stop(three, member("db-2"));
    equal(ran.filter((line) => line.includes("systemctl kill")).length, 1);
  }));

  it("a stop that is cut while the server hangs kills it when it is run again", () => fast(async () => {
    const { three, ran } = guests({ "db-2": synced(3) }, { stops: Infinity, started: false });
    await (await three.guest("db-2")).run("systemctl stop --no-block mariadb");
    await steps.stop(three, member("db-2"));
    equal(ran.filter((line) => line.includes("systemctl kill")).length, 1);
  }));

  it("a stop waits for a server that writes out what it holds, and says so", () => fast(async () => {
    const { three, ran } = guests({ "db-2": synced(3) }, { stops: 600 });
    await steps.stop(three, member("db-2"));
    deepEqual(ran.filter((line) => line.includes(" runs ")), ["db-2 runs systemctl stop --no-block mariadb"]);
    match(ran.join("\n"), /waiting for MariaDB on db-2 to stop: it is deactivating \(10 s\)/);
  }));

  describe("a clean", () => {
    const clean = async () => {
      const of = guests({}, { marks: { "db-2": { hasHadData: true, left: true } } });
      await steps.clean(of.three, member("db-2"));
      return of;
    };

    it("moves the data aside and keeps them, says where, and makes the volume new", () => fast(async () => {
      const { ran, at } = await clean();
      match(ran[at("mv -T")]!, /^db-2 runs \[ ! -e \/var\/lib\/datastore\/mysql \] \|\| { mv -T \/var\/lib\/datastore\/mysql \/var\/lib\/datastore\/mysql\.left-\d{14}; echo moved; }$/);
      match(ran[at("says")]!, /what db-2 held when it left is kept in \/var\/lib\/datastore\/mysql\.left-\d{14}$/);
      equal(ran.filter((line) => line.includes("marked")).at(-1), 'db-2 marked {"hasHadData":false,"left":false}');
      doesNotMatch(ran.join("\n"), /\brm\b/);
    }));

    it("that is cut never leaves an emptied volume that says it had data, nor one with data that may start", () => fast(async () => {
      const { ran, at } = await clean();
      deepEqual(ran.slice(0, at("mv -T")), ['db-2 marked {"hasHadData":false,"left":true}']);
    }));
  });
});
