import * as openstack from "@pulumi/openstack";
import * as pulumi from "@pulumi/pulumi";
import type { Facts, Named } from "../provider";
import type { ClusterArgs } from "./arguments";

const { compute, images, networking, blockstorage, identity } = openstack;

/** Asks the cloud what a cluster needs to know of it. What it does not tell, be it for want of a permission, stays out. `keyPair` is the name of the one to be made. */
export async function factsOf(args: ClusterArgs, keyPair: string, parent: pulumi.Resource): Promise<Facts> {
  const ask = asker(parent);
  const overrides = Object.values(args.memberOverrides ?? {});
  const texts = async (values: pulumi.Input<string | undefined>[]) => [...new Set(await Promise.all(values.map(known)))].filter((value) => value !== undefined);
  const [flavorNames, imageNames] = await Promise.all([texts([args.flavor, ...overrides.map(({ flavor }) => flavor)]), texts([args.image])]);
  const networkNames = [...new Set([args.network, ...overrides.flatMap(({ networks = [] }) => networks)])];
  const all = async <T>(names: string[], fact: (name: string) => Promise<T>): Promise<Record<string, T>> =>
    Object.fromEntries(await Promise.all(names.map(async (name) => [name, await fact(name)] as const)));
  const [flavors, imagesThere, networks, zones, quotas, taken] = await Promise.all([
    all(flavorNames, (name) => told(ask(`flavor ${name}`, async (options) => {
      const { ram, vcpus = 0, disk = 0 } = await compute.getFlavor({ name }, options) as Partial<openstack.compute.GetFlavorResult>;
      // Nothing is known while the provider is not.
      return ram === undefined ? undefined : { ram, vcpus, disk };
    }))),
    all(imageNames, (name) => told(ask(`image ${name}`, async (options) => {
      const { minRamMb, minDiskGb } = await images.getImage({ name }, options);
      return { minRam: minRamMb, minDisk: minDiskGb };
    }))),
    all(networkNames, async (name) => {
      // Of an id nothing more need be known.
      const network = isId(name) ? await told(networkOf(name, ask)) : await networkOf(name, ask);
      return typeof network === "object" && "id" in network ? network.subnets && { subnets: network.subnets } : network;
    }),
    namesZone(args) ? told(ask("zones", async (options) => (await compute.getAvailabilityZones({}, options)).names)) : undefined,
    quotasOf(ask),
    told(ask(`keypair ${keyPair}`, async (options) => (await compute.getKeypair({ name: keyPair }, options)).fingerprint)),
  ]);
  return { flavors, images: imagesThere, networks, zones: plainly(zones), quotas, keyPair: plainly(taken) && keyPair };
}

const namesZone = ({ availabilityZones, memberOverrides = {} }: ClusterArgs): boolean =>
  availabilityZones !== undefined || Object.values(memberOverrides).some(({ zone }) => zone !== undefined);

/** Its id. Where that is not known its name, with which no port can be made: new members are refused before, and for others the cloud's complaint names it. */
export async function networkId(network: string, parent: pulumi.Resource): Promise<string> {
  if (isId(network)) return network;
  const found = await networkOf(network, asker(parent));
  return typeof found === "object" && "id" in found ? found.id : network;
}

const networkOf = (network: string, ask: Ask) => ask(`network ${network}`, async (options) => {
  // In a preview in which the provider itself is not known yet all of it is undefined.
  const { id, subnets } = await networking.getNetwork(byNameOrId(network), options) as Partial<openstack.networking.GetNetworkResult>;
  // A project may use a network of which it may not see the subnets: then it is for the cloud to say what is wrong.
  const version = async (subnetId: string) => networking.getSubnet({ subnetId }, options).then(({ ipVersion }) => ipVersion, () => 4);
  return { id: id!, subnets: subnets && await Promise.all(subnets.map(version)) };
});

const byNameOrId = (network: string) => (isId(network) ? { networkId: network } : { name: network });
const isId = (network: string): boolean => /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/.test(network);

async function quotasOf(ask: Ask): Promise<Facts["quotas"]> {
  const ofProject = <T>(what: string, call: (projectId: string, options: pulumi.InvokeOptions) => Promise<T>): Promise<T | undefined> =>
    told(ask(what, async (options) => {
      const project = plainly(await told(ask("its project", () => identity.getAuthScope({ name: "datastores" }, options))));
      return call(project!.projectId, options);
    })).then(plainly);
  const [limits, storage, network] = await Promise.all([
    // Of one's own project: another, even if it is the same by name, is for administrators.
    told(ask("limits", (options) => compute.getLimitsV2({ projectId: "" }, options))).then(plainly),
    ofProject("volumes", (projectId, options) => blockstorage.getQuotasetV3({ projectId }, options)),
    ofProject("ports", (projectId, options) => networking.getQuotaV2({ projectId }, options)),
  ]);
  return {
    ...(limits && {
      instances: { limit: limits.maxTotalInstances, used: limits.totalInstancesUsed },
      cores: { limit: limits.maxTotalCores, used: limits.totalCoresUsed },
      "MiB of RAM": { limit: limits.maxTotalRamSize, used: limits.totalRamUsed },
      "server groups": { limit: limits.maxServerGroups, used: limits.totalServerGroupsUsed },
      "members of a server group": { limit: limits.maxServerGroupMembers },
    }),
    ...(storage && { volumes: { limit: storage.volumes }, "GiB of volumes": { limit: storage.gigabytes } }),
    ...(network && { ports: { limit: network.port } }),
  };
}

type Ask = <T>(what: string, question: (options: pulumi.InvokeOptions) => Promise<T>) => Promise<Named<T>>;

/** What can be done without: a cloud may forbid the question. */
const told = async <T>(answer: Promise<Named<T>>): Promise<T | "none" | "several" | undefined> => {
  const fact = await answer;
  return typeof fact === "object" && fact !== null && "unasked" in fact ? undefined : fact;
};

const plainly = <T>(fact: T | "none" | "several" | undefined): T | undefined => (fact === "none" || fact === "several" ? undefined : fact);

/** A program with fifty clusters asks each question once, of each provider. The answers go with the run: the next may have another cloud. */
const answered = new WeakMap<object, Map<string, Promise<unknown>>>();

function asker(parent: pulumi.Resource): Ask {
  const run = parent.getProvider("openstack:index:provider") ?? pulumi.runtime.getStackResource() ?? parent;
  const answers = answered.get(run) ?? new Map<string, Promise<unknown>>();
  answered.set(run, answers);
  return (what, question) => {
    const answer = answers.get(what) ?? question({ parent }).catch(absence);
    answers.set(what, answer);
    return answer as ReturnType<typeof question>;
  };
}

/** What the plugin says where a name stands for nothing, or for several. */
function absence({ message }: Error): "none" | "several" | { unasked: string } {
  if (message.includes("returned no results")) return "none";
  return message.includes("returned more than one result") ? "several" : { unasked: message };
}

/** The value of an input; undefined while a preview does not know it. */
const known = async (input: pulumi.Input<string | undefined>): Promise<string | undefined> =>
  (pulumi.output(input) as unknown as { promise(): Promise<string | undefined> }).promise();
