import { randomBytes } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { dynamic } from "@pulumi/pulumi";
import { only, wrongStep } from "./authorities";
import { each, ofThese } from "./bundle";
import { newAuthority } from "./certificates";
import { credentials } from "./credentials";
import { byName } from "./datastores";
import { reason } from "./errors";
import { forecast, madeAgain } from "./forecast";
import { changesKey } from "./keys";
import { noCloud } from "./machines";
import type { Needs } from "./guest/machine";
import { failures, inputs, type Authority, type Inputs } from "./inputs";
import { movedArguments, moves, oneByOne, type Placed } from "./moves";
import type { Passwords } from "./passwords";
import { describe } from "./plan";
import { changedServers, flavorOf, imageOf, newVolumeSize, rebuilt, resized } from "./servers";
import { names } from "./topology";
import { differing, failure, hasUnknown, isUnknown, secret } from "./wire";

export type Raw = Record<string, unknown>;
export type Document = Pick<Inputs, "datastore" | "members" | "options" | "owner" | "forget" | "replace" | "authorities" | "recovery" | "rollout" | "state" | "servers" | "formerPasswords"> & Partial<Passwords>;

/** Made or kept by `check`, so not part of what the user asked for. */
const made = ["plan", "authority", "__provider"];
const unchanged = (olds: Raw, news: Raw, key: string): boolean => isDeepStrictEqual(olds[key], news[key]);
const given = (raw: Raw): string[] => Object.keys(raw).filter((key) => raw[key] !== undefined && key in inputs.shape && !made.includes(key));
/** What was given, taken out or given otherwise. */
export const changed = (olds: Raw, news: Raw): string[] => [...new Set([...given(news), ...given(olds)])].filter((key) => !unchanged(olds, news, key));

/** Whether it is unknown yet who the members are, not only where. */
export const unknownMembers = ({ members }: Raw): boolean => isUnknown(members) || (members as unknown[]).some(isUnknown);

/** Refusals that can be known without looking, passwords and keys, and the title and forecast of the change. */
export async function check(olds: Raw | undefined, { places, ...news }: Raw & { places?: Record<string, Placed> }): Promise<dynamic.CheckResult> {
  const first = olds === undefined || Object.keys(olds).length === 0;
  const before = first ? undefined : olds;
  const wrong = schemaFailures(news);
  // A rule that is new in a release must not fail the `up` of an unchanged cluster.
  const isOld = ({ property }: dynamic.CheckFailure) => before !== undefined && unchanged(before, news, property.split(".")[0]!);
  print(news as Document, wrong.filter(isOld).map(({ property, reason: why }) => `${argument(news, property)} ${why}; this cluster has it already and goes on`));
  const rootPassword = news.rootPassword ?? before?.rootPassword ?? randomBytes(18).toString("base64url");
  const wanted = { ...news, rootPassword };
  const due = places === undefined || isUnknown(places) ? {} : moves(places);
  const problems = byArgument(news, [...wrong.filter((each) => !isOld(each)), ...repeated(wanted), ...tooManyAway(news as Document), ...(before ? [...await notYet(before, news), ...unmoved(before, news, due)] : [])]);
  for (const [property, value] of [["maintenance", true], ["state", "stopped"]] as const)
    if (first && news[property] === value) problems.push({ property, reason: "is of a cluster that is there: leave it out until it is made" });
  const authority = before && problems.length > 0 ? before.authority : await authorityOf(before, news as Document);
  const completed = { ...news, rootPassword: secret(rootPassword), authority: secret(authority), plan: problems.length > 0 ? {} : planOf(before, wanted) };
  if (problems.length === 0) print(news as Document, Object.entries(due).map(([name, what]) => `${name} is still to move (${what}): ${oneByOne}`));
  if (first && problems.length === 0) print(news as Document, Object.values(completed.plan).flat());
  return { inputs: completed, failures: problems.map(failure) };
}

/** Those whose names stay are kept; of a name that is new it is made, and of one that is dropped nothing is left. */
async function authorityOf(before: Raw | undefined, { owner, authorities = only }: Document): Promise<Authority> {
  const { authorities: names = only, authority } = (before ?? {}) as Partial<Inputs>;
  const known = new Map(authority && each(authority).map((one, index) => [names[index]!, one]));
  return ofThese(await Promise.all(authorities.map((name) => known.get(name) ?? newAuthority(owner.cluster, name))));
}

/** What the user gave for a property: a component hands over `options`, which are no argument, and each datastore has its own word for its password. */
export const argument = ({ datastore }: Raw, property: string): string =>
  (property === "rootPassword" ? byName(datastore as string).password : property.replace(/^options\./, ""));

export const byArgument = (document: Raw, wrong: dynamic.CheckFailure[]): dynamic.CheckFailure[] =>
  wrong.map((each) => ({ ...each, property: argument(document, each.property) }));

/** What of a document can be judged by its parts alone, and no other cluster or cloud would have it otherwise. */
export function schemaFailures(news: Raw): dynamic.CheckFailure[] {
  const { datastore, options } = news;
  return [
    ...(hasUnknown(options) ? [] : failures(byName(datastore as string).options, options).map(({ property, reason: why }) =>
      ({ property: `options.${property}`, reason: why }))),
    ...(hasUnknown(news.access) ? [] : failures(inputs.shape.access, news.access).map(({ property, reason: why }) =>
      ({ property: `access.${property}`, reason: why }))),
    ...(news.rootPassword === undefined || isUnknown(news.rootPassword) ? [] : failures(inputs.shape.rootPassword, news.rootPassword).map(({ reason: why }) =>
      ({ property: "rootPassword", reason: why }))),
    ...(hasUnknown(news.formerPasswords) ? [] : failures(inputs.shape.formerPasswords, news.formerPasswords).map(({ property, reason: why }) =>
      ({ property: ["formerPasswords", property].filter(Boolean).join("."), reason: why }))),
  ];
}

/** No cluster can have it already: it is refused from the first. */
export function repeated(document: Raw): dynamic.CheckFailure[] {
  const { rootPassword, formerPasswords: former } = document;
  if (!Array.isArray(former) || hasUnknown([rootPassword, former])) return [];
  const twice = former.some((each, index) => [rootPassword, ...former.slice(0, index)].includes(each));
  return twice ? [{ property: "formerPasswords", reason: `must name each password once, and not the present one, ${argument(document, "rootPassword")}: take it out` }] : [];
}

/** More than may be away with one more that fails. */
function tooManyAway(news: Document): dynamic.CheckFailure[] {
  const { maxUnavailable = 1 } = news.rollout ?? {};
  if (maxUnavailable === 1 || unknownMembers(news as unknown as Raw)) return [];
  const { most, because } = byName(news.datastore).mayBeAway(names(news));
  return maxUnavailable <= most ? [] : [{ property: "rollout", reason: `may have a maxUnavailable of ${most} at most, and has ${maxUnavailable}: ${because}` }];
}

/** What memory a member needs at least. What is not known yet needs nothing. */
export function memoryOf({ datastore, options: given }: Raw): Needs["memory"] | undefined {
  const { options, needs } = byName(datastore as string);
  const { data } = options.safeParse(given);
  return data === undefined ? undefined : needs(data).memory;
}

/** What this version cannot change on a cluster that exists is refused by name, never ignored. */
async function notYet(olds: Raw, news: Raw): Promise<dynamic.CheckFailure[]> {
  const no = (property: string, what: string, instead: string, why = "cannot be done by this version") => ({ property, reason: `${what} ${why}; ${instead}` });
  const stay = names(olds as Document).filter((name) => unknownMembers(news) || names(news as Document).includes(name));
  const wrong = wrongStep((olds as Document).authorities ?? only, (news as Document).authorities ?? only);
  return [
    ...(wrong === undefined ? [] : [{ property: "authorities", reason: wrong }]),
    ...changedServers(olds.servers as Raw, news.servers as Raw, stay).map((each) => no(each.argument, `changing ${each.argument} of a cluster that exists`, "set it back", each.why)),
    ...await unreachableNova(olds.servers as Raw, news.servers as Raw, stay, news.cloud),
    ...(isDeepStrictEqual(olds.owner, news.owner) || hasUnknown(news.owner) ? [] : [no("owner", "renaming a cluster, its project or its stack", "keep the old name")]),
  ];
}

/** Other zones or volume types move nobody by themselves: they come with the first member that is made again, and with one after another. */
function unmoved(olds: Raw, news: Raw, due: Record<string, string>): dynamic.CheckFailure[] {
  if (unknownMembers(news)) return [];
  const [was, wanted] = [olds, news] as [Document, Document];
  const [property] = movedArguments(was.servers, wanted.servers, names(wanted).filter((name) => names(was).includes(name)));
  if (property === undefined || Object.keys(due).length === 0 || wanted.replace?.some((name) => !was.replace?.includes(name))) return [];
  const list = Object.entries(due).map(([name, what]) => `${name} (${what})`).join(", ");
  return [{ property, reason: `moves no member by itself, for none may be away while another is: ${list} would be made again. With this change, ${oneByOne}; or set it back` }];
}

/** Another flavor, image or key needs Nova: whether there is a way to it is known without asking it. */
export async function unreachableNova(was: Raw, wanted: Raw, stay: string[], cloud: unknown): Promise<dynamic.CheckFailure[]> {
  const others = Object.entries({ flavor: resized(was, wanted, stay), image: rebuilt(was, wanted, stay), "access.privateKey": changesKey({ servers: was }, { servers: wanted }) ? stay : [] }).filter(([, members]) => members.length > 0);
  if (others.length === 0 || isUnknown(cloud)) return [];
  const without = (why: string) => others.map(([property, members]) => ({ property, reason: `another one for ${members.join(", ")} needs Nova: ${why}; or set it back` }));
  try {
    return (await credentials(cloud as string | undefined)) ? [] : without(noCloud);
  } catch (error) {
    return without(reason(error));
  }
}

/** The change under its title. When nothing changed the old one stays, so that a second `up` is an empty diff. */
function planOf(olds: Raw | undefined, news: Raw): Inputs["plan"] {
  if (unknownMembers(news)) return {};
  const wanted = news as Document;
  const it = byName(wanted.datastore);
  if (!olds) {
    const blank = Object.fromEntries(names(wanted).map((name) => [name, it.blank]));
    return { [`create ${wanted.members.length} members`]: describe(it.plan({ members: names(wanted), authorities: wanted.authorities }, blank)) };
  }
  if (changed(olds, news).length === 0) return olds.plan as Inputs["plan"];
  const was = olds as Document & Passwords;
  const { lines } = forecast({ ...was, known: was.members, seen: {}, unreached: [] }, wanted);
  return { [titleOf(was, wanted, changed(olds, news))]: lines };
}

function titleOf(olds: Document, news: Document, keys: string[]): string {
  const [was, now] = [names(olds), names(news)];
  const [gone, come] = [was.filter((name) => !now.includes(name)), now.filter((name) => !was.includes(name))];
  const again = madeAgain(olds.members, news);
  const stay = was.filter((name) => now.includes(name));
  const others = resized(olds.servers, news.servers, stay);
  const flavors = [...new Set(others.map((name) => flavorOf(news.servers, name)!))];
  const decided = keys.includes("recovery") ? news.recovery : undefined;
  const key = changesKey(olds, news);
  const rest = argumentsOf(olds, news, keys.filter((each) => !["members", "servers", "replace", "state", ...(decided ? ["recovery"] : []), ...(key ? ["access"] : [])].includes(each)));
  return [
    ...(keys.includes("state") ? [news.state === "stopped" ? "stop" : "start"] : []),
    ...(was.length !== now.length ? [`members ${was.length} to ${now.length}`] : []),
    ...(was.length === now.length && gone.length > 0 ? [`${come.join(", ")} for ${gone.join(", ")}`] : []),
    ...(newVolumeSize(olds.servers, news.servers) !== undefined ? [`volumes to ${String(news.servers.volumeSize)} GiB`] : []),
    ...(again.length > 0 ? [`replace ${again.join(", ")}`] : []),
    ...(rebuilt(olds.servers, news.servers, stay).length > 0 ? [`image to ${imageOf(news.servers)}`] : []),
    ...flavors.map((flavor) => `flavor${flavors.length === 1 && others.length === stay.length ? "" : ` of ${others.filter((name) => flavorOf(news.servers, name) === flavor).join(", ")}`} to ${flavor}`),
    ...(decided ? [`recover from ${decided.from}`] : []),
    ...movedArguments(olds.servers, news.servers, stay).map((moved) => `change ${moved}`),
    ...(key ? ["new access.privateKey"] : []),
    ...(rest.length > 0 ? [`change ${rest.join(", ")}`] : []),
  ].join(", ") || `change ${keys.join(", ")}`;
}

/** What a person calls the properties that changed. */
export const argumentsOf = (olds: Pick<Document, "options">, news: Raw, keys: string[]): string[] =>
  keys.flatMap((key) => (key === "options" && !isUnknown(news.options) ? differing(olds.options, news.options) : [argument(news, key)]));

/** Lines of a preview, with the cluster's name in front. */
export const print = ({ owner }: Pick<Document, "owner">, lines: string[]) => {
  for (const line of lines) console.log(`[${owner.cluster}] ${line}`);
};
