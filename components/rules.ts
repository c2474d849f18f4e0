import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { Locality, Unsafe } from "./arguments";

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
  members: whole("a whole number, at least 1", 1),
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
  allowUnsafe: z.array(word(Unsafe), must("a list of risks")).optional(),
  deletionProtection: input(flag).optional(),
};

/**
 * Throws, with every argument that is wrong, before anything is made. What becomes known only later is looked at then, and fails
 * what is given back: nothing is to be made before that is there. `own` are the arguments of the cluster's type alone, whose rules the provider has.
 */
export function refuse(cluster: string, args: object, own: string[]): pulumi.Output<void>[] {
  const schema = group({ ...common, ...Object.fromEntries(own.map((argument) => [argument, z.unknown().optional()])) });
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
