import type * as pulumi from "@pulumi/pulumi";

/** How the members' servers are spread over hosts; the words are Nova's server group policies. */
export const Locality = {
  /** All on one host: a member that finds no room there fails to be made. */
  Affinity: "affinity",
  /** Each on a host of its own: a member for which none is left fails to be made. */
  AntiAffinity: "anti-affinity",
  /** On one host as far as it has room. */
  SoftAffinity: "soft-affinity",
  /** On different hosts as far as there are enough. */
  SoftAntiAffinity: "soft-anti-affinity",
} as const;
export type Locality = (typeof Locality)[keyof typeof Locality];

/** What may be lost by a number of members, to be named in `allowUnsafe` by who takes the risk. */
export const Unsafe = {
  /** With one or two members the cluster stops, or stands alone, when one fails. */
  UnderThreeMembers: "under-three-members",
  /** An even number survives no more failures than one fewer, and a cut network can leave two halves without a majority. */
  EvenMembers: "even-members",
  /** A shard without a replica is away while its one server is, and with its volume its keys are lost. */
  NoReplicas: "no-replicas",
} as const;
export type Unsafe = (typeof Unsafe)[keyof typeof Unsafe];

/** The data volume of each member. */
export interface VolumeArgs {
  /** GiB, at least 1. Of a cluster that exists it may become more: volumes and file systems grow under servers that run. */
  size: pulumi.Input<number>;
  /**
   * Cinder volume type. Default: the cloud's own default. Of a cluster that exists another one comes to a member with a new server and a new, empty volume, on which it gets its data from the
   * others, when the member is named in `replace`: one with each `pulumi up`. Left out again it asks for none.
   */
  type?: pulumi.Input<string>;
  /**
   * Whether volumes survive when their member or the cluster goes. Default: true. Kept volumes are removed
   * with `openstack volume delete`.
   */
  keep?: boolean;
}

/** A machine through which the members are reached. */
export interface BastionArgs {
  /** Name or address. */
  host: pulumi.Input<string>;
  /** Who logs in to it, with the same private key as to the members. */
  user: pulumi.Input<string>;
  /** TCP port of its SSH server. Default: 22. */
  port?: pulumi.Input<number>;
  /** Its public host key, as `ssh-keyscan` prints it. Default: trusted on first use, then pinned to `host` and `port`. */
  hostKey?: pulumi.Input<string>;
}

/** How the provider reaches the members' servers by SSH. */
export interface AccessArgs {
  /** A user who may `sudo` without a password, as cloud images have: `debian`. */
  user: pulumi.Input<string>;
  /**
   * The key to log in with, in OpenSSH or PEM form, without a passphrase. Its public half is given to the servers as their Nova keypair. Of a cluster that exists another one is let in
   * by the members beside the former, tried, and given to Nova, and then the former is taken out; who else is let in stays. A bastion has to let it in before.
   */
  privateKey: pulumi.Input<string>;
  /** A machine to go through, when the members cannot be reached from where `pulumi` runs. Default: none. */
  bastion?: BastionArgs;
  /** Public host keys by member name, as `ssh-keyscan` prints them. Default: trusted on first use, then pinned to the server. */
  hostKeys?: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** Who may reach port 22, as CIDRs. Default: any IPv4 address (with the key). */
  allowedCidrs?: string[];
}

/** Whether a cluster's databases are to run. */
export const State = {
  /** They run. */
  Running: "running",
  /** They are stopped, and stay so when a server boots. Servers, volumes and data stay as they are. */
  Stopped: "stopped",
} as const;
export type State = (typeof State)[keyof typeof State];

/** What one member has in place of what all have. */
export interface MemberOverrideArgs {
  /** Availability zone. May change, as `availabilityZones`. */
  zone?: pulumi.Input<string>;
  /** Further networks, by name or id, beside the cluster's. */
  networks?: string[];
  /** Flavor name. May change, as that of all. */
  flavor?: pulumi.Input<string>;
}

/** How a change that comes to members in turn goes on. */
export interface RolloutArgs {
  /** Whether new settings come to one member alone, and to the others only with the next `pulumi up`. Default: false. */
  canary?: boolean;
  /** Seconds, 3600 at most, between a member that is well again after its restart and the next. Default: 0. */
  pauseSeconds?: number;
  /**
   * How many members may be away at a time for a restart, a resize or a rebuild, 1 or more. Refused where those and one more that fails would leave no majority: of Galera 2 take 7 members, 3 take 9; of Redis it
   * is one of each shard at most, and of shards without replicas as of Galera's members. Members of Galera stop side by side, and come back one after another: no second one
   * receives its data while another does. What keeps one member from coming back is found with as many. Default: 1.
   */
  maxUnavailable?: number;
}

/**
 * What every cluster type takes. Once a first `pulumi up` has begun, a change of `network`, `locality`,
 * and `networks` of members that stay, is refused by name.
 */
export interface ClusterArgs {
  /** Nova flavor, by name. Of a cluster that exists a change resizes the servers, one at a time, each once its database was stopped in order. */
  flavor: pulumi.Input<string>;
  /** Glance image, by name: a Debian 12 cloud image; for Valkey one of Debian 13. Of a cluster that exists a change gives each server in turn a new disk; its volume stays. */
  image: pulumi.Input<string>;
  /** The network of the members, by name or id. */
  network: string;
  /** The volume that each member keeps its data on. */
  volume: VolumeArgs;
  /**
   * Members are dealt to these in turn. Default: Nova's choice. A change moves nobody by itself: a member comes to its new zone when it is named in `replace`, one with each `pulumi up`,
   * the first with the change; each preview says who is still to move.
   */
  availabilityZones?: string[];
  /** Default: `soft-anti-affinity`, which prefers different hosts and still works when there are too few. */
  locality?: Locality;
  /** Who may reach the datastore's port, as CIDRs. Default: only the members. */
  allowedCidrs?: string[];
  /** How the provider reaches the members' servers. */
  access: AccessArgs;
  /** By member name, such as `orders-2`. */
  memberOverrides?: Record<string, MemberOverrideArgs>;
  /** Member names that are given up: who leaves in a shrink. They stay named for ever. Default: the highest numbers leave. */
  without?: string[];
  /**
   * A member whose server is to be made again, one at a time, while all others run, in the zone that is asked for now. Its address stays, and so does its volume, unless `volume.type` asks for
   * another: then the former goes as `volume.keep` says once the member has its data from the others. Its server is stopped first; Nova cuts its power when that takes too long, so it is refused where the others would be no majority, where a shard has no other member, and of a shard's primary: change `restartTrigger` first, with which another of the shard takes over.
   * When the name is taken out again nothing happens; to replace once more, take it out, `pulumi up`, put it back.
   * Default: none.
   */
  replace?: string[];
  /**
   * Leaving members that can never be seen again. One that still answers leaves as any other; for one that does not,
   * the cluster must run without counting it. Default: none.
   */
  forget?: string[];
  /** How settings that change, and restarts, come to one member after another. Default: to all in one `pulumi up`, without a pause. */
  rollout?: RolloutArgs;
  /** Any text: another one restarts the members, one at a time, without another change. Default: none. */
  restartTrigger?: pulumi.Input<string>;
  /**
   * Names of the cluster's certificate authorities, three at most: members and clients trust all of them, and the first signs the members' certificates. The authority of a name
   * that is new is made, of one that is taken out forgotten. So they are rotated without an outage, by one `pulumi up` each: `["1", "2"]`, `["2", "1"]`, `["2"]`; give
   * clients the new `caCertificate` after the first. Default: one, named `1`.
   */
  authorities?: string[];
  /** Risks that are taken on purpose. Default: none. */
  allowUnsafe?: Unsafe[];
  /**
   * By which entry of `clouds.yaml` Nova is asked for what Pulumi's own resources would do to all servers at once: another `flavor`, `image` or key.
   * Default: what OS_CLOUD names, else OS_AUTH_URL and its like, as `pulumi` itself finds them. For a cloud of an explicit provider name it here.
   */
  cloud?: pulumi.Input<string>;
  /**
   * With `stopped` the databases are stopped in order, one after another, the data of each on its disk, and no boot of a server starts one, until this is `running` or left out again: then they are
   * started from the newest data, without a loss. It begins while all members are in; a cluster that is down already is only kept so. Servers stay up, and nothing is deleted. As long as it is stopped no
   * other argument may change, but `deletionProtection`, `access`, `rollout`, `cloud` and `maintenance`; with the start all may. Default: `running`.
   */
  state?: State;
  /**
   * While true no guest is touched, so that people may work on them: a change that would is refused, and a refresh lets no database tell more than it does by itself.
   * Default: false.
   */
  maintenance?: pulumi.Input<boolean>;
  /** While true the cluster cannot be destroyed. Default: true. */
  deletionProtection?: pulumi.Input<boolean>;
}
