import { isUnknown } from "./wire";

/** The zone and the volume type that a member is asked to have, and those that it has; left out where that is anybody's choice or not told. */
export interface Placed {
  asked: Partial<Record<"zone" | "volumeType", string>>;
  has: Partial<Record<"zone" | "volumeType", string>>;
}

const words = { zone: "zone", volumeType: "volume type" } as const;

/** Pure: by member, in words, what it would have to be made again for. Of one that is just being made nothing is known yet, and nothing said. */
export function moves(placed: Record<string, Placed>): Record<string, string> {
  return Object.fromEntries(Object.entries(placed).flatMap(([name, { asked, has }]) => {
    const others = (Object.keys(words) as (keyof typeof words)[]).flatMap((key) => {
      // An administrator may ask for a host in the same word, `zone:host`.
      const [wanted, is] = [key === "zone" ? asked[key]?.split(":")[0] : asked[key], has[key]];
      return [wanted, is].every((word) => word !== undefined && word !== "" && !isUnknown(word)) && wanted !== is ? [`${words[key]} ${is} to ${wanted}`] : [];
    });
    return others.length > 0 ? [[name, others.join(", ")]] : [];
  }));
}

/** Arguments that say where members are to be, of which other ones are asked for than before. */
export function movedArguments(was: Record<string, unknown>, wanted: Record<string, unknown>, stay: string[]): string[] {
  if (isUnknown(wanted) || isUnknown(wanted.memberOverrides)) return [];
  const zoneOf = ({ memberOverrides }: Record<string, unknown>, name: string) => (memberOverrides as Record<string, { zone?: unknown }> | undefined)?.[name]?.zone;
  const differs = (one: unknown, other: unknown) => !isUnknown(other) && JSON.stringify(one) !== JSON.stringify(other);
  return [
    ...(differs(was.availabilityZones, wanted.availabilityZones) ? ["availabilityZones"] : []),
    ...(differs(was.volumeType, wanted.volumeType) ? ["volume.type"] : []),
    ...stay.filter((name) => differs(zoneOf(was, name), zoneOf(wanted, name))).map((name) => `memberOverrides.${name}.zone`),
  ];
}

/** The way of each: a server and its volume go only while all others run, so one with each run. */
export const oneByOne = "name one of them in `replace` with each `pulumi up`";
