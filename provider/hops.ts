import { Refused } from "./errors";
import type { Step } from "./plan";
import type { Due } from "./topology";

/** Which major versions may open the data of which, and the vendor's document that says so. */
export interface Hops {
  document: string;
  to: Record<string, string[]>;
}

/** Of a member: the major version that is installed, and the one that its data were opened by last. */
export interface Versioned {
  version?: string;
  writtenBy?: string;
}

/** What all datastores' options say of the database itself. */
export function softwareOf(options: unknown): { vendor?: string; version?: string } {
  const { vendor, version } = (options ?? {}) as { vendor?: string; version?: string };
  return { vendor, version };
}

/** What no look has told yet was as it was asked for. */
export const withVersion = <Sight extends Versioned & { installed: boolean }>(sight: Sight, was: { version?: string } | undefined): Sight =>
  (!sight.installed || from(sight) !== undefined || was?.version === undefined ? sight : { ...sight, version: was.version });

/** A change of a member's major version. */
export interface Hop {
  from: string;
  to: string;
}

const wordsOf = (hop: Hop | undefined): string | undefined => hop && `${hop.from} to ${hop.to}`;

/** Major versions by number, such as 9.1 before 10.11. */
export function isOlder(version: string, than: string): boolean {
  const [[a = 0, b = 0], [c = 0, d = 0]] = [version, than].map((each) => each.split(".").map(Number)) as [number[], number[]];
  return a < c || (a === c && b < d);
}

const from = ({ version, writtenBy }: Versioned): string | undefined => writtenBy ?? version;

const evidence = (those: [name: string, sight: Versioned][], wanted: string | undefined): string =>
  those.map(([name, sight]) => `${name} has ${sight.version === undefined ? "nothing installed" : `${sight.version} installed`}${sight.writtenBy === undefined ? "" : ` and data of ${sight.writtenBy}`}`).join("; ") + (wanted === undefined ? "" : `; wanted ${wanted}`);

/**
 * Pure: what becomes of members' major version, judged by what is installed and by whom their data were opened, never by what was asked for before. No data are opened by
 * an older version than before, nor by a newer one that the vendor does not name; and another version comes with another image. Throws `Refused`.
 */
export function hopsOf(wanted: string | undefined, members: [name: string, sight: Versioned][], { rebuild }: Due, hops: Hops): Record<string, Hop> {
  const versions = new Set(members.flatMap(([, sight]) => from(sight) ?? []));
  const to = wanted ?? (versions.size === 1 ? [...versions][0] : undefined);
  const those = (holds: (from: string, sight: Versioned, name: string) => boolean) => members.filter(([name, sight]) => from(sight) !== undefined && holds(from(sight)!, sight, name));
  if (to === undefined && versions.size > 1)
    throw new Refused("members run one major version of the database, and where they are on their way to another `version` names it", evidence(members, to), `set \`version\` to ${JSON.stringify(newestOf([...versions]))}, and \`image\` to one that has it`);
  if (to === undefined) return {};
  const back = those((was, { version }) => isOlder(to, was) || (version !== undefined && isOlder(version, was)));
  const stays = back.filter(([name, sight]) => isOlder(to, from(sight)!) || !(name in rebuild));
  if (stays.length > 0) {
    const newest = newestOf(stays.map(([, sight]) => from(sight)!));
    const anew = stays.length < members.length ? `. Or, where others that run hold all that ${stays.map(([name]) => name).join(", ")} holds: ${madeAnew}` : "";
    throw new Refused("data that a later version has opened are opened by no older one", evidence(stays, to),
      `set \`version\` to ${JSON.stringify(newest)}, and \`image\` to one that has it. What was there before comes back only from a backup, in a new cluster${anew}`);
  }
  const unknown = those((was) => was !== to && !hops.to[was]?.includes(to));
  if (unknown.length > 0) {
    const known = hops.to[from(unknown[0]![1])!] ?? [];
    throw new Refused("a major version is changed only as its vendor has tried", `${evidence(unknown, to)}; ${hops.document}`,
      known.length > 0 ? `set \`version\` to ${known.map((each) => JSON.stringify(each)).join(" or ")}, from where it goes on, or back` : "set `version` back");
  }
  const without = those((_, { version }, name) => version !== undefined && version !== to && !(name in rebuild));
  if (without.length > 0)
    throw new Refused("another `version` comes with another `image`, whose package sources have it", evidence(without, to), "set `image` to one that has it, in the same change, or set `version` back");
  return Object.fromEntries(those((was) => was !== to).map(([name, sight]) => [name, { from: from(sight)!, to }]));
}

/** What a person does to have a member get all data from the others. */
export const madeAnew = "delete its server and its volume, `openstack server delete` and `openstack volume delete`, then `pulumi refresh` and `pulumi up`: it gets all data anew";

const newestOf = (versions: string[]): string => versions.reduce((best, each) => (isOlder(best, each) ? each : best));

/** What is due, and in the words of each rebuild what becomes of the version with it. */
export const withHops = (due: Due, hops: Record<string, Hop>): Due =>
  ({ ...due, rebuild: Object.fromEntries(Object.entries(due.rebuild).map(([name, image]) => [name, hops[name] === undefined ? image : `${image}, ${wordsOf(hops[name])}`])) });

/** Installs packages side by side; of who gets another major version the words say so. */
export const installs = (on: string[], hop: Record<string, Hop>): Step<"install">[] =>
  [...new Set(on.map((name) => wordsOf(hop[name])))].map((words) => ({ do: "install", on: on.filter((name) => wordsOf(hop[name]) === words), ...(words !== undefined && { words }) }));
