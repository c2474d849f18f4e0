import { deepEqual, match, ok } from "node:assert/strict";
import { exec } from "../../devcloud";
import { named, RedisTrial } from "../guests/redis/trial";
import { until } from "../guests/trial";

const [three, four, tripled] = [named(3, 1), named(4, 1), named(3, 2)];

/** The same code as for Redis, with the packages of Debian 13: what differs is tried once, and what the life of a Redis cluster does not come to. */
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

  it("grows to four shards", async () => {
    await trial.want({ shards: 4 });
    await trial.during("grow 3 to 4 shards", () => trial.up());
    await trial.whole(four);
  });

  it("refuses to shrink where the keys do not fit, before anything is changed, and shrinks where they do", async () => {
    const bytes = async (name: string, what: string) => Number(new RegExp(`^${what}:(\\d+)`, "m").exec(await trial.ask(name, "INFO", "memory"))![1]);
    const primaries = Object.values(await trial.primaries());
    const used = Math.max(...await Promise.all(primaries.map((name) => bytes(name, "used_memory"))));
    const share = (await bytes((await trial.primaries())["4"]!, "used_memory_dataset")) / 3;
    await trial.want({ maxMemory: `${Math.ceil((used + share / 2) / 1024)}kb` });
    await trial.up();
    await trial.want({ shards: 3 });
    match(await trial.refused(["up", "--yes", "--skip-preview"]), /refused: keys are moved only to members whose memory has room for them\. Seen: sessions-[123]-[12] would hold \d+ MiB of at most \d+ MiB.*raise `maxMemory` first, in a `pulumi up` of its own/s);
    deepEqual(await trial.servers(), four);
    await trial.want({ shards: 4, maxMemory: "256mb" });
    await trial.up();
    await trial.whole(four);
    await trial.want({ shards: 3 });
    await trial.during("shrink 4 to 3 shards", () => trial.up());
    await trial.whole(three);
    await trial.nothingToDo();
  });

  it("gives each shard a second replica, and takes it back", async () => {
    await trial.want({ replicasPerShard: 2 });
    await trial.during("grow 1 to 2 replicas", () => trial.up());
    await trial.whole(tripled);
    await trial.want({ replicasPerShard: 1 });
    await trial.during("shrink 2 to 1 replicas", () => trial.up());
    await trial.whole(three);
    await trial.nothingToDo();
  });

  it("does not start a primary whose data volume is not there, whose replica took over; it comes back with it", async () => {
    const old = (await trial.primaries())["3"]!;
    const server = (...words: string[]) => exec(["openstack", "--os-cloud", "devcloud", "server", ...words]);
    await trial.during("detach a primary's volume", async () => {
      await server("remove", "volume", old, old);
      await server("reboot", "--hard", "--wait", old);
      await until("its replica to take over", async () => (await trial.primariesBut(old))["3"] !== undefined);
      await until(`${old} to be reached`, async () => { await trial.again(); return true; });
      match(await trial.cluster.guest(old).look(`systemctl is-active ${trial.server} || true; journalctl -q -b -o cat -u ${trial.server}`), /^inactive\n[^]*Dependency failed for valkey-server\.service/);
      await server("add", "volume", old, old);
      await server("reboot", "--hard", "--wait", old);
      await until(`${old} to be reached`, async () => { await trial.again(); return true; });
    }, { patience: 3, mayLose: 2 });
    await trial.whole(three);
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
