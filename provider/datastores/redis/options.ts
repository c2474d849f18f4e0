import { z } from "zod";

/** What the package itself decides, or another argument: another value would break the cluster, its safety or its secrecy. */
const ours = ["port", "tls-", "bind", "bind-source-addr", "protected-mode", "unixsocket", "unixsocketperm", "dir", "dbfilename", "appendonly", "appendfsync", "appendfilename", "appenddirname",
  "cluster-enabled", "cluster-config-file", "cluster-announce-", "cluster-port", "cluster-allow-replica-migration", "cluster-replica-no-failover", "cluster-slave-no-failover", "cluster-preferred-endpoint-type",
  "masterauth", "masteruser", "requirepass", "user", "aclfile", "rename-command", "replicaof", "slaveof", "daemonize", "supervised", "pidfile", "logfile", "databases", "include", "loadmodule",
  "maxmemory", "enable-protected-configs", "enable-debug-command", "enable-module-command"];

/** A name that ends with a dash is the beginning of many. */
const isOurs = (key: string): boolean => ours.some((name) => (name.endsWith("-") ? key.toLowerCase().startsWith(name) : key.toLowerCase() === name));

/** How much may be lost when all members of a shard lose power at once. */
export const persistences = ["every-second", "always", "snapshots"] as const;

const must = (what: string) => ({ error: `must be ${what}` });
const version = must("a major version such as \"7.0\", as a string; left out, it is what the image's package sources offer");
const size = must("a size such as \"512mb\" or \"2gb\", as a string");

export const options = z.strictObject({
  restartTrigger: z.string(must("a text: each other one restarts the members, one at a time")).optional(),
  vendor: z.enum(["redis", "valkey"], must("\"redis\" or \"valkey\"")),
  version: z.string(version).regex(/^\d+\.\d+$/, version).optional(),
  persistence: z.enum(persistences, must(`one of ${persistences.join(", ")}`)).default("every-second"),
  maxMemory: z.string(size).regex(/^[1-9]\d*([kmg]b?)?$/i, size).optional(),
  configuration: z.record(
    z.string().regex(/^[a-z][a-z0-9-]{0,79}$/i, { error: "is not the name of a setting: give one as it stands in redis.conf, such as maxmemory-policy" })
      .refine((key) => !isOurs(key), { error: "is set by the package itself, or by another argument: leave it out" }),
    z.union([
      z.string().refine((value) => !/[\0\n\r]/.test(value), { error: "has a NUL or a line break, which no setting of redis.conf can hold: leave it out" }),
      z.number(), z.boolean(),
    ], must("the setting's value, as a string")), must("an object with the names of settings for keys"),
  ).default({}),
}).superRefine(({ persistence, configuration }, context) => {
  for (const key of Object.keys(configuration))
    if (key.toLowerCase() === "save" && persistence !== "snapshots") context.addIssue({ code: "custom", path: ["configuration", key], message: "makes snapshots, which are made only with persistence: \"snapshots\": leave it out, or ask for these" });
});
export type Options = z.infer<typeof options>;
