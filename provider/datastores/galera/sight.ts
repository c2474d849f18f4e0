import type { Certified } from "../../authorities";
import type { Versioned } from "../../hops";

/**
 * What lies in a member's data directory while its server is down. `seqno` is -1 when nothing tells it. Torn are data
 * that lost power in the middle of a statement that changes tables: Galera forgets its position for as long, and InnoDB,
 * which finishes or undoes the statement, tells it. Partial is what a state transfer did not bring whole, or not to
 * the disk before a power cut; the latter knows its history. `asked` is false where only a look was allowed, and MariaDB
 * could tell more.
 */
export type Data =
  | { is: "none" }
  | { is: "whole" | "torn" | "partial"; uuid: string; seqno: number; safeToBootstrap: boolean; asked?: false };

export interface Prepared extends Certified, Versioned {
  installed: boolean;
  /** A timer, or a person who upgrades all that there is, would upgrade its server. */
  unheld?: true;
  /** The major version that its system tables are of, as `mariadb-upgrade` has written down. */
  tables?: string;
  /** Its volume is mounted, and its file system as large as that. */
  mounted: boolean;
  /** Of a preview: how large the volume is to be. */
  volume?: string;
  configured: boolean;
  /** Of a preview: which settings are to change, and how each comes to count. */
  settings?: string;
  /** The volume's marker says that it once held the whole data. */
  hasHadData: boolean;
  /** The volume's marker says that the member left the cluster by our word. */
  left: boolean;
  /** The volume's marker says that the cluster was started from here by a person's decision, and what others held that it goes on without. */
  chosenOver?: Record<string, string>;
  /** The volume's marker says that the cluster was stopped by our word: it starts at no boot. */
  held?: true;
}

/**
 * Silent is one whose server runs, and does not answer its administrator: nothing is known of it but what its guest tells. Of one that is up: `current` says that it runs with all that is wanted, and waits for no restart; `written` are the bytes that its own clients had replicated
 * since it started. Of a preview, `passwords` says what becomes of them.
 */
export type Sight =
  | { is: "unreachable"; why: string }
  | { is: "foreign"; why: string }
  | { is: "down"; data: Data } & Prepared
  | { is: "starting" } & Prepared
  | { is: "silent"; why: string } & Prepared
  | { is: "up"; primary: boolean; state: string; size: number; uuid: string; secured: boolean; passwords?: string; current: boolean; committed?: number; written?: number } & Prepared;

export type Sights = [name: string, sight: Sight][];

export const those = (sights: Sights, holds: (sight: Sight, name: string) => boolean): string[] =>
  sights.filter(([name, sight]) => holds(sight, name)).map(([name]) => name);

/** Part of the running cluster. A donor is, for as long as it gives its data to a joiner or a backup. */
export const inCluster = (primary: boolean, state = ""): boolean => primary && ["Synced", "Donor/Desynced"].includes(state);

export const runs = (sight: Sight) => sight.is === "up" && inCluster(sight.primary, sight.state);
export const isAlive = ({ is }: Sight) => is === "up" || is === "starting";
/** Runs, or would again after a boot. */
export const mayRun = (sight: Sight) => isAlive(sight) || sight.is === "silent" || (sight.is === "down" && sight.data.is !== "none" && !sight.left);

export const isPrepared = ({ installed, mounted, configured }: Prepared): boolean => installed && mounted && configured;

/** Data that a cluster may be started from. */
export const mayStart = (data: Data): data is Exclude<Data, { is: "none" }> => data.is === "whole" || data.is === "torn";

/** Data whose position is known, or will be once MariaDB is asked. */
export const tellsPosition = (data: Data): data is Exclude<Data, { is: "none" }> => data.is !== "none" && (data.is !== "partial" || isKnown(data.uuid));

export const isKnown = (uuid: string): boolean => !/^[0-]*$/.test(uuid);

/** The history that a member runs, or that its data belong to. */
export function historyOf(sight: Sight): string | undefined {
  const uuid = sight.is === "up" ? sight.uuid : sight.is === "down" && mayStart(sight.data) ? sight.data.uuid : "";
  return isKnown(uuid) ? uuid : undefined;
}

export const historiesOf = (sights: Sights) => new Set(sights.map(([, sight]) => historyOf(sight)).filter(Boolean));

/**
 * Members outside of the running cluster that hold later writes of its history than those that run. One that receives
 * its data from the cluster holds none that this did not give it, but is looked at a moment later, when a client has written more.
 */
export function newerThanCluster(running: Sights, sights: Sights): Sights {
  if (running.length === 0) return [];
  const last = Math.max(...running.map(([, sight]) => (sight as { committed?: number }).committed ?? Infinity));
  const history = historyOf(running[0]![1]);
  const isInIt = (sight: Sight) => sight.is === "up" && sight.primary && running.every(([, each]) => each.is === "up" && each.size === sight.size);
  return sights.filter(([, sight]) => !isInIt(sight)
    && (sight.is === "up" ? sight.uuid === history && (sight.committed ?? -1) > last
      : sight.is === "down" && sight.data.is !== "none" && sight.data.uuid === history && sight.data.seqno > last));
}

/** What was seen, one clause a member. */
export const evidence = (sights: Sights): string =>
  sights.map(([name, sight]) => `${name} ${words(sight)}`).join("; ");

function words(sight: Sight): string {
  switch (sight.is) {
    case "unreachable": return `cannot be seen (${sight.why})`;
    case "foreign": return `has a volume that is not known as ours (${sight.why})`;
    case "starting": return "is starting";
    case "silent": return `runs and does not answer (${sight.why})`;
    case "up": return `is up (${sight.primary ? "Primary" : "non-Primary"}, ${sight.state}, size ${sight.size}, ${sight.uuid}${sight.committed === undefined ? "" : `:${sight.committed}`})`;
    case "down": return (sight.data.is === "none" ? `is down without data${sight.hasHadData ? ", but once had some" : ""}`
      : `is down with ${sight.data.is} data${isKnown(sight.data.uuid) ? ` ${sight.data.uuid}:${sight.data.seqno}` : ""}${sight.data.safeToBootstrap ? " (safe to bootstrap)" : ""}`)
      + (sight.left ? ", and left the cluster" : "") + (sight.held ? ", and is kept stopped" : "");
  }
}
