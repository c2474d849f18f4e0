import { deepEqual, equal, match, ok } from "node:assert/strict";
import { named, RedisTrial } from "../guests/redis/trial";

const three = named(3, 1);

describe("a Redis cluster that gets another major version, on real guests", function () {
  const trial = new RedisTrial(this);
  const each = (command: string) => Promise.all(three.map(async (name) => (await trial.cluster.guest(name).look(command)).trim()));

  it("is created with packages that are held, and written to", async () => {
    await trial.want({ version: "7.0" });
    await trial.up();
    await trial.whole(three);
    deepEqual(await each("apt-mark showhold | grep -cx redis-server || true"), three.map(() => "1"));
    await trial.write();
  });

  it("gets it shard by shard, replicas first and each primary once one of them has taken over, though the run is killed", async () => {
    const primaries = await trial.primaries();
    await trial.want({ version: "8.0", image: "debian-13" });
    const steps = await trial.previewed();
    for (const shard of ["1", "2", "3"]) {
      const of = steps.filter((line) => line.includes(`sessions-${shard}-`) && !line.startsWith("verify"));
      const [replica, primary] = [`sessions-${shard}-${primaries[shard]!.endsWith("-1") ? 2 : 1}`, primaries[shard]!];
      const anew = (name: string) => [`rebuild ${name} (debian-13, 7.0 to 8.0)`, `install ${name} (7.0 to 8.0)`, ...["mount", "configure", "start", "join"].map((step) => `${step} ${name}`)];
      deepEqual(of, [...anew(replica), `promote ${replica}`, ...anew(primary)]);
    }
    await trial.during("7.0 to 8.0, killed", async () => {
      await trial.cutAt(["start"], "kill -9 of the CLI", 300);
      await trial.cutAndUp("promote", "kill -9 of the CLI", 0);
    }, { within: 2 });
    await trial.whole(three);
    for (const name of three) match(await trial.ask(name, "INFO", "server"), /^redis_version:8\.0\./m);
    for (const shown of await each("cat /var/lib/datastore/.written-by; stat -c %U /var/lib/datastore/redis/appendonlydir")) equal(shown, "8.0\nredis");
    ok((await trial.ask(three[0]!, "DBSIZE")) !== "0");
    await trial.nothingToDo();
  });

  it("never goes back", async () => {
    await trial.want({ version: "7.0", image: "debian-12" });
    match(await trial.refused(["preview"]), /refused: data that a later version has opened are opened by no older one.*sessions-1-1 has 8\.0 installed and data of 8\.0.*set `version` to "8\.0"/);
    await trial.want({ version: "8.0", image: "debian-13" });
    await trial.nothingToDo();
  });

  it("lost no acknowledged key in all that", () => trial.nothingLost());
});
