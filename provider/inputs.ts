import { z } from "zod";

/** Whatever stands around the key itself. */
const hostKey = z.string().regex(/(^|\s)AAAA/, { error: "not a public host key; give it as ssh-keyscan prints it" });

/** How guests are reached by SSH. */
const access = z.strictObject({
  user: z.string().min(1),
  privateKey: z.string().includes("PRIVATE KEY", { error: "not a private key in PEM or OpenSSH form" }),
  bastion: z.strictObject({
    host: z.string().min(1),
    user: z.string().min(1),
    port: z.number().int().optional(),
    hostKey: hostKey.optional(),
  }).optional(),
  hostKeys: z.record(z.string(), hostKey).optional(),
});
export type Access = z.infer<typeof access>;

const pair = z.strictObject({ certificate: z.string(), key: z.string() });
/** Who signs the members' certificates, and the others that they trust, in the order of their names. */
const authority = pair.extend({ trusted: z.array(pair).optional() });
export type Authority = z.infer<typeof authority>;

/** One server of a cluster. */
const member = z.strictObject({ name: z.string(), address: z.string(), server: z.string(), volume: z.string() });

/** One key, the title of the change; its value, the steps. As a bare list it would be compared by index. */
const plan = z.record(z.string(), z.array(z.string()));

/** Clients and servers read it from option files, some of which have lines of 4 KiB at most, and end them at a NUL. */
const password = z.string().regex(/^[^\0]{8,200}$/u, { error: "must have 8 to 200 characters, and no NUL among them" });

/** Beside the present one, while clients change over. */
const formerPasswords = z.array(password, { error: "must be a list of passwords" }).max(3, { error: "must be 3 passwords at most: end those that no client needs any more" });

/** What passes the door: made by a component, completed by `check`. Lax on top, for the engine adds keys of its own. */
export const inputs = z.object({
  datastore: z.string(),
  owner: z.strictObject({ project: z.string(), stack: z.string(), cluster: z.string() }),
  members: z.array(member).min(1),
  options: z.record(z.string(), z.unknown()),
  /** What the servers and volumes were asked to be: frozen on the resources, so that a change can be refused here. */
  servers: z.record(z.string(), z.unknown()),
  access,
  rootPassword: password,
  formerPasswords: formerPasswords.optional(),
  authority,
  /** Names of the authorities: all are trusted, and the first signs. */
  authorities: z.array(z.string()).min(1).optional(),
  deletionProtection: z.boolean(),
  /** While true no guest is touched. */
  maintenance: z.boolean().optional(),
  /** Leaving members that can never be seen again. */
  forget: z.array(z.string()).optional(),
  /** Members whose servers are to be made again. */
  replace: z.array(z.string()).optional(),
  /** From whose data a cluster that is down is started, where only a person can tell. */
  recovery: z.strictObject({ from: z.string(), evidence: z.string() }).optional(),
  /** How a change that is to come to one member after another goes on. */
  rollout: z.strictObject({ canary: z.boolean().optional(), pauseSeconds: z.number().min(0).max(3600).optional(), maxUnavailable: z.number().int().min(1).optional() }).optional(),
  /** Whether the databases are to run; left out they are. */
  state: z.enum(["running", "stopped"]).optional(),
  /** The entry of clouds.yaml by which Nova is asked. Default: what the environment names. */
  cloud: z.string().optional(),
  plan,
});
export type Inputs = z.infer<typeof inputs>;

/** What comes back and is kept in the state. */
export const outputs = inputs.extend({
  stateVersion: z.literal(1),
  status: z.enum(["ready", "failed"]),
  /** Members not yet proven gone: those that are wanted, and those that have still to leave. */
  known: z.array(member),
  /** What was last seen, without counters or times. */
  seen: z.record(z.string(), z.unknown()),
  /** Members that the last look did not reach: what was seen of them is older. */
  unreached: z.array(z.string()),
  /** The flavor that each server was last given. Not told by a state that is older. */
  flavors: z.record(z.string(), z.string()).optional(),
  /** The image, likewise. */
  images: z.record(z.string(), z.string()).optional(),
  /** What the cloud has not kept of what was asked for, as last seen. Not told by a state that is older. */
  warnings: z.array(z.string()).optional(),
  /** Private keys that members may still let in beside the present one, of runs that did not end. */
  formerKeys: z.array(z.string()).optional(),
  /** The host key that each server showed first, by server id, and the bastion's by `host:port`. */
  pins: z.record(z.string(), z.string()),
});
export type Outputs = z.infer<typeof outputs>;

/** Reads `text` by `schema`; a failure names each wrong argument and its rule. */
export function parse<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (!result.success) throw new Error(`${what}: ${z.prettifyError(result.error)}`);
  return result.data;
}

/** The options of a cluster, with the defaults of what was left out. What a rule that is new in a release would refuse of a cluster that has it counts as it was given: of any other `check` has refused it. */
export function optionsOf<Options>(schema: z.ZodType<Options> & Pick<z.ZodObject, "shape">, given: Inputs["options"]): Options {
  const { data } = schema.safeParse(given);
  return data ?? Object.entries(schema.shape).reduce((all, [key, rule]) => {
    const value = (rule as z.ZodType).safeParse(given[key]).data ?? given[key];
    return value === undefined ? all : { ...all, [key]: value };
  }, given) as Options;
}

/** The failures `check` reports: property and reason. */
export const failures = (schema: z.ZodType, value: unknown): { property: string; reason: string }[] =>
  schema.safeParse(value).error?.issues.map((issue) => ({
    property: issue.path.join("."),
    // Of a wrong key zod keeps the rule one level down.
    reason: (issue.code === "invalid_key" ? issue.issues : [issue]).map(({ message }) => message).join("; "),
  })) ?? [];
