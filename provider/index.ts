import * as pulumi from "@pulumi/pulumi";

// Pulumi stores the text of these functions in the state and runs it in another process. So they hold nothing
// but the name of the module that does the work: anything they captured would be stored with them, and a
// text that changes is a change of every cluster. The name stays for ever.
const provider: pulumi.dynamic.ResourceProvider = {
  check: (olds, news) => require("pulumi-openstack-datastores/provider").check(olds, news),
  diff: (id, olds, news) => require("pulumi-openstack-datastores/provider").diff(id, olds, news),
  create: (inputs) => require("pulumi-openstack-datastores/provider").create(inputs),
  update: (id, olds, news) => require("pulumi-openstack-datastores/provider").update(id, olds, news),
  read: (id, props) => require("pulumi-openstack-datastores/provider").read(id, props),
  delete: (id, props) => require("pulumi-openstack-datastores/provider").remove(id, props),
};

/** What a component hands over; the provider completes and checks it. */
export interface ClusterArgs {
  datastore: string;
  owner: { project: string; stack: string; cluster: string };
  /** Each leaf an Output of its own: so a grow shows one added member and nothing else. No secret inside. */
  members: { name: string; address: pulumi.Input<string>; server: pulumi.Input<string>; volume: pulumi.Input<string> }[];
  options: pulumi.Inputs;
  /** What the servers and volumes were asked to be, so that the provider can refuse what would be ignored. */
  servers: pulumi.Inputs;
  access: pulumi.Input<pulumi.Inputs>;
  rootPassword?: pulumi.Input<string>;
  /** Leaving members that can never be seen again, and members whose servers are to be made again. */
  forget?: string[];
  replace?: string[];
  deletionProtection: pulumi.Input<boolean>;
}

/** The running database: its members joined into one cluster. */
export class Cluster extends pulumi.dynamic.Resource {
  declare readonly plan: pulumi.Output<Record<string, string[]>>;
  declare readonly status: pulumi.Output<string>;
  declare readonly rootPassword: pulumi.Output<string>;
  declare readonly authority: pulumi.Output<{ certificate: string; key: string }>;

  constructor(name: string, args: ClusterArgs, opts?: pulumi.CustomResourceOptions) {
    super(provider, name, { ...args, authority: undefined, plan: undefined, status: undefined },
      pulumi.mergeOptions(opts, { additionalSecretOutputs: ["access", "rootPassword", "authority"] }),
      "datastores", "Cluster");
  }
}
