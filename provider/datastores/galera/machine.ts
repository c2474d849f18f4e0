import type { Severity } from "../../demands";
import type { Needs } from "../../guest/machine";
import { families } from "./configuration";
import type { Options } from "./options";
import { runs, type Sight } from "./sight";

/**
 * The members whose servers are new: nothing was made on them yet. Without data a finding may hold the run up, for
 * nothing is lost by waiting. None while a cluster that has data is down: it is brought back whatever its machines are like.
 */
export function newcomers(members: string[], seen: Record<string, Sight>): Record<string, Severity> {
  const sights = Object.values(seen);
  if (sights.some(holdsData) && !sights.some(runs)) return {};
  return Object.fromEntries(members.flatMap((name) => {
    const sight = seen[name];
    return sight?.is === "down" && !sight.mounted && !sight.configured ? [[name, holdsData(sight) ? "warning" : "error"]] : [];
  }));
}

const holdsData = (sight: Sight): boolean => sight.is !== "down" || sight.data.is !== "none" || sight.hasHadData;

/** MiB beside the buffer pool: connections, dictionaries, and writes that are under way (MariaDB Memory Allocation). */
const beside = 256;
/** MiB of Debian's packages, the archives and indexes that they come by, and the data directory that Debian makes and nobody uses. */
const space = 700;

/** What a member needs of its machine. */
export function needs({ version, configuration }: Options): Needs {
  const set = new Map(Object.entries(configuration).map(([key, value]) => [key.toLowerCase().replaceAll("-", "_").replace(/^((loose|maximum)_)+/, ""), String(value)]));
  const number = (option: string, otherwise: number) => bytes(set.get(option)) ?? otherwise;
  const pool = set.get("innodb_buffer_pool_size") ?? "128M";
  const connections = number("max_connections", 151);
  return {
    server: "MariaDB",
    release: version === "11.8" ? "13" : "12",
    unit: "mariadb.service",
    processes: ["mariadbd", "mysqld"],
    packages: families,
    rivals: ["mysql-server*", "mysql-community-server*", "percona-server-server*", "percona-xtradb-cluster-server*"],
    ports: { clients: [3306], members: [4444, 4567, 4568] },
    memory: { mib: Math.ceil((bytes(pool) ?? 0) / 2 ** 20) + beside, by: `innodb_buffer_pool_size = ${pool} and ${beside} MiB beside it` },
    // As MariaDB reckons itself (Server System Variables: open_files_limit).
    files: {
      wanted: Math.max(number("open_files_limit", 0), 5 * connections, 10 + connections + 2 * number("table_open_cache", 2000)),
      by: "max_connections, table_open_cache and open_files_limit", packaged: 32_768,
    },
    space,
  };
}

/** A number as MariaDB reads it, with its suffix. */
function bytes(value: string | undefined): number | undefined {
  const [, digits, suffix = ""] = /^(\d+)([KMGTPE]?)$/i.exec(value?.trim() ?? "") ?? [];
  return digits === undefined ? undefined : Number(digits) * 1024 ** ["", ..."KMGTPE"].indexOf(suffix.toUpperCase());
}
