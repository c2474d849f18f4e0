import * as pulumi from "@pulumi/pulumi";
import { Cluster } from "../provider";
import { State, Unsafe, type ClusterArgs } from "./arguments";
import { createMembers, having, publicHalf, trustedBy } from "./members";
import { refuse, refuseAll, wrongMembers, wrongName } from "./rules";
import { mermaid } from "./topology";

const port = 6379;

/** Builds of the server. */
export const RedisVendor = {
  /** Redis, from Debian's packages. */
  Redis: "redis",
  /** Valkey, from Debian's packages, from Debian 13 on. */
  Valkey: "valkey",
} as const;
export type RedisVendor = (typeof RedisVendor)[keyof typeof RedisVendor];

/** What is on the disks when all members of a shard lose power at once. */
export const Persistence = {
  /** All but the writes of the last second or two: Redis's `appendfsync everysec`. */
  EverySecond: "every-second",
  /** All that was acknowledged: `appendfsync always`. Each write waits for the disk. */
  Always: "always",
  /** What was there at the last snapshot, as the setting `save` has them made. */
  Snapshots: "snapshots",
} as const;
export type Persistence = (typeof Persistence)[keyof typeof Persistence];

/** Arguments of a Redis cluster. Of one that exists a change of `vendor` and `persistence` is refused, too. */
export interface RedisClusterArgs extends ClusterArgs {
  /** How many parts the keys are dealt to, at least 3: each has one primary, and a majority of these decides a failover. */
  shards: number;
  /** How many further members each shard has, that hold its keys too and take over when its primary fails. Default: 1. */
  replicasPerShard?: number;
  /** Which build of the server. */
  vendor: RedisVendor;
  /**
   * Major version, such as `7.0`. Default: what the image's package sources offer. Of a cluster that exists it becomes a later one, with an `image` that has it in the same change: replicas first, then
   * each primary once one of them has taken over, as https://redis.io/docs/latest/operate/oss_and_stack/install/upgrade/cluster says. What the vendor has not tried, and any older version, is refused.
   */
  version?: pulumi.Input<string>;
  /** Settings with their values as they stand in redis.conf: `{ "maxmemory-policy": "allkeys-lru" }`. Those that the package sets itself are refused. */
  configuration?: Record<string, pulumi.Input<string>>;
  /** How much memory each member may fill with keys, as in redis.conf: `512mb`. Default: no limit. */
  maxMemory?: pulumi.Input<string>;
  /** Default: `every-second`. */
  persistence?: Persistence;
  /** Password of the user `default` for clients, over TLS: 8 to 200 characters. With another one the former ends for new connections, unless `formerPasswords` has it. Default: generated, and kept in the state. */
  password?: pulumi.Input<string>;
  /** Up to 3 passwords of `default` that work beside the present one, while clients change over; taken out, they end for new connections. Default: none. */
  formerPasswords?: pulumi.Input<pulumi.Input<string>[]>;
}

/**
 * A Redis or Valkey cluster: keys are dealt to shards, each a primary that takes writes and replicas that follow it.
 * Replication, the cluster's own bus and clients use TLS from the first start.
 */
export class RedisCluster extends pulumi.ComponentResource {
  /** Names of the members, `NAME-SHARD-NUMBER`; they never change. */
  declare readonly members: pulumi.Output<string[]>;
  /** Addresses of the members, in the same order. */
  declare readonly addresses: pulumi.Output<string[]>;
  /** `address:port` of each member, for clients that know clusters: any of them tells where the others are. */
  declare readonly endpoints: pulumi.Output<string[]>;
  /** A URL of the first member with the password: a client learns of the others from it. Secret. */
  declare readonly connectionString: pulumi.Output<string>;
  /** Password of the user `default`, the present one: as it was given, or generated. Secret. */
  declare readonly password: pulumi.Output<string>;
  /** The authorities that are trusted, in PEM, first the one that signs the members' certificates: with them clients verify whom they talk to. */
  declare readonly caCertificate: pulumi.Output<string>;
  /** The members of each shard, by its number. */
  declare readonly shards: pulumi.Output<Record<string, string[]>>;
  /** What each member was when it was last looked at: `primary` or `replica`. A failover changes it, and the next look shows that. */
  declare readonly roles: pulumi.Output<Record<string, string>>;
  /** The last change: its title, and its steps in order. */
  declare readonly plan: pulumi.Output<Record<string, string[]>>;
  /** `ready`, or `failed` while a run has not ended. */
  declare readonly status: pulumi.Output<string>;
  /** What the cloud has not kept of `locality` and `availabilityZones`, as Nova last told where the servers are; nothing where there is no access to it. */
  declare readonly warnings: pulumi.Output<string[]>;
  /** By member name the availability zone that its server is in, as Nova says. */
  declare readonly zones: pulumi.Output<Record<string, string>>;
  /** By member name the type that its volume has, as Cinder says. */
  declare readonly volumeTypes: pulumi.Output<Record<string, string>>;
  /** The cluster as a Mermaid diagram. */
  declare readonly topology: pulumi.Output<string>;
  /** Ids of the Nova server groups, one a shard, that keep a shard's members on different hosts. */
  declare readonly serverGroupIds: pulumi.Output<string[]>;
  /** Id of the Neutron security group of the members, for rules of your own. */
  declare readonly securityGroupId: pulumi.Output<string>;

  /**
   * Registers the servers, ports and volumes of a cluster, and the cluster itself. Arguments that are wrong are refused before
   * anything is registered, all of one kind at once.
   * @param name Of the cluster. Its members are named after it, `sessions-1-1` and so on, for ever: lower-case letters,
   * digits and dashes, a letter first, 51 at most.
   * @param args What the cluster should be.
   * @param opts Pulumi's own options of a component, such as `provider`, for a certain cloud.
   * @throws `pulumi.RunError` that names each wrong argument of one kind, its rule, what was given and the way forward.
   */
  constructor(name: string, args: RedisClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    const late = opts?.urn ? [] : refuseWrong(name, args);
    const given = opts?.urn ? args : sealed(args);
    super("pulumi-openstack-datastores:index:RedisCluster", name, given, opts);
    if (opts?.urn) return;
    const { vendor, version, configuration = {}, maxMemory, persistence, restartTrigger, access, password, formerPasswords } = given;
    const { user, privateKey, bastion, hostKeys } = access;
    const document = {
      datastore: "redis",
      options: { vendor, version, configuration, maxMemory, persistence, restartTrigger },
      access: pulumi.secret({ user, privateKey, bastion, hostKeys }),
      rootPassword: password,
      cloud: args.cloud,
      formerPasswords,
    };
    const places = placesOf(name, args);
    const { members, placed, servers, rules, serverGroupIds, securityGroupId } = createMembers(name, { places, args, port, document, late }, this);
    const cluster = new Cluster(name, {
      ...document,
      owner: { project: pulumi.getProject(), stack: pulumi.getStack(), cluster: name },
      members,
      places: placed,
      servers,
      forget: args.forget,
      replace: args.replace,
      rollout: args.rollout,
      state: args.state === State.Stopped ? args.state : undefined,
      authorities: args.authorities,
      maintenance: args.maintenance,
      deletionProtection: args.deletionProtection ?? true,
      // The rules go after the cluster: a destroy that its protection refuses must not cut the members' network.
    }, { parent: this, dependsOn: rules });
    const secret = pulumi.secret(cluster.rootPassword);

    // From the resources, not from the cluster: so they stay known in a preview.
    const addresses = pulumi.all(members.map(({ address }) => address));
    const endpoints = addresses.apply((all) => all.map((address) => `${address}:${port}`));
    const outputs = {
      members: pulumi.output(members.map((member) => member.name)),
      addresses,
      endpoints,
      connectionString: pulumi.all([endpoints, secret]).apply(([[first], plain]) => `rediss://default:${encodeURIComponent(plain)}@${first}`),
      password: secret,
      caCertificate: trustedBy(cluster),
      shards: pulumi.output(Object.fromEntries(Array.from({ length: args.shards }, (_, index) =>
        [`${index + 1}`, places.filter(({ group }) => group === `${name}-${index + 1}`).map((place) => place.name)]))),
      roles: cluster.seen.apply((seen) => Object.fromEntries(Object.entries(seen).flatMap(([member, { role }]) => (role ? [[member, role]] : [])))),
      plan: cluster.plan,
      status: cluster.status,
      warnings: cluster.warnings.apply((warnings) => warnings ?? []),
      zones: having(placed, "zone"),
      volumeTypes: having(placed, "volumeType"),
      topology: addresses.apply((all) => mermaid(name, places.map((place) => place.name), all)),
      serverGroupIds: pulumi.all(serverGroupIds),
      securityGroupId,
    };
    Object.assign(this, outputs);
    this.registerOutputs(outputs);
  }
}

/** What a component is given is stored with it: so its secrets are marked, also those that a program gives as plain strings. */
const sealed = (args: RedisClusterArgs): RedisClusterArgs => ({
  ...args,
  access: { ...args.access, privateKey: pulumi.secret(args.access.privateKey) },
  password: args.password && pulumi.secret(args.password),
  formerPasswords: args.formerPasswords && pulumi.secret(args.formerPasswords),
});

/** Who is in which shard is in the name, for ever: whoever is its primary. Neighbours of a shard are in different zones, and so are the first members of shards. */
export function placesOf(name: string, { shards, replicasPerShard = 1, without = [] }: Pick<RedisClusterArgs, "shards" | "replicasPerShard" | "without">) {
  return Array.from({ length: shards }, (_, index) => {
    const group = `${name}-${index + 1}`;
    const named = Array.from({ length: replicasPerShard + 1 + without.length }, (__, number) => ({ name: `${group}-${number + 1}`, turn: index + number, group }));
    return named.filter((place) => !without.includes(place.name)).slice(0, replicasPerShard + 1);
  }).flat();
}

function refuseWrong(name: string, args: RedisClusterArgs): pulumi.Output<void>[] {
  const late = refuse(name, args, ["shards", "replicasPerShard"], ["vendor", "version", "configuration", "maxMemory", "persistence", "password", "formerPasswords"]);
  refuseAll(name, wrongTogether(name, args));
  if (typeof args.access.privateKey === "string") publicHalf(name, args.access.privateKey);
  return late;
}

/** Arguments of which each is right, but not with the name or the others. */
function wrongTogether(name: string, args: RedisClusterArgs): string[] {
  const { replicasPerShard = 1, allowUnsafe = [] } = args;
  const risky = replicasPerShard === 0 && !allowUnsafe.includes(Unsafe.NoReplicas)
    ? [`replicasPerShard must be at least 1; it is 0, so a shard is away while its one server is, and its keys are lost with its volume. To take that risk, name it: allowUnsafe: ["${Unsafe.NoReplicas}"]`] : [];
  const unfit = wrongName(name);
  if (unfit.length > 0) return [...risky, ...unfit];
  return [...risky, ...wrongMembers(placesOf(name, args).map((place) => place.name), { words: `${name}-1-1, ${name}-1-2, ${name}-2-1 and so on`, pattern: new RegExp(`^${name}-[1-9][0-9]*-[1-9][0-9]*$`) }, args)];
}
