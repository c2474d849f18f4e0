import { isUnknown } from "./wire";

/** Stands behind each key that is let in here, so that one which no run wants any more is known as ours. */
const ours = "pulumi-openstack-datastores";

/** What is the same of a public key however it is written: without options before it, and a comment behind. */
const blobOf = (text: string): string | undefined => (text.trimStart().startsWith("#") ? undefined : /(?:^|\s)(AAAA[\w+/]+=*)(?=\s|$)/.exec(text)?.[1]);

export const isSameKey = (some: string, other: string): boolean => blobOf(some) !== undefined && blobOf(some) === blobOf(other);

/** A line that begins with the key itself lets it in without conditions. */
const letsIn = (line: string, key: string): boolean => isSameKey(line, key) && /^\s*(ssh|ecdsa|sk)-/.test(line);

const linesOf = (file: string): string[] => file.split("\n").filter((line, index, all) => line !== "" || index < all.length - 1);
const fileOf = (lines: string[]): string => lines.map((line) => `${line}\n`).join("");

/** Pure: authorized_keys that let a key in beside all that they let in already. */
export function admitting(file: string, key: string): string {
  const lines = linesOf(file);
  if (lines.some((line) => letsIn(line, key))) return file;
  const [type, blob] = key.trim().split(/\s+/);
  return fileOf([...lines, `${type} ${blob} ${ours}`]);
}

/** Pure: the same without the former keys, and without what an earlier run let in that is wanted no more. Who is let in by other hands stays. Without the present one nobody would come in again. */
export function dismissing(file: string, former: string[], present: string): string {
  const lines = linesOf(file);
  if (!lines.some((line) => letsIn(line, present))) throw new Error("the former key is kept, for the new one is not let in");
  const goes = (line: string) => !isSameKey(line, present) && blobOf(line) !== undefined && (former.some((key) => isSameKey(line, key)) || line.endsWith(` ${ours}`));
  return lines.some(goes) ? fileOf(lines.filter((line) => !goes(line))) : file;
}

interface Known {
  access: { privateKey: string };
  formerKeys?: string[];
}

/** Private keys that members may let in of runs before this one: none of them is proven to be out. */
export const formerKeys = (present: string, olds?: Known): string[] =>
  (olds ? [...new Set([olds.access.privateKey, ...olds.formerKeys ?? []])].filter((key) => key !== present) : []);

/** Whether members are to let in another key than they may do now. While it is not known yet it is none. */
export const changesKey = (olds: { servers: Record<string, unknown>; formerKeys?: string[] }, { servers }: { servers: Record<string, unknown> }): boolean =>
  (olds.formerKeys ?? []).length > 0
  || [olds.servers, servers].every((each) => typeof each.publicKey === "string" && !isUnknown(each.publicKey)) && !isSameKey(olds.servers.publicKey as string, servers.publicKey as string);

/** In words, what comes before all other steps and what after them. The former key goes last: until then a run that was cut comes in by either. */
export const admission = (members: string[]): string => `admit ${members.join(" ")} (new key)`;
export const dismissal = (members: string[]): string => `dismiss ${members.join(" ")} (former key)`;
