import { deepEqual, match, ok } from "node:assert/strict";
import { named, RedisTrial } from "../guests/redis/trial";

const [three, four] = [named(3, 1), named(4, 1)];

/** The same code as for Redis, with the packages of Debian 13: what differs is tried once, and what is done to a cluster that runs. */
describe("a Valkey cluster on real guests", function () {
  const trial = new RedisTrial(this, "valkey-server");

  it("is created, and takes keys from now on", async () => {
    await trial.want({ vendor: "valkey", image: "debian-13" });
    await trial.up();
    await trial.whole(three);
    match(await trial.ask(three[0]!, "INFO", "server"), /^server_name:valkey/m);
    await trial.nothingToDo();
    await trial.write();
    await trial.fill(60_000);
  });

  it("grows to four shards, and shrinks again", async () => {
    await trial.want({ shards: 4 });
    await trial.during("grow 3 to 4 shards", () => trial.up());
    await trial.whole(four);
    await trial.want({ shards: 3 });
    await trial.during("shrink 4 to 3 shards", () => trial.up());
    await trial.whole(three);
    await trial.nothingToDo();
  });

  it("changes a live setting, and one that needs a restart", async () => {
    const before = await trial.starts();
    await trial.want({ configuration: { "maxmemory-policy": "allkeys-lru" } });
    await trial.during("change a live setting", () => trial.up());
    deepEqual(await trial.starts(), before);
    await trial.want({ configuration: { "maxmemory-policy": "allkeys-lru", "tcp-backlog": "1024" } });
    await trial.during("change a setting that needs a restart", () => trial.up());
    await trial.whole(three);
    const now = await trial.starts();
    for (const name of three) ok(now[name] !== before[name], `${name} was not restarted`);
    await trial.nothingToDo();
  });

  it("lost no acknowledged key in all that", () => trial.nothingLost());
});
