import { createHash, hkdfSync } from "node:crypto";
import { bundle, each } from "../../bundle";
import { mountPoint } from "../../guest/volume";
import type { Authority } from "../../inputs";
import { conf, render } from "../../template";
import { differing } from "../../wire";
import type { Member, Topology } from "../../topology";
import type { Cluster } from "../datastore";
import type { Options } from "./options";

type Passwords = Cluster<unknown>["passwords"];

/** Debian's packages of each vendor. */
const vendors = {
  redis: { server: "redis-server", user: "redis", epoch: "5:" },
  valkey: { server: "valkey-server", user: "valkey", epoch: "" },
};
export const vendorOf = ({ vendor }: Pick<Options, "vendor">) => vendors[vendor];

export const packages = (options: Pick<Options, "vendor">): string[] => [vendorOf(options).server, "xfsprogs"];
/** As apt takes them: it fetches nothing where it is not offered the wanted major version. */
export const ofVersion = (options: Options): string[] =>
  packages(options).map((name) => (options.version !== undefined && name === vendorOf(options).server ? `${name}=${vendorOf(options).epoch}${options.version}.*` : name));
/** How the names of those begin that are to be of one version on all members. */
export const families = ["redis", "valkey"];

/** Whether Debian's version of a package, as in `5:7.0.15-1~deb12u5`, is of the wanted major version. */
export const isVersion = ({ version }: Pick<Options, "version">, debian: string): boolean =>
  version === undefined || debian.replace(/^\d+:/, "").startsWith(`${version}.`);

export const port = 6379;
export const busPort = 16379;
/** Below the volume's root, beside the marker. */
export const dataDirectory = "redis";
export const dataPath = `${mountPoint}/${dataDirectory}`;
/**
 * Below the data directory: alone in a directory whose files are written through to the disk, as `xfs_io` has it. The server puts on the disk itself only what it must not forget, such as its votes; a power
 * cut after any other save left xfs with an empty or a shortened file, which no server starts with: "corrupted cluster config file" (Redis: `cluster.c`, clusterSaveConfig; kernel: xfs, `inherit_sync`).
 */
export const nodesFile = "cluster/nodes.conf";
export const folder = "/etc/datastores/redis";
export const optionsFile = `${folder}/server.conf`;
export const program = `${folder}/redis.py`;
/** The first lines of the options that the server runs with: those it was started with, and what it took since. */
export const runningFile = "/run/datastores/options";

/** Where a member's data lie below its data directory: without them a primary would have its replicas throw theirs away. */
export const dataFile = ({ persistence }: Pick<Options, "persistence">): string => (persistence === "snapshots" ? "dump.rdb" : "appendonlydir");

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Who the provider is to a member, and members are to each other. Both passwords follow from the authority's key, which no guest has. */
export const accounts = (authority: Pick<Authority, "key">) => {
  const password = (name: string) => Buffer.from(hkdfSync("sha256", authority.key, "", name, 24)).toString("base64url");
  return { administrator: { name: "datastores", password: password("administrator") }, replica: { name: "replica", password: password("replica") } };
};

/** Those of each authority whose key is known, the signer's first. */
export const logins = (authority: Authority) => each(authority).filter(({ key }) => key !== "").map(accounts);

/** Settings that a running server does not take (Redis 7.0 and Valkey 8.1: `config.c`, IMMUTABLE_CONFIG). Before it is restarted a server asks itself. */
const immutable = ["always-show-logo", "aof_rewrite_cpulist", "aof-rewrite-cpulist", "bgsave_cpulist", "bgsave-cpulist", "bio_cpulist", "bio-cpulist", "disable-thp", "io-threads", "io-threads-do-reads",
  "rdbchecksum", "server_cpulist", "server-cpulist", "set-proc-title", "socket-mark-id", "syslog-enabled", "syslog-facility", "syslog-ident", "tcp-backlog"];

export const needsRestart = (key: string): boolean => immutable.includes(key.toLowerCase());

/** Each setting that differs from the server's own, by name; a running server takes those that are live. */
export function settings({ configuration, persistence, maxMemory }: Options): { live: Record<string, string>; fixed: Record<string, string> } {
  const text = (value: unknown) => (typeof value === "boolean" ? (value ? "yes" : "no") : String(value));
  const given = Object.entries(configuration).map(([key, value]): [string, string] => [key.toLowerCase(), text(value)]);
  const kept: Record<string, string> = persistence === "snapshots" ? { appendonly: "no" } : { appendonly: "yes", appendfsync: persistence === "always" ? "always" : "everysec", save: "" };
  return {
    live: { ...Object.fromEntries(given.filter(([key]) => !needsRestart(key))), ...kept, ...(maxMemory === undefined ? {} : { maxmemory: String(maxMemory) }) },
    fixed: Object.fromEntries(given.filter(([key]) => needsRestart(key))),
  };
}

/** How many lines the header has. */
export const headerLines = 3;

/** The first lines of the options file: what a server has to be started anew for, and what else it runs with. A setting that is taken out goes back to its default so, too. */
export function header(options: Options): string {
  const { live, fixed } = settings(options);
  const restarts = options.restartTrigger === undefined ? [] : [options.restartTrigger];
  return `# fixed ${sha256(JSON.stringify([...Object.entries(fixed).sort(), ...restarts]))}\n# live ${Object.keys(live).sort().join(" ")}\n# values ${sha256(JSON.stringify(Object.entries(live).sort()))}\n`;
}

/** The settings that are otherwise than they were, and how each comes to count. */
export function changes(was: Options, wanted: Options): string {
  const [before, then] = [settings(was), settings(wanted)];
  const live = differing(before.live, then.live).map((key) => `${key} ${key in then.live ? "live" : "at a restart"}`);
  const fixed = differing(before.fixed, then.fixed).map((key) => `${key} at a restart`);
  return [...live, ...fixed].sort().concat(was.restartTrigger === wanted.restartTrigger ? [] : ["restartTrigger at a restart"]).join(", ");
}

/** The header of what a server runs with once it was given all live settings that are wanted. */
export function runningHeader(options: Options, running: string): string {
  if (isCurrent(options, running)) return header(options);
  const [started, wanted] = [running, header(options)].map((text) => text.split("\n"));
  return [...started!.slice(0, headerLines - 1), ...wanted!.slice(headerLines - 1)].join("\n");
}

/** Whether a server that was started with this header runs with all that is wanted, once its live settings are. */
export function isCurrent(options: Options, started: string): boolean {
  const [fixed = "", live = ""] = started.split("\n");
  const [wantedFixed, wantedLive = ""] = header(options).split("\n");
  const keys = (line: string) => line.split(" ").slice(2);
  return fixed === wantedFixed && keys(live).every((key) => keys(wantedLive).includes(key));
}

/** What clients may do: all that is about their keys, and to ask where these are. Nothing that stops, empties or reshapes the cluster. */
const clientRules = ["~*", "&*", "+@all", "-@dangerous", "-@admin", "+info", ...["info", "keyslot", "myid", "nodes", "shards", "slots", "countkeysinslot", "getkeysinslot"].map((command) => `+cluster|${command}`)];

/** Of a password only its hash lies on a disk. */
const hashes = (passwords: string[]): string => passwords.map((password) => `#${sha256(password)}`).join(" ");

/** The users of a server, as `ACL SETUSER` and a configuration file take them: ours with the password of each authority that is trusted. */
export const users = (passwords: Passwords, authority: Authority): Record<string, string> => {
  const all = logins(authority);
  const ours = (who: keyof ReturnType<typeof accounts>) => hashes(all.map((those) => those[who].password));
  return {
    default: clientOf(passwords),
    [all[0]!.administrator.name]: `reset on ${ours("administrator")} ~* &* +@all`,
    [all[0]!.replica.name]: `reset on ${ours("replica")} +psync +replconf +ping`,
  };
};

/** The user of clients. */
export const clientOf = (passwords: Passwords): string => `reset on ${hashes(passwords)} ${clientRules.join(" ")}`;

/** The line of a configuration that names the user of clients: it is looked at and changed without the others. */
export const clientLine = (passwords: Passwords): string => `user default ${clientOf(passwords)}\n`;
export const withoutClient = (text: string): string => text.replace(/^user default .*\n/m, "");
export const withClient = (text: string, line: string): string => text.replace(/^user default .*\n/m, () => line);

/** A member's own configuration, whole. It holds the word by which members follow each other. */
export function optionsText(want: Topology<Options>, self: Member, passwords: Passwords, authority: Authority): string {
  const { live, fixed } = settings(want.options);
  const { replica } = logins(authority)[0]!;
  return header(want.options) + render(__dirname, "server.conf", conf, {
    authority: sha256(bundle(authority)), folder, port, data: dataPath, nodesFile, self, replica, users: users(passwords, authority), settings: { ...fixed, ...live },
  });
}
