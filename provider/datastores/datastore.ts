import type { z } from "zod";
import type { Guest } from "../guest/guest";
import type { Authority } from "../inputs";
import type { Step } from "../plan";
import type { Member, Topology } from "../topology";

/** A running reconciliation: what is wanted, what it is secured with, and a way to reach each guest. */
export interface Cluster<Options> {
  want: Topology<Options>;
  rootPassword: string;
  authority: Authority;
  guest(name: string): Promise<Guest>;
}

/** Everything the provider needs to know about one kind of database. */
export interface Datastore<Options, Seen, Do extends string> {
  options: z.ZodType<Options>;
  /** Looks at one guest. Changes nothing. */
  observe(cluster: Cluster<Options>, member: Member): Promise<Seen>;
  /** What is seen of a member that cannot be reached. */
  unreachable(why: string): Seen;
  /** What `observe` would see of a new server, and of a member of a well cluster: these let a preview plan without SSH. */
  blank: Seen;
  healthy(members: number): Seen;
  /** Pure: the ordered steps from what is seen to what is wanted. Throws `Refused`. */
  plan(members: string[], seen: Record<string, Seen>): Step<Do>[];
  steps: Record<Do, (cluster: Cluster<Options>, member: Member) => Promise<void>>;
}

export const datastore = <O, S, Do extends string>(it: Datastore<O, S, Do>): Datastore<O, S, Do> => it;
