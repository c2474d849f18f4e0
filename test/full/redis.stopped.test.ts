import { deepEqual, equal, match, ok } from "node:assert/strict";
import { powerCut, powerOn } from "../../devcloud";
import { named, RedisTrial } from "../guests/redis/trial";
import { until } from "../guests/trial";

const six = named(3, 1);
const held = "(stopped until `state` is running again)";

describe("a Redis cluster that is stopped, and started again, on real guests", function () {
  const trial = new RedisTrial(this);
  const units = () => Promise.all(six.map(async (name) => (await trial.cluster.guest(name).look(`systemctl show -P ActiveState ${trial.server}`)).trim()));
  const boot = async (name: string) => {
    await powerCut([name]);
    await powerOn([name]);
    await until(`${name} to have booted, and its server to be kept stopped`, async () => {
      await trial.again();
      return (await trial.told(name, "not started: its cluster was stopped", `-b -u ${trial.server}`)) > 0;
    });
  };
  let primaries: Record<string, string>;
  const [isPrimary, isReplica] = [(name: string) => Object.values(primaries).includes(name), (name: string) => !Object.values(primaries).includes(name)];

  it("is created, and written to", async () => {
    await trial.up();
    await trial.whole(six);
    await trial.write();
    await trial.fill(20_000);
    primaries = await trial.primaries();
  });

  it("stops replicas and then primaries though the run is killed, stays so over boots, and starts as it was though that is killed", () => trial.during("stop, boots, start, each killed", async () => {
    await trial.want({ state: "stopped" });
    deepEqual(await trial.previewed(), [`hold ${six.filter(isReplica).join(" ")} ${held}`, `hold ${six.filter(isPrimary).join(" ")} ${held}`]);
    equal(await trial.cutAt(["hold"], "kill -9 of the CLI", 1500), "hold");
    equal(await trial.cutAt(["hold"], "kill -9 of the CLI", 300), "hold");
    await trial.up();
    deepEqual(await units(), six.map(() => "inactive"));
    await trial.nothingToDo();

    await boot(primaries["1"]!);
    await boot(six.find(isReplica)!);
    deepEqual(await units(), six.map(() => "inactive"));
    await trial.refresh();
    await trial.nothingToDo();
    const { all, exitCode } = await trial.cli("status");
    equal(exitCode, 0, all);
    ok(six.every((name) => new RegExp(`${name} .*stopped`).test(all!)), all);

    await trial.want({ maxMemory: "300mb" });
    match(await trial.refused(["preview"]), /sessions is stopped, and maxMemory cannot change with that: set state to running with that change, or take it back/);
    await trial.want({ maxMemory: "256mb" });

    await trial.want({ state: "running" });
    deepEqual(await trial.previewed(), [`start ${six.filter(isPrimary).join(" ")}`, `start ${six.filter(isReplica).join(" ")}`, `verify ${six.join(" ")}`]);
    equal(await trial.cutAt(["start"], "kill -9 of the CLI", 300), "start");
    await trial.up();
  }, { within: 900 }));

  it("is whole then, each shard with the primary that it had", async () => {
    await trial.whole(six);
    deepEqual(await trial.primaries(), primaries);
    await trial.nothingToDo();
  });

  it("lost no acknowledged key in all that", () => trial.nothingLost());
});
