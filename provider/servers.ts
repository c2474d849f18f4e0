import { differing, hasUnknown, isUnknown } from "./wire";

type Raw = Record<string, unknown>;

/** An argument of servers or volumes, by the name that the user has for it, and what it was. */
export interface Changed {
  argument: string;
  was: unknown;
  /** Why there is no change of it. */
  why: string;
}

/**
 * The arguments of which other servers and volumes are asked for than there may be: what is made ignores a change of them, and ignored is
 * not done. What a member has of its own may change unless it is one of `stay`.
 */
export function changedServers(olds: Raw, news: Raw, stay: string[]): Changed[] {
  const [was, wanted] = [withoutMachines(olds), withoutMachines(news)];
  const before = isUnknown(wanted) || hasUnknown(wanted.memberOverrides) ? was : { ...was, memberOverrides: overrides(was, wanted, stay) };
  return differing(before, wanted).filter((key) => key !== "volumeSize" || newVolumeSize(was, wanted) === undefined)
    .map((key) => ({ argument: argument(key), was: before[key], why: key === "volumeSize" ? "makes volumes smaller, which no cloud does" : "cannot be done by this version" }));
}

/** Without what servers that are there are given: by Nova, on themselves, or by being made again one at a time. */
function withoutMachines(servers: Raw): Raw {
  if (isUnknown(servers)) return servers;
  const { flavor: _, image: ___, publicKey: ____, availabilityZones: _____, volumeType: ______, memberOverrides, ...rest } = servers;
  if (memberOverrides === undefined || hasUnknown(memberOverrides)) return { ...rest, ...(memberOverrides !== undefined && { memberOverrides }) };
  const own = Object.entries(memberOverrides as Record<string, Raw>).map(([name, { flavor: __, zone: ___, ...others }]) => [name, others] as const).filter(([, others]) => Object.keys(others).length > 0);
  return { ...rest, ...(own.length > 0 && { memberOverrides: Object.fromEntries(own) }) };
}

/** Those of the members whose servers were asked to be made of another image than they are now: all or none. */
export function rebuilt(was: Raw, wanted: Raw, members: string[]): string[] {
  const [before, then] = [imageOf(was), imageOf(wanted)];
  return before !== undefined && then !== undefined && before !== then ? members : [];
}

/** Those of the members whose servers were asked to have another flavor than they are now. */
export const resized = (was: Raw, wanted: Raw, members: string[]): string[] =>
  members.filter((name) => {
    const [before, then] = [flavorOf(was, name), flavorOf(wanted, name)];
    return before !== undefined && then !== undefined && before !== then;
  });

/** The flavor that a member's server is asked to have; undefined while it is not known. */
export function flavorOf(servers: Raw, name: string): string | undefined {
  if (isUnknown(servers) || isUnknown(servers.memberOverrides)) return undefined;
  const flavor = (servers.memberOverrides as Record<string, { flavor?: unknown }> | undefined)?.[name]?.flavor ?? servers.flavor;
  return typeof flavor === "string" && !isUnknown(flavor) ? flavor : undefined;
}

/** The image that servers are asked to be made of; undefined while it is not known. */
export const imageOf = ({ image }: Raw): string | undefined => (typeof image === "string" && !isUnknown(image) ? image : undefined);

/** GiB that each volume is to have from now on; undefined where that is as before, or less, which no volume can have. */
export function newVolumeSize(was: Raw, wanted: Raw): number | undefined {
  if (isUnknown(wanted)) return undefined;
  const [before, then] = [was.volumeSize, wanted.volumeSize];
  return typeof before === "number" && typeof then === "number" && then > before ? then : undefined;
}

const argument = (key: string): string => (key === "volumeSize" ? "volume.size" : key);

/** Those of the members that stay as they were, and of others as they are wanted. */
function overrides(was: Raw, wanted: Raw, stay: string[]): unknown {
  const of = (servers: Raw, holds: (name: string) => boolean) =>
    Object.entries((servers.memberOverrides ?? {}) as Raw).filter(([name]) => holds(name));
  const all = Object.fromEntries([...of(was, (name) => stay.includes(name)), ...of(wanted, (name) => !stay.includes(name))]);
  // To have no overrides is said in two ways.
  const none = Object.keys(all).length + Object.keys((wanted.memberOverrides ?? {}) as Raw).length === 0;
  return none ? wanted.memberOverrides : all;
}
