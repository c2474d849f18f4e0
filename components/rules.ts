import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { Locality, Unsafe } from "./arguments";

const text = (what: string) => z.string({ error: `must be ${what}` }).min(1, { error: `must be ${what}` });
const texts = (what: string) => z.array(text(what), { error: `must be a list, each entry ${what}` });
const whole = (what: string, least: number, most = Number.MAX_SAFE_INTEGER) =>
  z.number({ error: `must be ${what}` }).int({ error: `must be ${what}` }).min(least, { error: `must be ${what}` }).max(most, { error: `must be ${what}` });
const flag = z.boolean({ error: "must be true or false" });
const word = (words: Record<string, string>) => z.enum(Object.values(words), { error: `must be one of ${Object.values(words).join(", ")}` });
const cidr = z.union([z.cidrv4(), z.cidrv6()], { error: "must be a CIDR, such as 192.0.2.0/24 or 2001:db8::/32" });
const cidrs = z.array(cidr, { error: "must be a list of CIDRs" });
const byMember = <T extends z.ZodType>(rule: T) => z.record(z.string(), rule, { error: "must be an object with members' names for keys" });
/** A word that nothing reads is a slip of the pen. */
const group = (shape: z.ZodRawShape) => z.strictObject(shape, {
  error: (issue) => (issue.code === "unrecognized_keys" ? `has no ${issue.keys.join(", ")}: it takes ${Object.keys(shape).join(", ")}` : `must be an object with ${Object.keys(shape).join(", ")}`),
});

/**
 * What each argument that all clusters take must be, whatever the others are. Here stands only what no cloud would ever have
 * taken: a rule of ours that is new in a release must not fail a cluster that is there, and only the provider's `check` knows that.
 */
const common = {
  members: whole("a whole number, at least 1", 1),
  flavor: text("the name of a flavor"),
  image: text("the name of an image"),
  network: text("the name or id of a network"),
  volume: group({ size: whole("a whole number of GiB, at least 1", 1), type: text("the name of a volume type").optional(), keep: flag.optional() }),
  availabilityZones: texts("the name of an availability zone").min(1, { error: "must name an availability zone, or be left out" }).optional(),
  locality: word(Locality).optional(),
  allowedCidrs: cidrs.optional(),
  access: group({
    user: text("the user who logs in to the servers"),
    privateKey: text("a private key"),
    bastion: group({ host: text("a name or an address"), user: text("the user who logs in to it"), port: whole("a port, 1 to 65535", 1, 65535).optional(), hostKey: text("a host key").optional() }).optional(),
    hostKeys: byMember(text("a host key")).optional(),
    allowedCidrs: cidrs.optional(),
  }),
  memberOverrides: byMember(group({ zone: text("the name of an availability zone").optional(), networks: texts("the name or id of a network").optional(), flavor: text("the name of a flavor").optional() })).optional(),
  without: texts("a member's name").optional(),
  replace: texts("a member's name").optional(),
  forget: texts("a member's name").optional(),
  allowUnsafe: z.array(word(Unsafe), { error: "must be a list of risks" }).optional(),
  deletionProtection: flag.optional(),
};

/** Never shown, right or wrong. */
const secret = "access.privateKey";

/**
 * Throws, with every argument that is wrong, before anything is made; what becomes known only later is looked at then.
 * `own` are the arguments of its type alone, whose rules the provider has.
 */
export function refuse(cluster: pulumi.Resource, args: object, own: string[]): void {
  const schema = group({ ...common, ...Object.fromEntries(own.map((argument) => [argument, z.unknown().optional()])) });
  const look = (known: object) => {
    const found = wrong(schema, known);
    if (found.length > 0) throw new pulumi.ResourceError(found.join("\n"), cluster, true);
  };
  look(args);
  pulumi.output(args).apply(look);
}

/** A line for each argument that breaks its rule. */
function wrong(schema: z.ZodType, args: object): string[] {
  const issues = schema.safeParse(args).error?.issues ?? [];
  return issues.filter(({ path }) => !path.some((_, index) => isLater(at(args, path.slice(0, index + 1))))).map((issue) => {
    const { code, path, message } = issue;
    const argument = path.join(".");
    // Of a wrong key zod keeps the rule one level down.
    if (code === "invalid_key") return `${argument} ${issue.issues.map((each) => each.message).join("; ")}`;
    if (code === "unrecognized_keys") return `${argument || "a cluster"} ${message}`;
    const value = at(args, path);
    return `${argument} ${message}${value === undefined ? "; it is missing" : argument === secret ? "" : `; it is ${JSON.stringify(value) ?? String(value)}`}`;
  });
}

const isLater = (value: unknown): boolean => pulumi.Output.isInstance(value) || value instanceof Promise;
const at = (args: unknown, path: PropertyKey[]): unknown => path.reduce((found, key) => (found as Record<PropertyKey, unknown> | undefined)?.[key], args);
