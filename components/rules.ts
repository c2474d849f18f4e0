import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { Locality, State, Unsafe, type ClusterArgs } from "./arguments";

const must = (what: string) => ({ error: `must be ${what}` });
const text = (what: string) => z.string(must(what)).min(1, must(what));
const texts = (what: string) => z.array(text(what), must(`a list, each entry ${what}`));
const whole = (what: string, least: number, most = Number.MAX_SAFE_INTEGER) => z.number(must(what)).int(must(what)).min(least, must(what)).max(most, must(what));
const flag = z.boolean(must("true or false"));
const word = (words: Record<string, string>) => z.enum(Object.values(words), must(`one of ${Object.values(words).join(", ")}`));
const cidrs = z.array(z.union([z.cidrv4(), z.cidrv6()], must("a CIDR, such as 192.0.2.0/24 or 2001:db8::/32")), must("a list of CIDRs"));
const byMember = (rule: z.ZodType) => z.record(z.string(), rule, must("an object with members' names for keys"));
/** A word that nothing reads is a slip of the pen. */
const group = <Shape extends z.ZodRawShape>(shape: Shape) => z.strictObject(shape, {
  error: (issue) => (issue.code === "unrecognized_keys" ? `has no ${issue.keys.join(", ")}: it takes ${Object.keys(shape).join(", ")}` : `must be an object with ${Object.keys(shape).join(", ")}`),
});
/** What may be known only later; then it is looked at later. */
const input = (rule: z.ZodType) => z.unknown().superRefine((value, context) => {
  if (isLater(value)) return;
  for (const { message, path } of rule.safeParse(value).error?.issues ?? []) context.addIssue({ code: "custom", message, path });
});

const access = group({
  user: input(text("the user who logs in to the servers")),
  privateKey: input(text("a private key")),
  bastion: group({
    host: input(text("a name or an address")), user: input(text("the user who logs in to it")),
    port: input(whole("a port, 1 to 65535", 1, 65535)).optional(), hostKey: input(text("a host key")).optional(),
  }).optional(),
  hostKeys: input(byMember(input(text("a host key")))).optional(),
  allowedCidrs: cidrs.optional(),
});

/**
 * What each argument that all clusters take must be, whatever the others are. A rule that comes later belongs into the
 * provider's `check`, which spares a cluster that is there already.
 */
const common = {
  flavor: input(text("the name of a flavor")),
  image: input(text("the name of an image")),
  network: input(text("the name or id of a network")),
  volume: group({ size: input(whole("a whole number of GiB, at least 1", 1)), type: input(text("the name of a volume type")).optional(), keep: flag.optional() }),
  availabilityZones: texts("the name of an availability zone").min(1, { error: "must name an availability zone, or be left out" }).optional(),
  locality: word(Locality).optional(),
  allowedCidrs: cidrs.optional(),
  access,
  memberOverrides: byMember(group({
    zone: input(text("the name of an availability zone")).optional(), networks: texts("the name or id of a network").optional(),
    flavor: input(text("the name of a flavor")).optional(),
  })).optional(),
  without: texts("a member's name").optional(),
  replace: texts("a member's name").optional(),
  forget: texts("a member's name").optional(),
  rollout: group({ canary: flag.optional(), pauseSeconds: whole("a whole number of seconds, 0 to 3600", 0, 3600).optional(), maxUnavailable: whole("a whole number, at least 1", 1).optional() }).optional(),
  state: word(State).optional(),
  restartTrigger: input(text("a text, such as today's date")).optional(),
  authorities: texts("the name of an authority").min(1, { error: "must name an authority, or be left out, which is [\"1\"]" }).max(3, { error: "has three names at most: drop one first" })
    .refine((names) => new Set(names).size === names.length, { error: "has a name twice: name each once" })
    .refine((names) => names.every((name) => /^[a-z0-9][a-z0-9-]{0,31}$/i.test(name)), { error: "has a name that is none: give letters, digits and dashes, 32 at most, as in [\"1\", \"2\"]" }).optional(),
  allowUnsafe: z.array(word(Unsafe), must("a list of risks")).optional(),
  cloud: input(text("the name of an entry in clouds.yaml")).optional(),
  maintenance: input(flag).optional(),
  deletionProtection: input(flag).optional(),
};

/** Of one type of cluster alone, and not of the provider's rules. */
const special: Partial<Record<string, z.ZodType>> = {
  recovery: group({ from: text("a member's name"), evidence: z.string(must("what a refusal has printed")).regex(/^[0-9a-f]{12}$/, must("the 12 hex digits that a refusal has printed")) }),
};

/** How large a cluster is to be, in the words of its type. */
const sizes = {
  members: whole("a whole number, at least 1", 1),
  // Fewer than three primaries are no majority without one of them (Redis: Cluster specification).
  shards: whole("a whole number, at least 3", 3, 1000),
  replicasPerShard: whole("a whole number, at least 0", 0).optional(),
};

/**
 * Throws, with every argument that is wrong, before anything is made. What becomes known only later is looked at then, and fails
 * what is given back: nothing is to be made before that is there. `size` are the arguments that say how large it is, `own` those of the cluster's type alone, whose rules the provider has but for a few.
 */
export function refuse(cluster: string, args: object, size: (keyof typeof sizes)[], own: string[]): pulumi.Output<void>[] {
  const schema = group({ ...Object.fromEntries(size.map((argument) => [argument, sizes[argument]])), ...common, ...Object.fromEntries(own.map((argument) => [argument, (special[argument] ?? z.unknown()).optional()])) });
  const issues = schema.safeParse(args).error?.issues ?? [];
  refuseAll(cluster, issues.map(({ code, path, message }) => `${path.join(".") || "a cluster"} ${message}${code === "unrecognized_keys" ? "" : shown(args, path)}`));
  const rules: [string[], z.ZodType][] = [
    ...Object.entries(common).filter(([argument]) => argument !== "access").map(([argument, rule]) => [[argument], rule] as [string[], z.ZodType]),
    // The key is left to who derives its public half.
    ...Object.entries(access.shape).filter(([argument]) => argument !== "privateKey").map(([argument, rule]) => [["access", argument], rule] as [string[], z.ZodType]),
  ];
  return rules.map(([argument, rule]) => lookLater(cluster, argument, rule, at(args, argument)));
}

/** Of what was a secret, or may be one, no value is shown. */
const lookLater = (cluster: string, argument: string[], rule: z.ZodType, value: unknown): pulumi.Output<void> =>
  (pulumi.output(value as object) as pulumi.Output<unknown>).apply((known) =>
    refuseAll(cluster, (rule.safeParse(known).error?.issues ?? []).map(({ path, message }) => `${[...argument, ...path].join(".")} ${message}`)));

/** Arguments that name members, of a cluster that has `all`. `named` is how its members are named, in words and as a pattern. */
export function wrongMembers(all: string[], named: { words: string; pattern: RegExp }, { without = [], forget = [], replace = [], memberOverrides = {}, access, recovery }: Pick<ClusterArgs, "without" | "forget" | "replace" | "memberOverrides" | "access"> & { recovery?: { from: string } }): string[] {
  const wrong: string[] = [];
  for (const [argument, by] of Object.entries({ without, forget, "recovery.from": recovery ? [recovery.from] : [] })) {
    const unnamed = by.filter((member) => !named.pattern.test(member));
    if (unnamed.length > 0) wrong.push(`${argument} names ${unnamed.join(", ")}, but members are named ${named.words}`);
  }
  const kept = forget.filter((member) => all.includes(member));
  if (kept.length > 0) wrong.push(`forget names ${kept.join(", ")}, which is wanted: forget is for members that leave; name it in without, or lower members`);
  if (replace.length > 1) wrong.push(`replace names ${replace.join(", ")}: one at a time, so that one more may fail. Name the next after \`pulumi up\``);
  const hostKeys = isLater(access.hostKeys) ? {} : (access.hostKeys as object | undefined) ?? {};
  for (const [argument, by] of Object.entries({ memberOverrides: Object.keys(memberOverrides), replace, "access.hostKeys": Object.keys(hostKeys) })) {
    const unknown = by.filter((member) => !all.includes(member));
    if (unknown.length > 0) wrong.push(`${argument} names ${unknown.join(", ")}, but the members are ${all.join(", ")}`);
  }
  return wrong;
}

/** Names of servers, so of hosts. */
export const wrongName = (name: string): string[] => (/^[a-z][a-z0-9-]{0,50}$/.test(name) ? []
  : [`name becomes the servers' host names: give lower-case letters, digits and dashes, a letter first, 51 at most; it is ${JSON.stringify(name)}`]);

/** Throws what a person reads without a stack: nothing of the library is of use to them. */
export function refuseAll(cluster: string, wrong: string[]): void {
  if (wrong.length > 0) throw new pulumi.RunError(wrong.map((line) => `${cluster}: ${line}`).join("\n"));
}

/** What the argument is, where that is short and no secret. */
function shown(args: object, path: PropertyKey[]): string {
  const value = at(args, path);
  if (value === undefined) return "; it is missing";
  if (isLater(value)) return "; it is an Output, and decides how many resources there are: give it as it is";
  const printable = path[0] !== "access" && (typeof value === "number" || typeof value === "boolean" || (typeof value === "string" && value.length <= 80));
  return printable ? `; it is ${typeof value === "string" ? JSON.stringify(value) : value}` : "";
}

const isLater = (value: unknown): boolean => pulumi.Output.isInstance(value) || value instanceof Promise;
const at = (args: unknown, path: PropertyKey[]): unknown => path.reduce((found, key) => (found as Record<PropertyKey, unknown> | undefined)?.[key], args);
