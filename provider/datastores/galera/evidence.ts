import { createHash } from "node:crypto";
import type { Sight, Sights } from "./sight";

/**
 * What a member holds while its server is down, as a decision counts on it: which data, of which history, and how far. Not what our own
 * steps change on the way to a start from it: marks, Galera's flag, and whether its file or InnoDB tells the position.
 */
export function holding(sight: Sight): string {
  if (sight.is !== "down") return sight.is;
  const { data, hasHadData } = sight;
  if (data.is === "none") return hasHadData ? "vanished" : "nothing";
  return `${data.is === "partial" ? "partial " : ""}${data.uuid}:${data.seqno}`;
}

/** Names what is seen of all members in 12 hex digits, in whichever order they are. */
export function hashOf(sights: Sights): string {
  const table = sights.map(([name, sight]) => [name, holding(sight)] as const).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(table)).digest("hex").slice(0, 12);
}
