import * as pulumi from "@pulumi/pulumi";

// Pulumi stores the text of these functions in the state and runs it in another process. So they hold nothing
// but the name of the module that does the work: anything they captured would be stored with them, and a
// text that changes is a change of every cluster. The name stays for ever.
const requirementsProvider: pulumi.dynamic.ResourceProvider = {
  check: (olds, news) => require("pulumi-openstack-datastores/provider").checkRequirements(olds, news),
  create: (inputs) => require("pulumi-openstack-datastores/provider").createRequirements(inputs),
  update: (id, olds, news) => require("pulumi-openstack-datastores/provider").updateRequirements(id, olds, news),
};

const provider: pulumi.dynamic.ResourceProvider = {
  check: (olds, news) => require("pulumi-openstack-datastores/provider").check(olds, news),
  diff: (id, olds, news) => require("pulumi-openstack-datastores/provider").diff(id, olds, news),
  create: (inputs) => require("pulumi-openstack-datastores/provider").create(inputs),
  update: (id, olds, news) => require("pulumi-openstack-datastores/provider").update(id, olds, news),
  read: (id, props) => require("pulumi-openstack-datastores/provider").read(id, props),
  delete: (id, props) => require("pulumi-openstack-datastores/provider").remove(id, props),
};

/** What the cloud says of what a cluster asks of it. What is absent was not told: then nothing is said of it. */
export interface Facts {
  /** By name. Memory in MiB, disk in GiB. */
  flavors: Record<string, Named<{ ram: number; vcpus: number; disk: number }> | undefined>;
  images: Record<string, Named<{ minRam: number; minDisk: number }> | undefined>;
  /** By name or id: the IP versions of the subnets. */
  networks: Record<string, Named<{ subnets: number[] }> | undefined>;
  zones?: string[];
  /** The project's quotas, -1 where there is none, and what of them is used, where that is told. */
  quotas: Record<string, { limit: number; used?: number } | undefined>;
  /** The name of the keypair that the cluster makes, where there is one already. */
  keyPair?: string;
}

/** What a name stands for; or that it stands for nothing, or for several things, or why that could not be asked. */
export type Named<T> = T | "none" | "several" | { unasked: string };

/** What is asked of the cloud for a cluster. */
export interface RequirementsArgs {
  cluster: string;
  members: string[];
  replace?: string[];
  /** The members of each server group, where there are several. */
  groups?: Record<string, string[]>;
  /** What the servers and volumes are asked to be. */
  servers: pulumi.Inputs;
  /** Of what the cluster itself is handed, the parts that its rules are about: looked at, and not kept. */
  document: Pick<ClusterArgs, "datastore" | "options" | "access" | "rootPassword" | "formerPasswords" | "cloud">;
  /** Looked at, and not kept: a cloud changes, and an unchanged cluster is to show no difference for that. */
  facts: pulumi.Input<Facts>;
  /** What has to be right before anything is made, and is known later than the program's start. */
  late: pulumi.Input<unknown>;
}

/** What a cluster needs of its cloud. All of its resources wait for it: so what the cloud has not is said before anything is made. */
export class Requirements extends pulumi.dynamic.Resource {
  constructor(name: string, args: RequirementsArgs, opts?: pulumi.CustomResourceOptions) {
    super(requirementsProvider, name, args, opts, "datastores", "Requirements");
  }
}

/** What a component hands over; the provider completes and checks it. */
export interface ClusterArgs {
  datastore: string;
  owner: { project: string; stack: string; cluster: string };
  /** Each leaf an Output of its own: so a grow shows one added member and nothing else. No secret inside. */
  members: { name: string; address: pulumi.Input<string>; server: pulumi.Input<string>; volume: pulumi.Input<string> }[];
  options: pulumi.Inputs;
  /** By member, the zone and volume type that it is asked to have and those that it has: looked at, and not kept. */
  places?: pulumi.Input<Record<string, pulumi.Inputs>>;
  /** What the servers and volumes were asked to be, so that the provider can refuse what would be ignored. */
  servers: pulumi.Inputs;
  access: pulumi.Input<pulumi.Inputs>;
  rootPassword?: pulumi.Input<string>;
  /** Passwords that still work beside the present one. */
  formerPasswords?: pulumi.Input<pulumi.Input<string>[]>;
  /** Leaving members that can never be seen again, and members whose servers are to be made again. */
  forget?: string[];
  replace?: string[];
  /** Names of the authorities: all are trusted, and the first signs. */
  authorities?: string[];
  /** From whose data a cluster that is down is started, by a person's decision. */
  recovery?: pulumi.Inputs;
  rollout?: pulumi.Inputs;
  /** Whether the databases are to run; left out they are. */
  state?: string;
  maintenance?: pulumi.Input<boolean>;
  /** The entry of clouds.yaml by which Nova is asked; else what the environment names. */
  cloud?: pulumi.Input<string>;
  deletionProtection: pulumi.Input<boolean>;
}

/** The running database: its members joined into one cluster. */
export class Cluster extends pulumi.dynamic.Resource {
  declare readonly plan: pulumi.Output<Record<string, string[]>>;
  declare readonly status: pulumi.Output<string>;
  declare readonly warnings: pulumi.Output<string[] | undefined>;
  declare readonly rootPassword: pulumi.Output<string>;
  declare readonly authority: pulumi.Output<{ certificate: string; key: string; trusted?: { certificate: string; key: string }[] }>;
  /** What was last seen of each member, in its datastore's words. */
  declare readonly seen: pulumi.Output<Record<string, { role?: string }>>;

  constructor(name: string, args: ClusterArgs, opts?: pulumi.CustomResourceOptions) {
    super(provider, name, { ...args, authority: undefined, plan: undefined, status: undefined, warnings: undefined, seen: undefined },
      pulumi.mergeOptions(opts, { additionalSecretOutputs: ["access", "rootPassword", "formerPasswords", "authority", "formerKeys"] }),
      "datastores", "Cluster");
  }
}
