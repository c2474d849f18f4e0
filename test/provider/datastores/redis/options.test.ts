import { deepEqual, ok } from "node:assert/strict";
import { inspect } from "node:util";
import { options } from "../../../../provider/datastores/redis/options";
import { failures, parse } from "../../../../provider/inputs";

const problems = (value: object) => failures(options, { vendor: "redis", ...value });
const refused = (key: string, value: unknown = "x") => problems({ configuration: { [key]: value } }).some(({ property }) => property === `configuration.${key}`);

describe("redis options", () => {
  it("the least that must be said is the vendor", () => {
    deepEqual(parse(options, { vendor: "valkey" }, "options"), { vendor: "valkey", persistence: "every-second", configuration: {} });
    deepEqual(failures(options, {}).map(({ property }) => property), ["vendor"]);
  });

  const ours = "is set by the package itself, or by another argument: leave it out";
  const noName = "is not the name of a setting: give one as it stands in redis.conf, such as maxmemory-policy";
  const size = "must be a size such as \"512mb\" or \"2gb\", as a string";
  const version = "must be a major version such as \"7.0\", as a string; left out, it is what the image's package sources offer";
  for (const [wrong, property, reason] of [
    [{ vendor: "keydb" }, "vendor", "must be \"redis\" or \"valkey\""],
    [{ version: "7" }, "version", version],
    [{ version: 7.0 }, "version", version],
    [{ persistence: "never" }, "persistence", "must be one of every-second, always, snapshots"],
    [{ maxMemory: "lots" }, "maxMemory", size],
    [{ maxMemory: "0" }, "maxMemory", size],
    [{ maxMemory: 512 }, "maxMemory", size],
    [{ maxMemory: "50%" }, "maxMemory", size],
    [{ configuration: { "cluster-enabled": "no" } }, "configuration.cluster-enabled", ours],
    [{ configuration: { port: "6380" } }, "configuration.port", ours],
    [{ configuration: { "max memory": "5" } }, "configuration.max memory", noName],
    [{ configuration: { "maxclients 5\nport": "1" } }, "configuration.maxclients 5\nport", noName],
    [{ configuration: { maxclients: "5\nport 6380" } }, "configuration.maxclients", "has a NUL or a line break, which no setting of redis.conf can hold: leave it out"],
    [{ configuration: { maxclients: null } }, "configuration.maxclients", "must be the setting's value, as a string"],
    [{ configuration: "maxclients 5" }, "configuration", "must be an object with the names of settings for keys"],
    [{ configuration: { save: "900 1" } }, "configuration.save", "makes snapshots, which are made only with persistence: \"snapshots\": leave it out, or ask for these"],
  ] as const) it(`${inspect(wrong, { breakLength: Infinity, maxStringLength: 40 })} is refused, with the argument, its rule and the way forward`, () => deepEqual(problems(wrong), [{ property, reason }]));

  it("usual settings are the user's own", () => {
    for (const key of ["maxmemory-policy", "maxclients", "timeout", "io-threads", "client-output-buffer-limit", "notify-keyspace-events", "slowlog-log-slower-than", "cluster-node-timeout", "MaxClients"]) ok(!refused(key), key);
    deepEqual(problems({ persistence: "snapshots", configuration: { save: "900 1 300 10" } }), []);
    for (const value of ["512mb", "2gb", "1G", "100000000", "64k"]) deepEqual(problems({ maxMemory: value }), [], value);
  });

  for (const key of ["cluster-enabled", "Cluster-Enabled", "port", "tls-port", "tls-auth-clients", "tls-cert-file", "bind", "dir", "appendonly", "appendfsync", "masterauth", "requirepass", "user", "aclfile",
    "rename-command", "replicaof", "slaveof", "maxmemory", "include", "loadmodule", "cluster-announce-ip", "cluster-replica-no-failover", "enable-debug-command"])
    it(`${key} is not`, () => ok(refused(key)));
});
