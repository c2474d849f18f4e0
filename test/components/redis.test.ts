import { deepEqual, doesNotMatch, equal, rejects } from "node:assert/strict";
import { inspect } from "node:util";
import { RunError } from "@pulumi/pulumi";
import type { RedisCluster, RedisClusterArgs } from "../../components";
import { leastRedis, privateKey, program, redis, settled, type Registered } from "./program";

type Run = Awaited<ReturnType<typeof program<RedisCluster>>>;
const of = (registered: Registered[], type: string) => registered.filter((each) => each.type.endsWith(`:${type}`));
const inputs = (run: Run, type: string) => of(run.registered, type).map((each) => each.inputs);
const six = [1, 2, 3].flatMap((shard) => [1, 2].map((number) => `sessions-${shard}-${number}`));

describe("RedisCluster", () => {
  let least: Run;
  let most: Run;
  before(async () => {
    least = await program(() => redis());
    most = await program(() => redis({
      shards: 4, replicasPerShard: 2, vendor: "valkey", version: "8.1", maxMemory: "512mb", persistence: "always", configuration: { "io-threads": "2" }, password: "s3cr3t-pass-w0rd", formerPasswords: ["f0rmer-pass-w0rd"],
      availabilityZones: ["az1", "az2", "az3"], locality: "anti-affinity", without: ["sessions-2-1"], allowedCidrs: ["192.0.2.0/24"],
    }));
  });

  it("names members after their shard, for ever", () => {
    deepEqual(inputs(least, "Instance").map(({ name }) => name), six);
    deepEqual(inputs(most, "Instance").map(({ name }) => name).filter((name) => name.startsWith("sessions-2")), ["sessions-2-2", "sessions-2-3", "sessions-2-4"]);
  });

  it("has a server group for each shard, so that only its own members keep away from each other", () => {
    deepEqual(inputs(least, "ServerGroup").map(({ name, policies }) => [name, policies]), [1, 2, 3].map((shard) => [`sessions-${shard}`, ["soft-anti-affinity"]]));
    deepEqual(inputs(least, "Instance").map(({ schedulerHints: [{ group }] }) => group), six.map((name) => `ServerGroup-${name.slice(0, -2)}`));
    deepEqual(inputs(least, "Requirements")[0].groups, Object.fromEntries([1, 2, 3].map((shard) => [`sessions-${shard}`, six.filter((name) => name.startsWith(`sessions-${shard}`))])));
  });

  it("has the members of a shard in different zones, and the first ones of shards too", () => {
    const zones = Object.fromEntries(inputs(most, "Instance").map(({ name, availabilityZone }) => [name, availabilityZone]));
    for (const shard of [1, 3, 4]) equal(new Set([1, 2, 3].map((number) => zones[`sessions-${shard}-${number}`])).size, 3, `shard ${shard}`);
    deepEqual([1, 3, 4].map((shard) => zones[`sessions-${shard}-1`]), ["az1", "az3", "az1"]);
  });

  it("opens 6379 to who is named, and all to members", () => {
    const ports = (run: Run) => inputs(run, "SecGroupRule").map(({ portRangeMin = "all", remoteIpPrefix, remoteGroupId }) => `${portRangeMin} ${remoteIpPrefix ?? remoteGroupId}`);
    deepEqual(ports(least), ["all SecGroup-sessions", "22 0.0.0.0/0"]);
    deepEqual(ports(most), ["6379 192.0.2.0/24", "all SecGroup-sessions", "22 0.0.0.0/0"]);
  });

  it("hands all that was asked to the provider", () => {
    const { datastore, options, rootPassword, formerPasswords, deletionProtection } = inputs(most, "Cluster")[0];
    deepEqual([datastore, options, rootPassword, formerPasswords, deletionProtection],
      ["redis", { vendor: "valkey", version: "8.1", configuration: { "io-threads": "2" }, maxMemory: "512mb", persistence: "always" }, "s3cr3t-pass-w0rd", ["f0rmer-pass-w0rd"], true]);
    deepEqual(inputs(least, "Cluster")[0].options, { vendor: "redis", configuration: {} });
  });

  it("gives these outputs, the password among them as a secret", async () => {
    const value = async <Key extends keyof RedisCluster>(key: Key) => settled<unknown>(least.result[key] as never);
    deepEqual((await value("members")).value, six);
    deepEqual((await value("shards")).value, { 1: six.slice(0, 2), 2: six.slice(2, 4), 3: six.slice(4) });
    equal(((await value("endpoints")).value as string[])[0], "198.18.0.11:6379");
    equal((await value("connectionString")).value, "rediss://default:gener%40ted%2Fpass@198.18.0.11:6379");
    deepEqual((await value("roles")).value, { "sessions-1-1": "replica", "sessions-1-2": "primary" });
    deepEqual([(await value("password")).secret, (await value("connectionString")).secret, (await value("endpoints")).secret, (await value("caCertificate")).secret], [true, true, false, false]);
    const raw = (type: string) => JSON.stringify(of(most.registered, type).map((each) => each.raw), (_, each: unknown) => (typeof each === "object" && each !== null && "4dabf18193072939515e22adb298388d" in each ? "secret" : each));
    for (const type of ["RedisCluster", "Requirements", "Cluster"]) doesNotMatch(raw(type), /s3cr3t|f0rmer|PRIVATE KEY/, type);
  });

  describe("refuses", () => {
    const shards = (what: string) => `shards must be a whole number, at least 3; it is ${what}`;
    const members = six.join(", ");
    for (const [wrong, ...texts] of [
      [{ shards: 1 }, shards("1")],
      [{ shards: 2 }, shards("2")],
      [{ shards: 3.5 }, shards("3.5")],
      [{ shards: undefined }, shards("missing")],
      [{ replicasPerShard: -1 }, "replicasPerShard must be a whole number, at least 0; it is -1"],
      [{ replicasPerShard: 0 }, "replicasPerShard must be at least 1; it is 0, so a shard is away while its one server is, and its keys are lost with its volume. To take that risk, name it: allowUnsafe: [\"no-replicas\"]"],
      [{ members: 6 }, "a cluster has no members: it takes shards, replicasPerShard, flavor, image, network, volume, availabilityZones, locality, allowedCidrs, access, memberOverrides, without, replace, forget, rollout, state, restartTrigger, authorities, allowUnsafe, cloud, maintenance, deletionProtection, vendor, version, configuration, maxMemory, persistence, password, formerPasswords"],
      [{ replace: ["sessions-9-1"] }, `replace names sessions-9-1, but the members are ${members}`],
      [{ without: ["sessions-1"] }, "without names sessions-1, but members are named sessions-1-1, sessions-1-2, sessions-2-1 and so on"],
    ] as [object, ...string[]][]) it(inspect(wrong, { breakLength: Infinity }), () => rejects(program(() => redis(wrong as Partial<RedisClusterArgs>)), (error: Error) => {
      deepEqual([error.message.split("\n"), RunError.isInstance(error)], [texts.map((text) => `sessions: ${text}`), true]);
      return true;
    }));

    it("no replicas where that risk is taken", () => program(() => redis({ replicasPerShard: 0, allowUnsafe: ["no-replicas"] })));
    it("a key that is none, and shows nothing of it", () => rejects(program(() => redis({ access: { ...leastRedis.access, privateKey: privateKey.slice(0, 90) } })), /access.privateKey must be an unencrypted private key/));
  });
});
