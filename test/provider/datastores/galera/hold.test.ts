import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { steps } from "../../../../provider/datastores/galera/steps";
import { fast } from "../../clock";
import { member } from "../../cluster";
import { guests, running, synced } from "./servers";

describe("a galera member that is held", () => {
  const mark = { hasHadData: true, left: false };
  const held = { ...mark, held: true as const };
  const [guard, marked, stopped] = ["/may-start", '"held":true', "systemctl stop --no-block mariadb"];
  const released = 'marked {"hasHadData":true,"left":false}';

  it("waits for all, is given a guard that knows of it, is marked, stops, and waits for the others", () => fast(async () => {
    const { three, ran, asked, at } = guests(running("db-1", "db-2", "db-3"), { marks: { "db-1": mark } });
    await steps.hold(three, member("db-1"));
    const places = [guard, marked, stopped].map((what) => at(what));
    ok(places.every((place, index) => place > (places[index - 1] ?? -1)), ran.join("\n"));
    deepEqual(asked[0]!.slice(-9), ["db-1", "db-2", "db-3", "db-1", "db-2", "db-3", "db-1", "db-2", "db-3"]);
    deepEqual(asked.at(-1)!.slice(-6), ["db-2", "db-3", "db-2", "db-3", "db-2", "db-3"]);
  }));

  it("waits for nobody who is held already, and the last for nobody", () => fast(async () => {
    for (const left of [["db-2", "db-3"], ["db-3"]]) {
      const marks = { "db-1": held, ...(left.length === 1 && { "db-2": held }), [left[0]!]: mark };
      const { three, at } = guests(running(...left), { marks });
      await steps.hold(three, member(left[0]!));
      ok(at(marked) >= 0 && at(marked) < at(stopped));
    }
  }));

  it("is not begun with while one that is not held is missing", () => fast(async () => {
    const { three, ran } = guests({ "db-1": synced(2), "db-2": synced(2) }, { marks: { "db-1": mark } });
    await rejects(steps.hold(three, member("db-1")), { name: "TimedOut", message: /waited 300 s for db-1, db-2, db-3 to be one Synced cluster; last seen: .*db-3 does not answer yet/ });
    deepEqual(ran.filter((line) => !line.includes(" says ")), []);
  }));

  it("that is down or outside of the cluster is only marked and kept so, and nobody is waited for", () => fast(async () => {
    for (const views of [{ "db-2": synced(1, { primary: false }) }, {}]) {
      const { three, ran, at } = guests(views, { marks: { "db-2": mark } });
      await steps.hold(three, member("db-2"));
      ok(at(marked) >= 0, ran.join("\n"));
      ok(!ran.some((line) => line.includes("systemctl start")));
    }
  }));

  it("whose volume is not ours, or not mounted, is not marked, and not stopped", () => fast(async () => {
    for (const disk of ["TYPE=ext4\nUUID=c0ffee\nmounted=no\n", `TYPE=xfs\nUUID=c0ffee\nmounted=no\nfiles=2\nmarker=${JSON.stringify({ project: "shop", stack: "test", cluster: "db", member: "db-2", hasHadData: true, left: false })}\n---\n`]) {
      const { three, at } = guests({}, { disk });
      await rejects(steps.hold(three, member("db-2")), { name: "Refused", message: /only a member whose own volume is mounted is kept stopped/ });
      deepEqual([at("marked"), at(stopped)], [-1, -1]);
    }
  }));

  for (const [step, views] of [["join", running("db-1", "db-3")], ["recover", {}]] as const)
    it(`is let go by a ${step} before it starts`, () => fast(async () => {
      const { three, ran, at } = guests(views, { marks: { "db-2": held } });
      const start = step === "join" ? "systemctl start" : "galera_new_cluster";
      const started = steps[step](three, member("db-2"));
      started.catch(() => undefined);
      while (at(start) < 0) await new Promise((resolve) => setTimeout(resolve, 10));
      match(ran[at("marked")]!, new RegExp(released));
      ok(at("marked") < at(start), ran.join("\n"));
      Object.assign(views, step === "join" ? running("db-1", "db-2", "db-3") : { "db-2": synced(1) });
      await started;
    }));

  it("is let go by a verification, where a stop was taken back before it stopped", () => fast(async () => {
    const { three, ran } = guests(running("db-1", "db-2", "db-3"), { marks: { "db-2": held } });
    await steps.verify(three, member("db-2"));
    equal(ran.at(-1), `db-2 ${released}`);
  }));
});
