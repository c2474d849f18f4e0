import type { z } from "zod";
import type { Severity } from "../demands";
import type { Refused } from "../errors";
import type { Guest } from "../guest/guest";
import type { Needs } from "../guest/machine";
import type { Authority } from "../inputs";
import type { Step } from "../plan";
import type { Due, Member, Topology, Wanted } from "../topology";

/** A running reconciliation: what is wanted, what it is secured with, and a way to reach each guest. */
export interface Cluster<Options> {
  want: Topology<Options>;
  /** Members that are not wanted any more and not yet proven gone. */
  leaving: Member[];
  /** Of its administrator, or of its clients: the present one first, then the former ones that still work. */
  passwords: [present: string, ...former: string[]];
  authority: Authority;
  /** Only a look for people: it waits for nothing, and starts nothing that could tell more. */
  glance?: boolean;
  guest(name: string): Promise<Guest>;
  /** What members' servers are to be given, as the cloud tells. */
  due?(): Promise<Due>;
  /** Gives a member's server its flavor. Its guest boots anew: ask for it again. */
  resize?(member: Member): Promise<void>;
  /** Gives a member's server its image, on a new disk; its volume stays. Its guest is another: ask for it again. */
  rebuild?(member: Member): Promise<void>;
}

/** What people are told of one member: how it is at this moment. */
export interface Report {
  /** What it is to its cluster, in a word. */
  role: string;
  /** How it is, as the database says. */
  state: string;
  /** How far it is behind the others, in words and in the datastore's own measures; nothing of one that does not run. */
  lag?: { words: string; measures: Record<string, number> };
  /** Of the database that runs, or would. */
  version?: string;
  /** What is wrong with it, and a command on the member that shows it; the datastore's journal when left out. */
  wrong?: { what: string; shownBy?: string };
}

/** What is to be otherwise than it was. */
export interface Change<Options> {
  members: boolean;
  /** Undefined where it is not known yet. */
  options?: { was: Options; wanted: Options };
  /** In words, where other passwords are to work than did. */
  passwords?: string;
}

/** Everything the provider needs to know about one kind of database. */
export interface Datastore<Options, Seen, Do extends string> {
  options: z.ZodType<Options> & Pick<z.ZodObject, "shape">;
  /** The argument that gives the password of its administrator, or of its clients. */
  password: string;
  /** Looks at one guest. Changes nothing. */
  observe(cluster: Cluster<Options>, member: Member): Promise<Seen>;
  /** Looks at one guest for people. Changes nothing. */
  report(cluster: Cluster<Options>, member: Member): Promise<Report>;
  /** What the database of a member answers its administrator, in these words of its own. What they change is a person's doing. */
  command(cluster: Cluster<Options>, guest: Guest, words: string[]): Promise<string>;
  /** What is seen of a member that cannot be reached. */
  unreachable(why: string): Seen;
  /** Why a member could not be seen; undefined when it was. */
  unseen(sight: Seen): string | undefined;
  /** What `observe` would see of a new server: this and `recall` let a preview plan without SSH. */
  blank: Seen;
  /** What a preview takes the members for: as last seen, and well where nothing is known or where it may have passed since. */
  recall(members: string[], seen: Record<string, Seen | undefined>, leaving?: string[]): Record<string, Seen>;
  /** What is seen of members whose cluster was stopped in order. */
  stopped(members: string[]): Record<string, Seen>;
  /** What of it is remembered. Nothing that changes by itself: a refresh would show it each time. */
  kept(seen: Record<string, Seen>): Record<string, Seen>;
  /** What is seen of a member whose server was made again over its volume. */
  underNew(sight: Seen): Seen;
  /** What is seen of others once members, as last seen, are gone with their volumes. */
  bereft(others: Record<string, Seen>, gone: Record<string, Seen>): Record<string, Seen>;
  /** Why the servers of members, of those as last seen, may not be taken away yet: what they do is first to be handed over. */
  stillNeeded(replaced: string[], seen: Record<string, Seen>): Refused | undefined;
  /** Options that a cluster which runs cannot be given anew. */
  frozen: string[];
  /** What is seen of a member once the cluster is to have other members, or other options. */
  outdated(sight: Seen, change: Change<Options>): Seen;
  /** How many of these members may be away at a time, and why no more. */
  mayBeAway(members: string[]): { most: number; because: string };
  /** To whose others a member is to be near or far, as `locality` says. */
  group(member: string): string;
  /** The members whose machines are new to the cluster, and how grave what is found of each may be. None while data wait to be served again. */
  newcomers(members: string[], seen: Record<string, Seen>): Record<string, Severity>;
  /** What a member needs of its machine. */
  needs(options: Options): Needs;
  /** Pure: the ordered steps from what is seen, also of members that are to leave, to what is wanted. Throws `Refused`. */
  plan(want: Wanted, seen: Record<string, Seen>): Step<Do>[];
  steps: Record<Do, (cluster: Cluster<Options>, member: Member, step: Step<Do>) => Promise<void>>;
}

export const datastore = <O, S, Do extends string>(it: Datastore<O, S, Do>): Datastore<O, S, Do> => it;
