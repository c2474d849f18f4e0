import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { Do } from "../../../../provider/datastores/redis/plan";
import { steps } from "../../../../provider/datastores/redis/steps";
import { fast } from "../../clock";
import { named } from "./model";
import { guests, idOf } from "./servers";

describe("redis steps", () => {
  const six = named(3, 1);
  type Guests = ReturnType<typeof guests>;
  /** One step on these at the same time, as the loop does it. */
  const done = async (what: Do, { redis, memberOf }: Guests, ...on: string[]): Promise<void> => {
    const step = { do: what, on };
    await Promise.all(on.map((name) => steps[what](redis, memberOf(name), step)));
  };
  /** What was run of this, in order. */
  const those = ({ ran }: Guests, what: string): string[] => ran.filter((line) => line.includes(what));
  /** A step that runs still after a while, and ends once `change` is made. */
  const endsOnlyAfter = async (running: Promise<void>, change: () => void): Promise<void> => {
    equal(await Promise.race([running.then(() => "ended"), sleep(10_000, "runs")]), "runs");
    change();
    await running;
  };

  it("sets what is left of lost keys aside before it says that the member is new", () => fast(async () => {
    const all = guests(six);
    all.servers["db-1-2"]!.down = Date.now();
    await done("clean", all, "db-1-2");
    deepEqual(all.ran, ["db-1-2 sets its data aside", 'db-1-2 marked {"hasHadData":false,"left":false}']);
  }));

  it("starts a new member whose table of nodes is written through to its disk", () => fast(async () => {
    const all = guests(six.slice(0, 4), { alone: ["db-3-1"] });
    all.servers["db-3-1"]!.down = Date.now();
    await done("start", all, "db-3-1");
    deepEqual(all.ran, ["db-3-1 systemctl enable", "db-3-1 systemctl start"]);
  }));

  describe("a join", () => {
    const five = six.filter((name) => name !== "db-2-2");
    const coming = () => guests(five, { alone: ["db-2-2"] });

    it("has exactly one other meet a new member, which then follows the primary of its shard", () => fast(async () => {
      const all = coming();
      await done("join", all, "db-2-2");
      deepEqual(all.ran.map((line) => line.replace(/^\S+ CLUSTER MEET/, "somebody CLUSTER MEET")),
        ["somebody CLUSTER MEET 198.18.2.2 6379", `db-2-2 CLUSTER REPLICATE ${idOf("db-2-1")}`]);
      ok(!all.ran[0]!.startsWith("db-2-2"));
    }));

    it("takes in one of each shard at the same time", () => fast(async () => {
      const replicas = ["db-1-2", "db-2-2", "db-3-2"];
      const all = guests(["db-1-1", "db-2-1", "db-3-1"], { alone: replicas });
      await done("join", all, ...replicas);
      equal(those(all, "MEET").length, 3);
      deepEqual(those(all, "REPLICATE").sort(), replicas.map((name) => `${name} CLUSTER REPLICATE ${idOf(name.replace(/2$/, "1"))}`));
    }));

    it("ends only once the member has its primary's data", () => fast(async () => {
      const all = coming();
      all.servers["db-2-2"]!.syncs = Infinity;
      await endsOnlyAfter(done("join", all, "db-2-2"), () => { all.servers["db-2-2"]!.syncs = 0; });
    }));

    it("has each that has forgotten the member meet it", () => fast(async () => {
      const all = guests(six);
      for (const name of ["db-1-1", "db-3-2"]) {
        all.servers[name]!.view.delete(idOf("db-2-2"));
        all.servers[name]!.forgotten.add(idOf("db-2-2"));
      }
      await done("join", all, "db-2-2");
      deepEqual(those(all, "MEET"), ["db-1-1 CLUSTER MEET 198.18.2.2 6379", "db-3-2 CLUSTER MEET 198.18.2.2 6379"]);
      for (const name of six) ok(all.servers[name]!.view.has(idOf("db-2-2")), name);
    }));

    it("has a member met again that all know and that knows nobody: it lost power when it had been met, before it wrote that down", () => fast(async () => {
      const all = guests(six);
      all.servers["db-2-2"]!.view = coming().servers["db-2-2"]!.view;
      await done("join", all, "db-2-2");
      deepEqual(all.ran, ["db-1-1 CLUSTER MEET 198.18.2.2 6379", `db-2-2 CLUSTER REPLICATE ${idOf("db-2-1")}`]);
    }));

    it("lets the member follow nobody before it knows the others", () => fast(async () => {
      const all = coming();
      all.servers["db-2-2"]!.deaf = true;
      await endsOnlyAfter(done("join", all, "db-2-2"), () => {
        deepEqual(those(all, "REPLICATE"), []);
        all.servers["db-2-2"]!.deaf = false;
      });
      equal(those(all, "REPLICATE").length, 1);
    }));

    it("of a member whose server does not answer says so", () => fast(async () => {
      const all = coming();
      all.servers["db-2-2"]!.down = 0;
      await rejects(done("join", all, "db-2-2"), /db-2-2.*does not answer/);
      deepEqual(those(all, "CLUSTER"), []);
    }));

    it("is refused when no other is in a cluster", () => fast(async () => {
      const all = guests([], { alone: six });
      await rejects(done("join", all, "db-2-2"), { name: "Refused", message: /a member joins a cluster that runs/ });
      deepEqual(all.ran, []);
    }));

    it("says that another took over when its member follows somebody else than it waits for", () => fast(async () => {
      const all = guests(named(3, 2).filter((name) => name !== "db-2-3"), { alone: ["db-2-3"] });
      all.servers["db-2-3"]!.syncs = Infinity;
      await rejects(endsOnlyAfter(done("join", all, "db-2-3"), () => all.takeOver(all.servers["db-2-2"]!)), /another took over/);
    }));
  });

  describe("a bootstrap", () => {
    const heads = ["db-1-1", "db-2-1", "db-3-1"];
    const shares = { "db-1-1": "0-5461", "db-2-1": "5462-10922", "db-3-1": "10923-16383" };
    const isFormed = (all: Guests): void => {
      for (const name of heads) deepEqual(all.owners(name), shares);
      equal(new Set(heads.map((name) => all.servers[name]!.view.get(idOf(name))!.epoch)).size, 3);
    };

    it("gives each head an epoch of its own before they meet", () => fast(async () => {
      const all = guests([], { alone: six });
      await done("bootstrap", all, "db-1-1");
      const epochs = those(all, "SET-CONFIG-EPOCH").map((line) => line.split(" "));
      deepEqual(epochs.map(([name]) => name), heads);
      equal(new Set(epochs.map((words) => words.at(-1))).size, 3);
      ok(all.ran.indexOf(those(all, "SET-CONFIG-EPOCH").at(-1)!) < all.ran.indexOf(those(all, "MEET")[0]!), all.ran.join("\n"));
    }));

    it("deals all slots evenly, each once, and ends when all heads say so", () => fast(async () => {
      const all = guests([], { alone: six });
      await done("bootstrap", all, "db-1-1");
      deepEqual(those(all, "ADDSLOTSRANGE"), ["db-1-1 CLUSTER ADDSLOTSRANGE 0 5461", "db-2-1 CLUSTER ADDSLOTSRANGE 5462 10922", "db-3-1 CLUSTER ADDSLOTSRANGE 10923 16383"]);
      isFormed(all);
    }));

    it("is refused when a head holds keys, before anything is changed", () => fast(async () => {
      const all = guests([], { alone: six });
      all.servers["db-3-1"]!.keys = 1;
      await rejects(done("bootstrap", all, "db-1-1"), { name: "Refused", message: /a cluster is made of empty members/ });
      deepEqual(all.ran, []);
    }));

    it("names the head that does not answer", () => fast(async () => {
      const all = guests([], { alone: six });
      all.servers["db-3-1"]!.down = 0;
      await rejects(done("bootstrap", all, "db-1-1"), /db-3-1/);
    }));

    it("finishes what a cut has left, wherever it was", () => fast(async () => {
      for (let after = 0, cut = true; cut; after++) {
        const all = guests([], { alone: six });
        all.cut.after = after;
        await done("bootstrap", all, "db-1-1").then(() => { cut = false; }, ({ message }: Error) => equal(message, "the run is cut"));
        all.cut.after = Infinity;
        // The next run looks first, which takes a while.
        await sleep(3000);
        await done("bootstrap", all, "db-1-1");
        isFormed(all);
      }
    }));
  });

  describe("a promotion", () => {
    it("has the replica take over in agreement with its primary", () => fast(async () => {
      const all = guests(six);
      await done("promote", all, "db-2-2");
      deepEqual(all.ran, ["db-2-2 CLUSTER FAILOVER"]);
    }));

    it("asks again for one that came to nothing", () => fast(async () => {
      const all = guests(six);
      all.servers["db-2-2"]!.fruitless = 1;
      await done("promote", all, "db-2-2");
      deepEqual(all.ran, ["db-2-2 CLUSTER FAILOVER", "db-2-2 CLUSTER FAILOVER"]);
    }));

    it("lets an older primary never take over again, and waits for no more than that it follows", () => fast(async () => {
      const all = guests(six);
      all.servers["db-2-2"]!.version = "8.0";
      all.servers["db-2-1"]!.syncs = Infinity;
      await done("promote", all, "db-2-2");
      deepEqual(all.ran, ["db-2-1 CONFIG SET cluster-replica-no-failover yes", "db-2-2 CLUSTER FAILOVER"]);
      equal(all.servers["db-2-1"]!.view.get(idOf("db-2-1"))!.of, idOf("db-2-2"));
    }));

    it("asks none that has no link, which would hold up the writes of its primary in vain", () => fast(async () => {
      const all = guests(six);
      all.servers["db-2-2"]!.syncs = Infinity;
      await endsOnlyAfter(done("promote", all, "db-2-2"), () => {
        deepEqual(all.ran, []);
        all.servers["db-2-2"]!.syncs = 0;
      });
      deepEqual(all.ran, ["db-2-2 CLUSTER FAILOVER"]);
    }));

    it("does nothing on who is the primary", () => fast(async () => {
      const all = guests(six);
      await done("promote", all, "db-2-1");
      deepEqual(all.ran, []);
    }));

    it("ends only once the old primary follows", () => fast(async () => {
      const all = guests(six);
      all.servers["db-2-1"]!.deaf = true;
      await endsOnlyAfter(done("promote", all, "db-2-2"), () => { all.servers["db-2-1"]!.deaf = false; });
      equal(all.servers["db-2-1"]!.view.get(idOf("db-2-1"))!.of, idOf("db-2-2"));
    }));
  });

  describe("a restart", () => {
    it("of who is the primary, with another that follows it, is refused before anything is done: a failover came between", () => fast(async () => {
      const all = guests(six);
      await rejects(done("restart", all, "db-2-1"), { name: "Refused", message: /Seen: db-2-1 is the primary, and db-2-2 follows it/ });
      deepEqual(all.ran, []);
    }));

    it("of a replica is done once it follows again", () => fast(async () => {
      const all = guests(six);
      await done("restart", all, "db-2-2");
      deepEqual(all.ran, ["db-2-2 systemctl stop", "db-2-2 systemctl start"]);
    }));

    it("has a server write first what it has in memory alone, where that lies on no disk else; of one that cannot, none stops", () => fast(async () => {
      for (const act of ["restart", "rebuild"] as const) {
        const all = guests(six, { persistence: "snapshots" });
        all.redis.rebuild = async () => undefined;
        await done(act, all, "db-2-2");
        deepEqual([all.servers["db-2-2"]!.saved, all.ran.slice(0, 2)], [true, ["db-2-2 SHUTDOWN SAVE", "db-2-2 systemctl stop"]], act);
      }
      const full = guests(six, { persistence: "snapshots" });
      full.servers["db-2-2"]!.full = true;
      await rejects(done("restart", full, "db-2-2"), /Errors trying to SHUTDOWN/);
      deepEqual(those(full, "systemctl"), []);
    }));

    it("of a shard's only member asks nobody to take over", () => fast(async () => {
      const all = guests(["db-1-1", "db-2-1", "db-3-1"]);
      await done("restart", all, "db-2-1");
      deepEqual(all.ran, ["db-2-1 systemctl stop", "db-2-1 systemctl start"]);
    }));
  });

  describe("a leave", () => {
    const leaver = "db-3-2";

    it("is refused while another says that the member owns slots, though it says itself that it owns none", () => fast(async () => {
      const all = guests(six, { leaving: ["db-3-1"] });
      all.servers["db-1-2"]!.deaf = true;
      all.takeOver(all.servers["db-3-2"]!);
      await sleep(5000);
      await rejects(done("leave", all, "db-3-1"), { name: "Refused", message: /nobody leaves who owns slots/ });
      deepEqual(all.ran, []);
    }));

    it("says so on the volume before the server stops for good, and has all others forget it", () => fast(async () => {
      const all = guests(six, { leaving: [leaver] });
      await done("leave", all, leaver);
      const [marked, stopped] = [all.ran.indexOf(`${leaver} marked {"hasHadData":true,"left":true}`), all.ran.indexOf(`${leaver} systemctl stop`)];
      ok(marked >= 0 && marked < stopped, all.ran.join("\n"));
      deepEqual([all.servers[leaver]!.enabled, all.servers[leaver]!.down === undefined], [false, false]);
      const others = six.filter((name) => name !== leaver);
      deepEqual(those(all, "FORGET").sort(), others.map((name) => `${name} CLUSTER FORGET ${idOf(leaver)}`));
      for (const name of others) ok(!all.servers[name]!.view.has(idOf(leaver)), name);
    }));
  });

  for (const [which, change] of Object.entries<(follower: Guests["servers"][string]) => void>({
    "do again": (follower) => { follower.syncs = 0; }, "answer nobody any more": (follower) => { follower.answers = 0; },
  })) it(`a restart of a primary that answered nobody ends only once those that followed it ${which}`, () => fast(async () => {
    const all = guests(six);
    const { "db-2-1": primary, "db-2-2": follower } = all.servers;
    primary!.answers = 0;
    const running = steps.restart(all.redis, all.memberOf("db-2-1"), { do: "restart", on: ["db-2-1"], what: "silent" });
    while (all.ran.length < 2) await sleep(10);
    follower!.syncs = Infinity;
    await endsOnlyAfter(running, () => change(follower!));
    deepEqual(all.ran, ["db-2-1 systemctl stop", "db-2-1 systemctl start"]);
  }));

  it("a restart of a replica ends only once it follows again", () => fast(async () => {
    const all = guests(six);
    all.servers["db-2-2"]!.syncs = Infinity;
    await endsOnlyAfter(done("restart", all, "db-2-2"), () => { all.servers["db-2-2"]!.syncs = 0; });
    deepEqual(all.ran, ["db-2-2 systemctl stop", "db-2-2 systemctl start"]);
  }));

  describe("a verification", () => {
    it("asks each member once for all whether they agree", () => fast(async () => {
      const asked = async (...on: string[]) => {
        const all = guests(six);
        await done("verify", all, ...on);
        return all.asked.filter((line) => line === "db-1-1 CLUSTER NODES").length;
      };
      equal(await asked(...six), await asked("db-1-1"));
    }));

    it("says on each volume that it has had data", () => fast(async () => {
      const all = guests(six);
      for (const name of six) all.servers[name]!.mark.hasHadData = false;
      await done("verify", all, ...six);
      deepEqual(those(all, "marked").sort(), six.map((name) => `${name} marked {"hasHadData":true,"left":false}`));
    }));

    it("has those of snapshots write one before their volumes say that they had data: without one they would count as emptied", () => fast(async () => {
      const all = guests(six, { persistence: "snapshots" });
      for (const name of six) Object.assign(all.servers[name]!, { mark: { hasHadData: false, left: false }, snapshot: name.endsWith("-2") });
      await done("verify", all, ...six);
      deepEqual(those(all, "BGSAVE").sort(), ["db-1-1 BGSAVE SCHEDULE", "db-2-1 BGSAVE SCHEDULE", "db-3-1 BGSAVE SCHEDULE"]);
      ok(all.ran.indexOf("db-1-1 BGSAVE SCHEDULE") < all.ran.findIndex((line) => line.startsWith("db-1-1 marked")), all.ran.join("\n"));
      const full = guests(six, { persistence: "snapshots" });
      Object.assign(full.servers["db-1-1"]!, { mark: { hasHadData: false, left: false }, snapshot: false, full: true });
      await rejects(done("verify", full, ...six), /db-1-1 could not write a snapshot/);
      equal(full.servers["db-1-1"]!.mark.hasHadData, false);
    }));

    it("takes slots off their way which nobody moves any more", () => fast(async () => {
      const all = guests(six);
      all.servers["db-1-1"]!.open = [{ slot: 7, peer: idOf("db-2-1"), way: "out" }, { slot: 8, peer: idOf("db-2-1"), way: "out" }];
      all.servers["db-2-1"]!.open = [{ slot: 7, peer: idOf("db-1-1"), way: "in" }];
      await done("verify", all, ...six);
      deepEqual(those(all, "SETSLOT").sort(), ["db-1-1 CLUSTER SETSLOT 7 STABLE", "db-1-1 CLUSTER SETSLOT 8 STABLE", "db-2-1 CLUSTER SETSLOT 7 STABLE"]);
    }));

    // So it is left on one that was away when its primary was told where the slot went (valkey-io/valkey#998).
    it("takes off its way what on Valkey a replica has from its primary", () => fast(async () => {
      const all = guests(six, { vendor: "valkey" });
      for (const name of ["db-2-1", "db-2-2"]) all.servers[name]!.open = [{ slot: 7, peer: idOf("db-1-1"), way: "in" }];
      await done("verify", all, ...six);
      deepEqual([those(all, "SETSLOT"), six.flatMap((name) => all.servers[name]!.open)], [["db-2-1 CLUSTER SETSLOT 7 STABLE"], []]);
    }));

    it("is not held up by what on Valkey is left on a replica alone", () => fast(async () => {
      const all = guests(six, { vendor: "valkey" });
      all.servers["db-2-2"]!.open = [{ slot: 7, peer: idOf("db-1-1"), way: "in" }];
      await done("verify", all, ...six);
      deepEqual(those(all, "SETSLOT"), []);
    }));

    it("has all forget who failed and owns nothing", () => fast(async () => {
      const all = guests([...six, "db-9-1"], { strangers: ["db-9-1"] });
      all.servers["db-9-1"]!.down = -Infinity;
      await done("verify", all, ...six);
      deepEqual(those(all, "FORGET").sort(), six.map((name) => `${name} CLUSTER FORGET ${idOf("db-9-1")}`));
    }));

    it("does not end while somebody does not know all members", () => fast(async () => {
      const all = guests(six);
      const { view, forgotten } = all.servers["db-3-1"]!;
      view.delete(idOf("db-1-2"));
      forgotten.add(idOf("db-1-2"));
      await endsOnlyAfter(done("verify", all, ...six), () => { forgotten.clear(); });
    }));

    it("names a member that is down, and has nobody forget it though it owns nothing", () => fast(async () => {
      const all = guests(six);
      all.servers["db-3-2"]!.down = -Infinity;
      await rejects(done("verify", all, ...six), /db-3-2/);
      deepEqual(those(all, "FORGET"), []);
    }));

    it("does not end while there are two views of who owns the slots", () => fast(async () => {
      const all = guests(six);
      all.servers["db-3-1"]!.deaf = true;
      all.takeOver(all.servers["db-2-2"]!);
      await endsOnlyAfter(done("verify", all, ...six), () => {
        deepEqual(those(all, "marked"), []);
        all.servers["db-3-1"]!.deaf = false;
      });
    }));
  });
});
