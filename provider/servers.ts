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
export function changedServers(was: Raw, wanted: Raw, stay: string[]): Changed[] {
  const before = isUnknown(wanted) || hasUnknown(wanted.memberOverrides) ? was : { ...was, memberOverrides: overrides(was, wanted, stay) };
  return differing(before, wanted).filter((key) => key !== "volumeSize" || newVolumeSize(was, wanted) === undefined)
    .map((key) => ({ argument: argument(key), was: before[key], why: key === "volumeSize" ? "makes volumes smaller, which no cloud does" : "cannot be done by this version" }));
}

/** GiB that each volume is to have from now on; undefined where that is as before, or less, which no volume can have. */
export function newVolumeSize(was: Raw, wanted: Raw): number | undefined {
  if (isUnknown(wanted)) return undefined;
  const [before, then] = [was.volumeSize, wanted.volumeSize];
  return typeof before === "number" && typeof then === "number" && then > before ? then : undefined;
}

const argument = (key: string): string => ({ publicKey: "access.privateKey", volumeSize: "volume.size", volumeType: "volume.type" })[key] ?? key;

/** Those of the members that stay as they were, and of others as they are wanted. */
function overrides(was: Raw, wanted: Raw, stay: string[]): unknown {
  const of = (servers: Raw, holds: (name: string) => boolean) =>
    Object.entries((servers.memberOverrides ?? {}) as Raw).filter(([name]) => holds(name));
  const all = Object.fromEntries([...of(was, (name) => stay.includes(name)), ...of(wanted, (name) => !stay.includes(name))]);
  // To have no overrides is said in two ways.
  const none = Object.keys(all).length + Object.keys((wanted.memberOverrides ?? {}) as Raw).length === 0;
  return none ? wanted.memberOverrides : all;
}
