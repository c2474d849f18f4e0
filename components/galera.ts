import * as pulumi from "@pulumi/pulumi";
import { Cluster } from "../provider";
import { State, Unsafe, type ClusterArgs } from "./arguments";
import { createMembers, having, memberNames, publicHalf, trustedBy } from "./members";
import { refuse, refuseAll, wrongMembers, wrongName } from "./rules";
import { mermaid } from "./topology";

const port = 3306;

/** Builds of Galera. MariaDB can be run; Percona XtraDB Cluster is refused until it can be. */
export const GaleraVendor = {
  /** MariaDB and its own Galera library, from Debian's packages. */
  MariaDB: "mariadb",
  /** Percona XtraDB Cluster. */
  Percona: "percona",
} as const;
export type GaleraVendor = (typeof GaleraVendor)[keyof typeof GaleraVendor];

/** A person's decision on how a cluster that is down goes on. */
export interface RecoveryArgs {
  /** The member from whose data it goes on, such as `orders-2`: a wanted one, or one that has still to leave. */
  from: string;
  /** What the refusal calls that which was seen: 12 hex digits. Of anything else that is seen the decision is refused. */
  evidence: string;
}

/** Arguments of a Galera cluster. Of one that exists a change of `vendor` is refused, too. */
export interface GaleraClusterArgs extends ClusterArgs {
  /** How many servers: odd and at least three, so that one may fail; another number is a risk to name in `allowUnsafe`. */
  members: number;
  /** Which build of Galera. */
  vendor: GaleraVendor;
  /**
   * Major version, such as `10.11`. Default: what the image's package sources offer. Of a cluster that exists it becomes `11.4` or `11.8`, with an `image` that has it in the same change: one member
   * at a time, as https://mariadb.com/docs/galera-cluster/galera-management/upgrading-galera-cluster says. Another way, and any to an older version, is refused.
   */
  version?: pulumi.Input<string>;
  /**
   * Options of the `[mysqld]` section, with their values as they stand in an option file: `{ max_connections: "500" }`.
   * Those that the package sets itself (`wsrep_*`, `datadir`, …) are refused. Of a cluster that runs a change is made live where MariaDB takes it so, for
   * connections from then on; for others the members are restarted, one at a time. The preview says of each which it is.
   */
  configuration?: Record<string, pulumi.Input<string>>;
  /**
   * How much room each member's volume has for the last writes, which a member that was away gets instead of all data: `512M`, `2G`; Galera's `gcache.size`. Another one restarts the members, one at a
   * time. At most half of the volume. Default: Galera's own, 128 MiB.
   */
  gcacheSize?: pulumi.Input<string>;
  /**
   * From whose data a cluster that is down is started, where it refuses to choose: a refusal prints what to write, and the preview says what is set aside of the others' data, which
   * stay on their volumes. It counts only for what was seen then, and not once the cluster runs. Default: none.
   */
  recovery?: RecoveryArgs;
  /** Password of `root` for clients, over TLS: 8 to 200 characters. With another one the former ends for new connections, unless `formerPasswords` has it. Default: generated, and kept in the state. */
  rootPassword?: pulumi.Input<string>;
  /** Up to 3 passwords of `root` that work beside the present one, while clients change over; taken out, they end for new connections. Default: none. */
  formerPasswords?: pulumi.Input<pulumi.Input<string>[]>;
}

/**
 * A synchronous multi-master MariaDB cluster: each member holds all data and takes reads and writes.
 * Replication, state transfer and clients use TLS from the first start.
 */
export class GaleraCluster extends pulumi.ComponentResource {
  /** Names of the members; they never change. */
  declare readonly members: pulumi.Output<string[]>;
  /** Addresses of the members, in the same order. */
  declare readonly addresses: pulumi.Output<string[]>;
  /** `address:port` of each member, for clients. */
  declare readonly endpoints: pulumi.Output<string[]>;
  /** A URL with all endpoints and the administrator's password. Secret. */
  declare readonly connectionString: pulumi.Output<string>;
  /** Password of `root` for clients, the present one: as it was given, or generated. Secret. */
  declare readonly rootPassword: pulumi.Output<string>;
  /** The authorities that are trusted, in PEM, first the one that signs the members' certificates: with them clients verify whom they talk to. */
  declare readonly caCertificate: pulumi.Output<string>;
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
  /** Id of the Nova server group that spreads the members over hosts. */
  declare readonly serverGroupId: pulumi.Output<string>;
  /** Id of the Neutron security group of the members, for rules of your own. */
  declare readonly securityGroupId: pulumi.Output<string>;

  /**
   * Registers the servers, ports and volumes of a cluster, and the cluster itself. Arguments that are wrong are refused before
   * anything is registered, all of one kind at once: first what each must be, then what does not go together, then the key. What
   * only the provider or the guests can tell is refused in a preview, or when `pulumi up` looks at the guests.
   * @param name Of the cluster. Its members are named after it, `orders-1` and so on, for ever: lower-case letters,
   * digits and dashes, a letter first, 51 at most.
   * @param args What the cluster should be.
   * @param opts Pulumi's own options of a component, such as `provider`, for a certain cloud.
   * @throws `pulumi.RunError` that names each wrong argument of one kind, its rule, what was given and the way forward.
   */
  constructor(name: string, args: GaleraClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    const late = opts?.urn ? [] : refuseWrong(name, args);
    const given = opts?.urn ? args : sealed(args);
    super("pulumi-openstack-datastores:index:GaleraCluster", name, given, opts);
    if (opts?.urn) return;
    const { vendor, version, configuration = {}, gcacheSize, restartTrigger, access, rootPassword, formerPasswords } = given;
    const { user, privateKey, bastion, hostKeys } = access;
    const document = {
      datastore: "galera",
      options: { vendor, version, configuration, gcacheSize, restartTrigger },
      access: pulumi.secret({ user, privateKey, bastion, hostKeys }),
      rootPassword,
      cloud: args.cloud,
      formerPasswords,
    };
    const places = memberNames(name, args.members, args.without).map((member) => ({ name: member, turn: Number(member.slice(name.length + 1)) - 1, group: name }));
    const { members, placed, servers, rules, serverGroupIds: [serverGroupId], securityGroupId } = createMembers(name, { places, args, port, document, late }, this);
    const cluster = new Cluster(name, {
      ...document,
      owner: { project: pulumi.getProject(), stack: pulumi.getStack(), cluster: name },
      members,
      places: placed,
      servers,
      forget: args.forget,
      replace: args.replace,
      recovery: args.recovery && { from: args.recovery.from, evidence: args.recovery.evidence },
      rollout: args.rollout,
      state: args.state === State.Stopped ? args.state : undefined,
      authorities: args.authorities,
      maintenance: args.maintenance,
      deletionProtection: args.deletionProtection ?? true,
      // The rules go after the cluster: a destroy that its protection refuses must not cut the members' network.
    }, { parent: this, dependsOn: rules });
    const password = pulumi.secret(cluster.rootPassword);

    // From the resources, not from the cluster: so they stay known in a preview.
    const addresses = pulumi.all(members.map(({ address }) => address));
    const endpoints = addresses.apply((all) => all.map((address) => `${address}:${port}`));
    const outputs = {
      members: pulumi.output(members.map((member) => member.name)),
      addresses,
      endpoints,
      connectionString: pulumi.all([endpoints, password]).apply(([all, plain]) =>
        `mysql://root:${encodeURIComponent(plain)}@${all.join(",")}/?ssl-mode=REQUIRED`),
      rootPassword: password,
      caCertificate: trustedBy(cluster),
      plan: cluster.plan,
      status: cluster.status,
      warnings: cluster.warnings.apply((warnings) => warnings ?? []),
      zones: having(placed, "zone"),
      volumeTypes: having(placed, "volumeType"),
      topology: addresses.apply((all) => mermaid(name, places.map((place) => place.name), all)),
      serverGroupId: serverGroupId!,
      securityGroupId,
    };
    Object.assign(this, outputs);
    this.registerOutputs(outputs);
  }
}

/** What a component is given is stored with it: so its secrets are marked, also those that a program gives as plain strings. */
const sealed = (args: GaleraClusterArgs): GaleraClusterArgs => ({
  ...args,
  access: { ...args.access, privateKey: pulumi.secret(args.access.privateKey) },
  rootPassword: args.rootPassword && pulumi.secret(args.rootPassword),
  formerPasswords: args.formerPasswords && pulumi.secret(args.formerPasswords),
});

/** Throws, with every argument that is wrong; what is known only later fails what is given back. */
export function refuseWrong(name: string, args: GaleraClusterArgs): pulumi.Output<void>[] {
  const late = refuse(name, args, ["members"], ["vendor", "version", "configuration", "gcacheSize", "recovery", "rootPassword", "formerPasswords"]);
  refuseAll(name, wrongTogether(name, args));
  if (typeof args.access.privateKey === "string") publicHalf(name, args.access.privateKey);
  return [...late, pulumi.all([args.gcacheSize, args.volume.size]).apply(([size, volume]) => refuseAll(name, leavesRoom(size, volume) ? [] : [`${halfOfVolume}: lower it, or raise volume.size`]))];
}

/** Arguments of which each is right, but not with the name or the others. */
function wrongTogether(name: string, args: GaleraClusterArgs): string[] {
  const { members, without, allowUnsafe = [], gcacheSize, volume } = args;
  const risk = members < 3 ? Unsafe.UnderThreeMembers : members % 2 === 0 ? Unsafe.EvenMembers : undefined;
  const risky = risk && !allowUnsafe.includes(risk)
    ? [`members must be odd and at least 3; it is ${members}, so ${lost(members)}. To take that risk, name it: allowUnsafe: ["${risk}"]`] : [];
  const tooLarge = leavesRoom(gcacheSize, volume.size) ? [] : [`${halfOfVolume}; it is ${String(gcacheSize)} of ${String(volume.size)} GiB: lower it, or raise volume.size`];
  const unfit = wrongName(name);
  if (unfit.length > 0) return [...risky, ...tooLarge, ...unfit];
  return [...risky, ...tooLarge, ...wrongMembers(memberNames(name, members, without), { words: `${name}-1, ${name}-2 and so on`, pattern: new RegExp(`^${name}-[1-9][0-9]*$`) }, args)];
}

const halfOfVolume = "gcacheSize is at most half of the volume, for the data lie beside it";

/** Whether a size in Galera's words is that of what is known of both: of what is none the provider says so. */
const leavesRoom = (size: unknown, volume: unknown): boolean =>
  typeof size !== "string" || !/^\d+[MG]$/.test(size) || typeof volume !== "number" || parseInt(size, 10) / (size.endsWith("M") ? 1024 : 1) <= volume / 2;

/** What this number of members cannot bear. */
const lost = (members: number): string =>
  members === 1 ? "all is lost with its one server"
    : members === 2 ? "when one fails the other stops too, for one of two is no majority"
      : `no more failures are survived than with ${members - 1}, and a network cut in the middle stops both halves`;
