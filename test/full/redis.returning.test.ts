import { deepEqual, match } from "node:assert/strict";
import { named, RedisTrial } from "../guests/redis/trial";

const six = named(3, 1);
const data = "/var/lib/datastore/redis";

describe("a Redis cluster to which members come back, on real guests", function () {
  const trial = new RedisTrial(this);
  const replica = async () => {
    const { 2: primary } = await trial.primaries();
    return six.find((name) => name.startsWith("sessions-2-") && name !== primary)!;
  };

  it("is created, with data that take long to read, and written to", async () => {
    await trial.want({ configuration: { "key-load-delay": 2000 } });
    await trial.up();
    await trial.whole(six);
    await trial.write();
    await trial.fill(150_000);
  });

  it("waits for a member that still reads its data, and then gives it the settings that the others have", async () => {
    const name = await replica();
    await trial.want({ configuration: { "key-load-delay": 0, "maxmemory-policy": "allkeys-lru" } });
    await trial.during("a live setting while a member reads its data", async () => {
      await trial.cluster.guest(name).look("systemctl kill --signal=KILL redis-server");
      const { stdout } = await trial.up();
      match(stdout, new RegExp(`waiting for the server on ${name} to have read its data: `));
      match(stdout, new RegExp(`step 2/3 start ${name}`));
    }, { within: 5 });
    for (const each of six) match(await trial.ask(each, "INFO", "memory"), /maxmemory_policy:allkeys-lru/, each);
    await trial.whole(six);
    await trial.nothingToDo();
  });

  it("takes in again a member that lost power when it had been met, before it wrote down by whom", async () => {
    const name = await replica();
    await trial.during("a member that all know and that knows nobody", async () => {
      await trial.cluster.guest(name).look(`systemctl stop redis-server
rm -r ${data}/appendonlydir
sed -i -n 's/myself,slave [0-9a-f]*/myself,master -/p' ${data}/cluster/nodes.conf
echo 'vars currentEpoch 0 lastVoteEpoch 0' >>${data}/cluster/nodes.conf
sed -i 's/"hasHadData": *true/"hasHadData":false/' /var/lib/datastore/.datastore.json
sync -f ${data}`);
      await trial.refresh();
      deepEqual((await trial.previewed()).slice(0, 2), [`start ${name}`, `join ${name}`]);
      await trial.up();
    }, { within: 5 });
    await trial.whole(six);
    await trial.nothingToDo();
  });

  it("lost no acknowledged key in all that", () => trial.nothingLost());
});
