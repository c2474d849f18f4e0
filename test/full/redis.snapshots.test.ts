import { deepEqual, equal } from "node:assert/strict";
import { powerCut, powerOn } from "../../devcloud";
import { named, RedisTrial } from "../guests/redis/trial";

const six = named(3, 1);

/** With no setting `save` a server writes none by itself: all that is on the disks is what a step has it write. */
describe("a Redis cluster that keeps snapshots, on real guests", function () {
  const trial = new RedisTrial(this);
  const snapshots = () => Promise.all(six.map((name) => trial.cluster.guest(name).look("stat -c %Y /var/lib/datastore/redis/dump.rdb")));

  it("is created, and comes back by itself when all lose power before one was due", async () => {
    await trial.want({ persistence: "snapshots", configuration: { save: "" } });
    await trial.up();
    await trial.whole(six);
    equal((await snapshots()).length, six.length);
    const primaries = await trial.primaries();
    await powerCut(six);
    await powerOn(six);
    await trial.again();
    await trial.whole(six);
    deepEqual(await trial.primaries(), primaries);
    await trial.refresh();
    await trial.nothingToDo();
  });

  it("restarts each member with all that it has in memory alone", async () => {
    await trial.write();
    await trial.fill(20_000);
    const before = await trial.starts();
    await trial.want({ restartTrigger: "1" });
    await trial.during("rolling restart", () => trial.up());
    await trial.whole(six);
    const now = await trial.starts();
    deepEqual(six.filter((name) => now[name] === before[name]), []);
    await trial.nothingToDo();
  });

  it("lost no acknowledged key in all that", () => trial.nothingLost());
});
