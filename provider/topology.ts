import type { State } from "./rest";
import type { Rollout } from "./rollout";

/** One server of a cluster, by a name that never changes. */
export interface Member {
  name: string;
  /** Where the other members and the provider reach it. */
  address: string;
  /** Id of the Nova server. A changed id under an unchanged name is a replacement. */
  server: string;
  /** Id of the Cinder volume that holds the data. */
  volume: string;
}

/** To whom a cluster belongs; written on each data volume, so that none is taken for another. */
export interface Owner {
  project: string;
  stack: string;
  cluster: string;
}

/** A person's word on how a cluster that is down goes on, where the planner cannot tell. */
export interface Recovery {
  /** The member from whose data it is started. */
  from: string;
  /** Names what was seen of all members when that was decided. */
  evidence: string;
}

/** What a cluster should be. Planners use names only: addresses are unknown in a preview. */
export interface Topology<Options> {
  owner: Owner;
  members: Member[];
  options: Options;
  forget?: string[];
  /** Names of the authorities: all are trusted, and the first signs. */
  authorities?: string[];
  recovery?: Recovery;
  rollout?: Rollout;
  state?: State;
  /** GiB that each data volume was asked to hold. */
  volumeSize?: number;
}

/** What a planner is asked for: names only. */
export interface Wanted {
  members: string[];
  /** Leaving members that can never be seen again: their absence is taken for their end, when the cluster agrees. */
  forget?: string[];
  /** Names of the authorities that all are to trust, and of which the first is to sign. */
  authorities?: string[];
  /** Members whose servers are about to be made again because it was asked for, not because they are gone. */
  replace?: string[];
  /** What members' servers are to be given. */
  due?: Due;
  /** Which build of the database, and its major version; undefined is the one that is there. */
  vendor?: string;
  version?: string;
  /** Counts only while no member runs. */
  recovery?: Recovery;
  /** How many members may be away at a time. Default: 1. */
  maxUnavailable?: number;
  /** Left out it is to run. */
  state?: State;
}

/** Members whose servers have another flavor, or another image, than is asked for, and that one's name. */
export interface Due {
  resize: Record<string, string>;
  rebuild: Record<string, string>;
}

export const nothingDue: Due = { resize: {}, rebuild: {} };

export const names = ({ members }: Pick<Topology<unknown>, "members">): string[] => members.map(({ name }) => name);

/** Members that were known and are not wanted any more. */
export const leavers = (wanted: Pick<Topology<unknown>, "members">, known: Member[]): Member[] => known.filter(({ name }) => !names(wanted).includes(name));
