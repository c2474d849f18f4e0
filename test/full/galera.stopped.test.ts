import { deepEqual, equal, match, ok } from "node:assert/strict";
import { powerCut, powerOn } from "../../devcloud";
import { GaleraTrial } from "../guests/galera/trial";
import { until } from "../guests/trial";

const three = ["orders-1", "orders-2", "orders-3"];
const held = "(stopped until `state` is running again)";

describe("a Galera cluster that is stopped, and started again, on real guests", function () {
  const trial = new GaleraTrial(this);
  const units = () => Promise.all(three.map(async (name) => (await trial.cluster.guest(name).look("systemctl show -P ActiveState mariadb")).trim()));

  it("is created, and written to", async () => {
    await trial.up();
    await trial.whole(three);
    await trial.write();
  });

  it("stops in order though the run is killed, stays so over a boot, and starts from who was last though that is killed", () => trial.during("stop, boot, start, each killed", async () => {
    await trial.want({ state: "stopped" });
    deepEqual(await trial.previewed(), three.map((name) => `hold ${name} ${held}`));
    equal(await trial.cutAt(["hold orders-2"], "kill -9 of the CLI", 500), "hold");
    ok((await units()).includes("active"));
    await trial.up();
    deepEqual(await units(), three.map(() => "inactive"));
    match(await trial.cluster.guest("orders-3").look("cat /var/lib/datastore/mysql/grastate.dat"), /^safe_to_bootstrap: 1$/m);
    await trial.nothingToDo();

    await powerCut(["orders-2"]);
    await powerOn(["orders-2"]);
    await until("orders-2 to have booted, and its database to be kept stopped", async () => {
      await trial.again();
      return (await trial.told("orders-2", "not started: its cluster was stopped", "-b -u mariadb")) > 0;
    });
    deepEqual(await units(), three.map(() => "inactive"));
    await trial.refresh();
    await trial.nothingToDo();
    const { all, exitCode } = await trial.cli("status");
    equal(exitCode, 0, all);
    match(all!, /orders-1 .*stopped[^]*orders-2 .*stopped[^]*orders-3 .*stopped[^]*all well/);

    await trial.want({ flavor: "m1.medium" });
    match(await trial.refused(["preview"]), /orders is stopped, and servers cannot change with that: set state to running with that change, or take it back/);
    await trial.want({ flavor: "m1.small" });

    await trial.want({ state: "running" });
    deepEqual(await trial.previewed(), ["recover orders-3", "join orders-1", "join orders-2", `verify ${three.join(" ")}`]);
    equal(await trial.cutAt(["join orders-1"], "kill -9 of the CLI", 2000), "join");
    await trial.up();
  }, { within: 900 }));

  it("is whole then, and boots as ever", async () => {
    await trial.whole(three);
    await trial.nothingToDo();
    await trial.during("boot of a member", async () => {
      await powerCut(["orders-1"]);
      await powerOn(["orders-1"]);
    });
  });

  it("that somebody has stopped by hand is held as it is, and not started for that", async () => {
    await trial.want({ state: "stopped" });
    await trial.during("stopped by hand, held, started", async () => {
      for (const name of three) await trial.cluster.guest(name).look("systemctl stop mariadb");
      await trial.refresh();
      deepEqual(await trial.previewed(), [`hold ${three.join(" ")} ${held}`]);
      await trial.up();
      deepEqual(await units(), three.map(() => "inactive"));
      await trial.nothingToDo();
      await trial.want({ state: "running" });
      await trial.up();
    }, { within: 600 });
    await trial.whole(three);
    await trial.nothingToDo();
  });

  it("lost no acknowledged row in all that", () => trial.nothingLost());
});
