import type { Severity } from "../../demands";
import type { Needs } from "../../guest/machine";
import { busPort, families, port, vendorOf } from "./configuration";
import type { Options } from "./options";
import type { Sight } from "./sight";

/** The members whose servers are new: nothing was made on them yet. None while a cluster that has data is down: it is brought back whatever its machines are like. */
export function newcomers(members: string[], seen: Record<string, Sight>): Record<string, Severity> {
  const sights = Object.values(seen);
  if (sights.some(holdsData) && !sights.some(({ is }) => is === "up")) return {};
  return Object.fromEntries(members.flatMap((name) => {
    const sight = seen[name];
    return sight?.is === "down" && !sight.mounted && !sight.configured ? [[name, holdsData(sight) ? "warning" : "error"]] : [];
  }));
}

const holdsData = (sight: Sight): boolean => sight.is !== "down" || sight.data || sight.hasHadData;

/** MiB beside the keys: connections, replication, and the copy that a rewrite of the append-only file or a snapshot makes of what changes meanwhile. */
const beside = 128;

/** What a member needs of its machine. */
export function needs(options: Options): Needs {
  const { server } = vendorOf(options);
  const bytes = sizeOf(options.maxMemory);
  const clients = Number(options.configuration.maxclients ?? 10_000);
  return {
    server: options.vendor === "redis" ? "Redis" : "Valkey",
    release: options.vendor === "redis" && options.version !== "8.0" ? "12" : "13",
    unit: `${server}.service`,
    processes: [server],
    packages: families,
    rivals: options.vendor === "redis" ? ["valkey-server*"] : ["redis-server*"],
    ports: { clients: [port], members: [port, busPort] },
    memory: { mib: Math.ceil((bytes ?? 0) / 2 ** 20) + beside, by: bytes === undefined ? `${beside} MiB beside the keys` : `maxMemory = ${options.maxMemory} and ${beside} MiB beside it` },
    files: { wanted: clients + 32, by: "maxclients", packaged: 65_535 },
    space: 100,
  };
}

/** Bytes, as Redis reads them: `1k` is a thousand of them, `1kb` 1024. */
export function sizeOf(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const [, digits = "", unit = ""] = /^(\d+)([kmg]b?)?$/i.exec(value)!;
  const factor = { "": 1, k: 1e3, kb: 1024, m: 1e6, mb: 1024 ** 2, g: 1e9, gb: 1024 ** 3 }[unit.toLowerCase()]!;
  return Number(digits) * factor;
}
