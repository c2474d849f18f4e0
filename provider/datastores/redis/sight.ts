import type { Certified } from "../../authorities";
import type { Versioned } from "../../hops";
import { read, type Slots } from "./slots";

export interface Prepared extends Certified, Versioned {
  installed: boolean;
  /** A timer, or a person who upgrades all that there is, would upgrade its server. */
  unheld?: true;
  /** Its volume is mounted, and its file system as large as that. */
  mounted: boolean;
  /** Of a preview: how large the volume is to be. */
  volume?: string;
  /** Its files are as wanted, but for the user of clients. */
  configured: boolean;
  /** The user of clients is as wanted, in its file and where it runs. Undefined of one that has no file yet. */
  secured?: boolean;
  /** Of a preview: what becomes of the passwords. */
  passwords?: string;
  /** Of a preview: which settings are to change, and how each comes to count. */
  settings?: string;
  /** The volume's marker says that it once was in a cluster that was verified. */
  hasHadData: boolean;
  /** The volume's marker says that the member left the cluster by our word. */
  left: boolean;
  /** The volume's marker says that the cluster was stopped by our word: it starts at no boot. And what the member was then, as its own table says. */
  held?: "primary" | "replica";
}

/** A slot that is on its way between two members: a move was cut, or is under way. */
export interface Open {
  slot: number;
  /** Who is at the other end; undefined where that is no member any more. */
  peer?: string;
  way: "out" | "in";
}

/** What a server says of itself and of its cluster. Ids are Redis's own: a member's stays with its data. */
export interface View {
  id: string;
  role: "primary" | "replica";
  /** Of a replica: whose. */
  of?: string;
  /** Of a replica: it has all, and follows. */
  linked: boolean;
  /** As Redis writes them. */
  slots: string;
  open: Open[];
  /** `cluster_state` is ok. */
  ok: boolean;
  /** Whom it knows, itself among them, without those that are just shaking hands. */
  knows: string[];
  /** Those of them that it takes for failed. */
  failed: string[];
  /** Runs with all that is wanted: no setting waits for a restart. */
  current: boolean;
  /** How much a replica has received; of a primary, how much it has sent. */
  offset?: number;
  /** Bytes: those of its keys, of all that it holds, and what it may hold at most. */
  memory?: { keys: number; used: number; most: number };
}

/** Silent is a server that runs, and does not answer its administrator. Estranged is one that runs with the users of a run that was cut before its cluster was anybody's: it counts as down, and is started anew. */
export type Sight =
  | { is: "unreachable"; why: string }
  | { is: "foreign"; why: string }
  | { is: "down"; data: boolean; id?: string; estranged?: true } & Prepared
  | { is: "starting" } & Prepared
  | { is: "silent"; why: string } & Prepared
  | { is: "up" } & View & Prepared;

export type Up = Extract<Sight, { is: "up" }>;
export type Sights = [name: string, sight: Sight][];

/** Members are named `CLUSTER-SHARD-NUMBER`: to which shard one belongs never changes, whatever its role. */
export const shardOf = (name: string): number => Number(/-(\d+)-\d+$/.exec(name)![1]);

export const those = (sights: Sights, holds: (sight: Sight, name: string) => boolean): string[] =>
  sights.filter(([name, sight]) => holds(sight, name)).map(([name]) => name);

/** Knows others, so it is in a cluster. */
export const isIn = (sight: Sight): boolean => sight.is === "up" && sight.knows.length > 1;
export const isAlive = ({ is }: Sight): boolean => is === "up" || is === "starting";
/** Its data are to be served again: it is down, or still reads them. */
export const waits = (sight: Sight): boolean => (sight.is === "starting" || (sight.is === "down" && sight.data)) && !sight.left;
/** What it has to say of its slots and of whom it follows is still to be heard. */
export const isToTell = (sight: Sight): boolean => waits(sight) || sight.is === "starting" || sight.is === "silent";

export const ups = (sights: Sights): [name: string, view: Up][] => sights.flatMap(([name, sight]) => (sight.is === "up" ? [[name, sight] as [string, Up]] : []));

/** Replicas that another replica of their shard follows, where nobody of the shard is a primary: they were looked at in the middle of a failover. */
export const midway = (sights: Sights): string[] => {
  const replicas = ups(sights).filter(([name, view]) => view.role === "replica" && !ups(sights).some(([other, { role }]) => role === "primary" && shardOf(other) === shardOf(name)));
  return replicas.filter(([name, { id }]) => replicas.some(([other, { of }]) => of === id && shardOf(other) === shardOf(name))).map(([name]) => name);
};

/** What each primary owns. */
export const ownedBy = (sights: Sights): Map<string, Slots> =>
  new Map(ups(sights).filter(([, { role }]) => role === "primary").map(([name, { slots }]) => [name, read(slots)]));

/** What was seen, one clause a member. */
export const evidence = (sights: Sights): string => sights.map(([name, sight]) => `${name} ${words(sight)}`).join("; ");

function words(sight: Sight): string {
  switch (sight.is) {
    case "unreachable": return `cannot be seen (${sight.why})`;
    case "foreign": return `has a volume that is not known as ours (${sight.why})`;
    case "starting": return "is starting";
    case "silent": return `runs and does not answer (${sight.why})`;
    case "down": return (sight.estranged ? "knows another authority than this run's" : sight.data ? "is down with data" : `is down without data${sight.hasHadData ? ", but once had some" : ""}`) + (sight.left ? ", and left the cluster" : "") + (sight.held ? `, and is kept stopped as ${sight.held}` : "");
    case "up": return `is ${sight.role}${sight.slots === "" ? "" : ` of slots ${sight.slots}`}, cluster ${sight.ok ? "ok" : "not ok"}, knows ${sight.knows.length}${sight.failed.length > 0 ? `, of whom ${sight.failed.length} failed` : ""}`;
  }
}
