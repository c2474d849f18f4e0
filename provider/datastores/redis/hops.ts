import type { Hops } from "../../hops";
import type { Options } from "./options";

/** A later version reads what an earlier one has written and sends, and none the other way round (Redis: Upgrade a cluster; Valkey: Administration). */
export const hops: Record<Options["vendor"], Hops> = {
  redis: { document: "https://redis.io/docs/latest/operate/oss_and_stack/install/upgrade/cluster", to: { "7.0": ["7.2", "8.0"], "7.2": ["8.0"] } },
  valkey: { document: "https://valkey.io/topics/admin", to: { "7.2": ["8.0", "8.1"], "8.0": ["8.1"] } },
};
