import type { Hops } from "../../hops";
import type { Options } from "./options";

/** From one long-term release to a later one, member by member (MariaDB: Upgrading Galera Cluster, and Upgrading Between Major MariaDB Versions). */
export const hops: Record<Options["vendor"], Hops> = {
  mariadb: { document: "https://mariadb.com/docs/galera-cluster/galera-management/upgrading-galera-cluster", to: { "10.11": ["11.4", "11.8"], "11.4": ["11.8"] } },
};
