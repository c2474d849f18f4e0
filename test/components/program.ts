import type * as pulumi from "@pulumi/pulumi";
import { runtime } from "@pulumi/pulumi";
import { generateKeyPairSync } from "node:crypto";
import { GaleraCluster, RedisCluster, type GaleraClusterArgs, type RedisClusterArgs } from "../../components";
import { unwrapped } from "../provider/wire";

/* eslint-disable @typescript-eslint/no-explicit-any -- what a program registers has no type */
export interface Registered {
  dependencies: string[];
  type: string;
  name: string;
  parent: string;
  inputs: any;
  /** Inputs as they go to the engine: secrets are wrapped. */
  raw: any;
  options: { ignoreChanges: string[]; retainOnDelete: boolean; deleteBeforeReplace: boolean; additionalSecretOutputs: string[]; replaceOnChanges: string[] };
}

export const privateKey = generateKeyPairSync("ec", {
  namedCurve: "P-256", privateKeyEncoding: { type: "sec1", format: "pem" }, publicKeyEncoding: { type: "spki", format: "pem" },
}).privateKey;

/** The least that a program must say. */
export const least: GaleraClusterArgs = {
  members: 3, vendor: "mariadb", flavor: "m1.small", image: "debian-12", network: "private", volume: { size: 10 },
  access: { user: "debian", privateKey },
};

/** The same of Redis. */
export const leastRedis: RedisClusterArgs = {
  shards: 3, vendor: "redis", flavor: "m1.small", image: "debian-12", network: "private", volume: { size: 10 },
  access: { user: "debian", privateKey },
};

/** Runs a program against Pulumi's mocks, and gives back what it registered, sorted: the order of creation varies. `cloud` answers what it is asked. */
export async function program<T>(body: () => T, preview = false, cloud = answerOf): Promise<{ result: T; registered: Registered[]; invoked: { token: string; inputs: any }[] }> {
  const registered: Registered[] = [];
  const invoked: { token: string; inputs: any }[] = [];
  await runtime.setMocks({
    newResource: ({ type, name, inputs }) => ({ id: `${type.split(":").at(-1)}-${name}`, state: preview ? inputs : { ...inputs, ...computed(type, name) } }),
    call: ({ token, inputs }) => {
      invoked.push({ token, inputs });
      return cloud(token, inputs);
    },
  }, "shop", "test", preview);
  const monitor = runtime.getMonitor() as any;
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request: any, answer: unknown) => {
    const raw = request.getObject().toJavaScript();
    registered.push({
      type: request.getType(), name: request.getName(), parent: request.getParent().split(/::|[$]/).slice(-2).join(" "), raw, inputs: unwrapped(raw),
      dependencies: request.getDependenciesList(),
      options: {
        ignoreChanges: request.getIgnorechangesList(), retainOnDelete: request.getRetainondelete() ?? false,
        deleteBeforeReplace: request.getDeletebeforereplace(), additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
        replaceOnChanges: request.getReplaceonchangesList(),
      },
    });
    return register(request, answer);
  };
  let result!: T;
  await runtime.runInPulumiStack(async () => { result = body(); });
  await runtime.disconnect();
  return { result, registered: registered.sort((a, b) => `${a.type} ${a.name}`.localeCompare(`${b.type} ${b.name}`)), invoked };
}

/** What a cloud answers that has everything but what is to be made. */
const answerOf = (token: string, { name, networkId }: { name?: string; networkId?: string }): object => {
  if (token.includes("getKeypair:")) throw new Error(`Error retrieving openstack_compute_keypair_v2 ${name}: Resource not found`);
  return {
    id: networkId ?? `id-of-${name}`,
    ...(token.includes("getNetwork:") ? { subnets: ["its-subnet"] } : {}),
    ...(token.includes("getSubnet:") ? { ipVersion: 4 } : {}),
    ...(token.includes("getFlavor:") ? { ram: 2048, vcpus: 1, disk: 10 } : {}),
    ...(token.includes("getImage:") ? { minRamMb: 0, minDiskGb: 2 } : {}),
    ...(token.includes("getAvailabilityZones:") ? { names: ["az1", "az2"] } : {}),
    ...(token.includes("getAuthScope:") ? { projectId: "the-project" } : {}),
    ...(token.includes("getLimitsV2:") ? { maxTotalInstances: 10, totalInstancesUsed: 4, maxTotalCores: 20, totalCoresUsed: 8, maxTotalRamSize: 51200, totalRamUsed: 8192, maxServerGroupMembers: 10, maxServerGroups: 10, totalServerGroupsUsed: 2 } : {}),
    ...(token.includes("getQuotasetV3:") ? { volumes: 12, gigabytes: 1000 } : {}),
    ...(token.includes("getQuotaV2:") ? { port: 500 } : {}),
  };
};

/** What a cloud and the provider would have filled in. */
const computed = (type: string, name: string): object =>
  type === "openstack:networking/port:Port" ? { allFixedIps: [`198.18.0.1${name.at(-1)}`] }
    : type.startsWith("pulumi-nodejs:dynamic") ? { status: "ready", plan: { "create 3 members": ["install orders-1"] }, rootPassword: "gener@ted/pass", authority: { certificate: "the authority", key: "its key" },
      seen: { "sessions-1-1": { is: "up", role: "replica" }, "sessions-1-2": { is: "up", role: "primary" }, "sessions-2-1": { is: "unreachable", why: "timed out" } } }
      : {};

export const galera = (change: Partial<GaleraClusterArgs> = {}, name = "orders"): GaleraCluster => new GaleraCluster(name, { ...least, ...change });

export const redis = (change: Partial<RedisClusterArgs> = {}, name = "sessions"): RedisCluster => new RedisCluster(name, { ...leastRedis, ...change });

/** The value of an output, and whether it is secret. */
export const settled = async <T>(output: pulumi.Output<T>): Promise<{ value: T; secret: boolean }> => {
  const all = output as unknown as { promise(): Promise<T>; isSecret: Promise<boolean> };
  return { value: await all.promise(), secret: await all.isSecret };
};
