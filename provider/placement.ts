import type { Member } from "./topology";

/** Where Nova has a server: on which host, in a word that is the same for all servers of a project there, and in which availability zone. */
export interface Place {
  host: string;
  zone?: string;
}

/**
 * Pure: what the cloud has not kept of what was asked for. `group` says to whose others each member is to be near or far. A soft policy may be broken by Nova itself, a hard one by
 * who moves a server by hand; of a host or zone that is not known nothing is said.
 */
export function broken(members: string[], group: (member: string) => string, places: Record<string, Place | undefined>, asked: { locality?: unknown; availabilityZones?: unknown }): string[] {
  const groups = [...new Set(members.map(group))].map((each) => members.filter((member) => group(member) === each));
  const locality = String(asked.locality ?? "soft-anti-affinity");
  const apart = groups.flatMap((together) => {
    const byHost = grouped(together, (member) => places[member]?.host || undefined);
    if (locality.endsWith("anti-affinity")) return byHost.filter(({ length }) => length > 1).map((on) => `${on.join(", ")} are on one host: it takes all of them along when it fails`);
    return byHost.length > 1 ? [`${together.join(", ")} are on ${byHost.length} hosts, not on one`] : [];
  });
  const spread = Array.isArray(asked.availabilityZones) && new Set(asked.availabilityZones).size > 1;
  const zones = spread ? groups.flatMap((together) => {
    const byZone = grouped(together, (member) => places[member]?.zone || undefined);
    return byZone.length === 1 && byZone[0]!.length === together.length && together.length > 1 ? [`${together.join(", ")} are all in the zone ${places[together[0]!]!.zone}`] : [];
  }) : [];
  return [...apart.map((what) => `locality ${locality}: ${what}`), ...zones.map((what) => `availabilityZones: ${what}`)];
}

/** Those of one key together; those without one apart from all. */
function grouped(members: string[], key: (member: string) => string | undefined): string[][] {
  const found = new Map<string, string[]>();
  for (const member of members) {
    const word = key(member);
    if (word !== undefined) found.set(word, [...found.get(word) ?? [], member]);
  }
  return [...found.values()];
}

/** Where each member's server is; undefined where that cannot be told. */
export const placesOf = async (members: Member[], placeOf: (server: string) => Promise<Place | undefined>): Promise<Record<string, Place | undefined>> =>
  Object.fromEntries(await Promise.all(members.map(async ({ name, server }) => [name, await placeOf(server).catch(() => undefined)] as const)));
