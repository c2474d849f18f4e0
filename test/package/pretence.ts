import { createHash } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { ResourceProviderClient, ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { CreateResponse, type CreateRequest } from "@pulumi/pulumi/proto/provider_pb";
import { version as openstack } from "@pulumi/openstack/package.json";
import execa from "execa";
import { Struct } from "google-protobuf/google/protobuf/struct_pb.js";
import { engine } from "../../tools/engine";
import { isUnknown } from "../../provider/wire";
import { noCloud } from "./project";

/** Of a stack or program, as far as it is needed to run a command; without `env` it brings its own. */
interface Runs {
  env?: Record<string, string>;
  pulumi(args: string[], options: execa.Options): PromiseLike<unknown>;
}

/** A command of `pulumi` for which OpenStack and the guests are pretended, and all else is as ever. Galera's guests are named; of Redis' any is there. */
export async function pretended({ env = noCloud, pulumi }: Runs, guests: string[], ...args: string[]): Promise<void> {
  const { env: { PULUMI_HOME: home } } = await engine(() => undefined);
  const { port, end } = await pretence(join(home!, `plugins/resource-openstack-${openstack}/pulumi-resource-openstack`), env);
  try {
    await pulumi(args, { env: { ...env, PULUMI_DEBUG_PROVIDERS: `openstack:${port}`, NODE_OPTIONS: `--require ${join(__dirname, "guests.js")}`, GUESTS: guests.join(" ") } });
  } finally {
    end();
  }
}

/**
 * OpenStack's plugin for a cloud that is not there. All is the real one's, but what is to be made: that is taken for made
 * as it was planned, with an id that is the same at each run.
 */
async function pretence(plugin: string, env: Record<string, string>): Promise<{ port: number; end(): void }> {
  const real = execa(plugin, { env, reject: false });
  const [line] = (await once(real.stdout!, "data")) as [Buffer];
  const client = new ResourceProviderClient(`127.0.0.1:${Number(line)}`, grpc.credentials.createInsecure());
  const ask = (method: string): grpc.handleUnaryCall<unknown, unknown> => ({ request }, answer) =>
    (client as unknown as Record<string, (request: unknown, answer: grpc.sendUnaryData<unknown>) => void>)[method]!(request, answer);
  const methods = Object.fromEntries(Object.keys(ResourceProviderService).map((method) => [method, ask(method)]));
  const create: grpc.handleUnaryCall<CreateRequest, CreateResponse> = (call, answer) => {
    call.request.setPreview(true);
    methods.create!(call as never, (error, planned) => (error ? answer(error) : answer(null, taken(planned as CreateResponse, call.request.getUrn()))));
  };
  const server = new grpc.Server();
  server.addService(ResourceProviderService as never, { ...methods, create });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))));
  return { port, end: () => { server.forceShutdown(); client.close(); real.kill(); } };
}

/** Made as planned: with an id and addresses, and without what else only a cloud knows. */
function taken(planned: CreateResponse, urn: string): CreateResponse {
  const hex = createHash("sha256").update(urn).digest("hex");
  const id = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  const allFixedIps = [`192.0.2.${Number.parseInt(hex.slice(0, 2), 16)}`];
  const properties = { ...(known(planned.getProperties()!.toJavaScript(), { ...collections, allFixedIps }) as object), id };
  return new CreateResponse().setId(id).setProperties(Struct.fromJavaScript(properties as never));
}

/** Of a collection that is not there the plugin says that it is yet to come. */
const collections = { allMetadata: {}, allSecurityGroupIds: [], allTags: [], attachments: [], dnsAssignments: [], members: [], metadata: {}, securityGroups: [] };

/** What is known of a value at any depth; of a property that is not, what `instead` has for it. */
function known(value: unknown, instead: Record<string, unknown>): unknown {
  if (Array.isArray(value)) return value.map((each) => known(each, instead));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, part]) =>
    !isLater(part) ? [[key, known(part, instead)]] : key in instead ? [[key, instead[key]]] : []));
}

const isLater = (value: unknown): boolean => isUnknown(value) || (typeof value === "object" && value !== null && "value" in value && isUnknown(value.value));
