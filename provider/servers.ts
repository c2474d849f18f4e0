import { differing, hasUnknown, isUnknown } from "./wire";

type Raw = Record<string, unknown>;

/** An argument of servers or volumes, by the name that the user has for it, and what it was. */
export interface Changed {
  argument: string;
  was: unknown;
}

/**
 * The arguments of which other servers and volumes are asked for than there may be: what is made ignores a change of them, and ignored is
 * not done. What a member has of its own may change unless it is one of `stay`.
 */
export function changedServers(was: Raw, wanted: Raw, stay: string[]): Changed[] {
  const before = isUnknown(wanted) || hasUnknown(wanted.memberOverrides) ? was : { ...was, memberOverrides: overrides(was, wanted, stay) };
  return differing(before, wanted).map((key) => ({ argument: argument(key), was: before[key] }));
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
