import { deepEqual, equal, match } from "node:assert/strict";
import { GaleraTrial } from "../guests/galera/trial";

const three = ["orders-1", "orders-2", "orders-3"];

describe("a Galera cluster whose changes come to a canary first, and that is maintained, on real guests", function () {
  const trial = new GaleraTrial(this);
  const settings = (of: string) => Promise.all(three.map((name) => trial.settings(name, of)));
  const restarted = async (before: Record<string, string>) => {
    const now = await trial.starts();
    return three.filter((name) => now[name] !== before[name]);
  };

  it("is created, and written to", async () => {
    await trial.up();
    await trial.whole(three);
    await trial.write();
  });

  it("changes one member in the first run, which says who follows, and the others in the next, in which nothing else is wanted", async () => {
    await trial.want({ rollout: { canary: true }, configuration: { max_connections: "322", performance_schema: "ON" } });
    deepEqual(await trial.previewed(), ["configure orders-3 (max_connections live, performance_schema at a restart)", "restart orders-3", `verify ${three.join(" ")}`, "canary: the next run changes orders-1 orders-2"]);
    let before = await trial.starts();
    await trial.during("canary", async () => {
      match((await trial.up()).stdout, /the canary is well; the next `pulumi up` changes orders-1, orders-2/);
    }, { within: 5 });
    await trial.whole(three);
    deepEqual([await restarted(before), await settings("performance_schema"), await settings("max_connections")], [["orders-3"], ["0", "0", "1"], ["321", "321", "322"]]);

    deepEqual(await trial.previewed(), ["configure orders-1 orders-2", "restart orders-1", "restart orders-2", `verify ${three.join(" ")}`]);
    before = await trial.starts();
    await trial.during("after the canary, killed", () => trial.cutAndUp("restart", "kill -9 of the CLI", 1000), { within: 5 });
    await trial.whole(three);
    deepEqual([await restarted(before), await settings("performance_schema"), await settings("max_connections")], [["orders-1", "orders-2"], ["1", "1", "1"], ["322", "322", "322"]]);
    await trial.nothingToDo();
  });

  it("touches no guest while it is maintained, and mends with the run that ends that", async () => {
    await trial.want({ maintenance: true });
    await trial.during("maintained", async () => {
      await trial.up();
      await trial.cluster.guest("orders-2").look("systemctl stop mariadb");
      const logins = () => Promise.all(three.map(async (name) => Number(await trial.cluster.guest(name).look("journalctl -q -o cat -u ssh | grep -c '^Accepted publickey' || true"))));
      const before = await logins();
      await trial.nothingToDo();
      await trial.want({ configuration: { max_connections: "323", performance_schema: "ON" } });
      match(await trial.refused(["preview"]), /orders is in maintenance, so no guest is touched, and configuration cannot change/);
      await trial.want({ configuration: { max_connections: "322", performance_schema: "ON" } });
      await trial.up();
      deepEqual(await logins(), before);
      equal((await trial.cluster.guest("orders-2").look("systemctl is-active mariadb || true")).trim(), "inactive");
      await trial.want({ maintenance: false });
      await trial.up();
    }, { within: 5 });
    await trial.whole(three);
    await trial.nothingToDo();
  });

  it("lost no acknowledged row in all that", () => trial.nothingLost());
});
