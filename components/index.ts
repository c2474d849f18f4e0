export { Locality, State, Unsafe } from "./arguments";
export type { AccessArgs, BastionArgs, ClusterArgs, MemberOverrideArgs, RolloutArgs, VolumeArgs } from "./arguments";
export { GaleraCluster, GaleraVendor } from "./galera";
export type { GaleraClusterArgs, RecoveryArgs } from "./galera";
export { Persistence, RedisCluster, RedisVendor } from "./redis";
export type { RedisClusterArgs } from "./redis";
