import { deepEqual, match } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { named, RedisTrial } from "../guests/redis/trial";

const three = named(3, 1);

describe("a Redis cluster whose key pair, zones and volume type change, on real guests", function () {
  const trial = new RedisTrial(this);
  const letIn = async (key: string) => Promise.all(three.map((name) => trial.admits(name, key)));

  it("is created, and written to", async () => {
    await trial.up();
    await trial.whole(three);
    await trial.write();
  });

  it("lets in a new key, though it is killed while it does; then the former is nobody's, and no server has restarted", async () => {
    const before = [await trial.starts(), await trial.primaries()];
    const former = await trial.newKey();
    deepEqual(await trial.previewed(), [`admit ${three.join(" ")} (new key)`, `dismiss ${three.join(" ")} (former key)`]);
    await trial.during("a new key, killed", () => trial.cutAndUp("admit", "kill -9 of the CLI", 600), { within: 2 });
    deepEqual([await letIn(readFileSync(trial.stack.keyFile, "utf8")), await letIn(former)], [three.map(() => true), three.map(() => false)]);
    deepEqual([await trial.starts(), await trial.primaries()], before);
    await trial.nothingToDo();
  });

  it("moves a replica to another zone and volume type when it is named, and a primary once another has taken over", async () => {
    const before = await trial.whereabouts();
    const { 1: primary = "" } = await trial.primaries();
    const replica = three.find((name) => name.startsWith("sessions-1-") && name !== primary)!;
    const zones = ["az2", "az3", "az1"];
    await trial.want({ availabilityZones: zones, volumeType: "fast" });
    match(await trial.refused(["preview"]), /availabilityZones: moves no member by itself[^]*sessions-1-1 \(zone az1 to az2, volume type __DEFAULT__ to fast\)/);
    await trial.want({ replace: [primary] });
    match(await trial.refused(["preview"]), new RegExp(`a primary's server is taken away only after another of its shard took over[^]*name ${replica} in`));
    const moved: string[] = [];
    for (const name of [replica, primary]) {
      if (name === primary) {
        await trial.want({ replace: [], restartTrigger: "hand over" });
        await trial.during("restart all, so that each replica takes over", () => trial.up(), { within: 2 });
        deepEqual((await trial.primaries())["1"], replica);
      }
      moved.push(name);
      await trial.want({ replace: [name] });
      const said = await trial.previewed();
      deepEqual(said.filter((line) => line.includes("still to move")).map((line) => line.split(" ")[0]), three.filter((each) => !moved.includes(each)));
      deepEqual(said.filter((line) => !line.includes("still to move")), [...["install", "mount", "configure", "start", "join"].map((step) => `${step} ${name}`), `verify ${three.join(" ")}`]);
      await trial.during(`move ${name === replica ? "a replica" : "who was its primary"}`, () => (name === replica ? trial.cutAndUp("join", "kill -9 of the CLI", 500) : trial.up()), { within: 2 });
      await trial.whole(three);
      const now = await trial.whereabouts();
      const zoneOf = (each: string) => zones[(Number(each.split("-")[1]) - 1 + Number(each.split("-")[2]) - 1) % 3];
      deepEqual(now.zones, Object.fromEntries(three.map((each) => [each, moved.includes(each) ? zoneOf(each) : before.zones[each]])));
      deepEqual(now.types, Object.fromEntries(three.map((each) => [each, moved.includes(each) ? "fast" : "__DEFAULT__"])));
      deepEqual(now.volumes, three, "the former volume is gone");
      await trial.nothingToDo();
    }
  });

  it("lost no acknowledged key in all that", () => trial.nothingLost());
});
