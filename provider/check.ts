import { randomBytes } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { dynamic } from "@pulumi/pulumi";
import { newAuthority } from "./certificates";
import { byName } from "./datastores";
import { Refused } from "./errors";
import { failures, inputs, type Inputs, type Outputs } from "./inputs";
import { describe } from "./plan";
import { names } from "./topology";
import { hasUnknown, isUnknown, secret } from "./wire";

export type Raw = Record<string, unknown>;
export type Wanted = Pick<Inputs, "datastore" | "members" | "owner">;

/** Made or kept by `check`, so not part of what the user asked for. */
const made = ["plan", "authority", "rootPassword", "__provider"];
const unchanged = (olds: Raw, news: Raw, key: string): boolean => isDeepStrictEqual(olds[key], news[key]);
export const changed = (olds: Raw, news: Raw): string[] => Object.keys(news).filter((key) => !made.includes(key) && !unchanged(olds, news, key));

/** Whether it is unknown yet who the members are, not only where. */
const unknownMembers = ({ members }: Raw): boolean => isUnknown(members) || (members as unknown[]).some(isUnknown);

/** Refusals that can be known without looking, passwords and keys, and the title and forecast of the change. */
export async function check(olds: Raw | undefined, news: Raw): Promise<dynamic.CheckResult> {
  const first = olds === undefined || Object.keys(olds).length === 0;
  const before = first ? undefined : olds;
  const wrong = schemaFailures(news);
  // A rule that is new in a release must not fail the `up` of an unchanged cluster.
  const isOld = ({ property }: dynamic.CheckFailure) => before !== undefined && unchanged(before, news, property.split(".")[0]!);
  print(news as Wanted, wrong.filter(isOld).map(({ property, reason: why }) => `${property} ${why}; this cluster has it already and goes on`));
  const problems = [...wrong.filter((each) => !isOld(each)), ...(before ? notYet(before, news) : [])];
  const password = news.rootPassword ?? before?.rootPassword ?? randomBytes(18).toString("base64url");
  const authority = before?.authority ?? await newAuthority((news as Wanted).owner.cluster);
  const completed = { ...news, rootPassword: secret(password), authority: secret(authority), plan: problems.length > 0 ? {} : planOf(before, news) };
  if (first && problems.length === 0) print(news as Wanted, Object.values(completed.plan).flat());
  return { inputs: completed, failures: problems };
}

function schemaFailures(news: Raw): dynamic.CheckFailure[] {
  const { datastore, options } = news;
  return [
    ...(hasUnknown(options) ? [] : failures(byName(datastore as string).options, options).map(({ property, reason: why }) =>
      ({ property: `options.${property}`, reason: why }))),
    ...(hasUnknown(news.access) ? [] : failures(inputs.shape.access, news.access).map(({ property, reason: why }) =>
      ({ property: `access.${property}`, reason: why }))),
    ...(news.rootPassword === undefined || isUnknown(news.rootPassword) ? [] : failures(inputs.shape.rootPassword, news.rootPassword).map(({ reason: why }) =>
      ({ property: "rootPassword", reason: why }))),
  ];
}

/** What this version cannot change on a cluster that exists is refused by name, never ignored. */
function notYet(olds: Raw, news: Raw): dynamic.CheckFailure[] {
  const was = names(olds as Wanted);
  const wanted = unknownMembers(news) ? was : names(news as Wanted);
  const no = (property: string, what: string, instead: string) => ({ property, reason: `${what} cannot be done by this version; ${instead}` });
  return [
    ...(wanted.length > was.length ? [no("members", `growing from ${was.length} to ${wanted.length}`, `set it back to ${was.length}`)] : []),
    ...(wanted.length < was.length ? [no("members", `shrinking from ${was.length} to ${wanted.length}`, `set it back to ${was.length}`)] : []),
    ...differing(olds.servers, news.servers).map((key) => no(`servers.${key}`, `changing ${key} of a cluster that exists`, "set it back")),
    ...(news.rootPassword === undefined || isUnknown(news.rootPassword) || news.rootPassword === olds.rootPassword ? []
      : [no("rootPassword", "changing the password of a cluster that exists", "set it back, or leave it out")]),
    ...(isDeepStrictEqual(olds.owner, news.owner) || hasUnknown(news.owner) ? [] : [no("owner", "renaming a cluster, its project or its stack", "keep the old name")]),
  ];
}

/** The keys whose values are known and differ. */
function differing(was: unknown, wanted: unknown): string[] {
  if (isUnknown(wanted)) return [];
  const [olds, news] = [was ?? {}, wanted ?? {}] as [Raw, Raw];
  return [...new Set([...Object.keys(olds), ...Object.keys(news)])]
    .filter((key) => !hasUnknown(news[key]) && !isDeepStrictEqual(olds[key], news[key]));
}

/** The change under its title. When nothing changed the old one stays, so that a second `up` is an empty diff. */
function planOf(olds: Raw | undefined, news: Raw): Inputs["plan"] {
  if (unknownMembers(news)) return {};
  const wanted = news as Wanted;
  const it = byName(wanted.datastore);
  if (!olds) {
    const blank = Object.fromEntries(names(wanted).map((name) => [name, it.blank]));
    return { [`create ${wanted.members.length} members`]: describe(it.plan(names(wanted), blank)) };
  }
  const keys = changed(olds, news);
  if (keys.length === 0) return olds.plan as Inputs["plan"];
  const was = names(olds as Wanted);
  return { [`change ${keys.join(", ")}`]: forecast(olds as Wanted, wanted, healthy(wanted.datastore, was)) };
}

const healthy = (datastore: string, members: string[]) =>
  Object.fromEntries(members.map((name) => [name, byName(datastore).healthy(members.length)]));

/**
 * The steps from what was last seen. A server that is another than then, or not known yet, is seen as new.
 * A refusal is a forecast too: what was seen may be mended since, and some changes need no guest.
 */
export function forecast(olds: Pick<Wanted, "members">, { datastore, members }: Wanted, seen: Record<string, unknown>): string[] {
  const it = byName(datastore);
  const now = members.map(({ name, server }) => {
    const same = olds.members.some((old) => old.name === name && old.server === server);
    return [name, same ? seen[name] ?? it.blank : it.blank] as const;
  });
  try {
    return describe(it.plan(names({ members }), Object.fromEntries(now)));
  } catch (error) {
    if (error instanceof Refused) return [error.message];
    throw error;
  }
}

const print = ({ owner }: Pick<Wanted, "owner">, lines: string[]) => {
  for (const line of lines) console.log(`[${owner.cluster}] ${line}`);
};

/**
 * Prints the forecast of an update. The engine itself compares the inputs, minimally and in detail.
 * Options are refused here and not in `check`, which does not know the status: a setting that kept a
 * cluster from being created must be mendable.
 */
export async function diff(_id: string, olds: Outputs, news: Raw): Promise<dynamic.DiffResult> {
  if (unknownMembers(news)) return {};
  const options = differing(olds.options, news.options);
  if (olds.status === "ready" && options.length > 0)
    throw new Error(`${olds.owner.cluster}: changing ${options.map((key) => `options.${key}`).join(", ")} of a cluster that runs cannot be done by this version; set it back`);
  const lines = forecast(olds, news as Wanted, olds.seen ?? {});
  if (olds.status !== "ready") console.log(`[${olds.owner.cluster}] the last run did not end; this one goes on from what it then sees`);
  print(olds, lines);
  // A refresh clears the engine's own memory of a failed run, and knows nothing of a member that it saw down.
  const toDo = olds.status !== "ready" || (lines.length > 0 && changed(olds, news).length === 0);
  return toDo ? { changes: true } : {};
}
