import { randomUUID } from "node:crypto";
import { each } from "./bundle";
import { byName } from "./datastores";
import type { Cluster } from "./datastores/datastore";
import { Guests } from "./guest/guests";
import { optionsOf, type Inputs } from "./inputs";
import { passwordsOf } from "./passwords";
import type { Member } from "./topology";

/** Seconds a server may take to let a refresh in, which waits for no boot. */
export const loginSeconds = 20;

export interface Reach {
  /** Members that are not wanted any more and not yet proven gone. */
  leaving: Member[];
  /** The host key that each server showed before, by server id, and the bastion's by `host:port`. */
  pins: Record<string, string>;
  /** Private keys of runs before, which are tried where the present one is not let in. */
  former?: string[];
  /** How long a server may take to let us in, when not as long as it may take to boot. */
  seconds?: number;
  /** Told what happens on the guests. */
  say(line: string): void;
}

/** A cluster whose guests can be reached: dialled at the first call for each, and to be closed at the end. */
export function reach(of: Inputs, { leaving, pins, former = [], seconds, say }: Reach) {
  const run = randomUUID();
  const guests = new Guests([...of.members, ...leaving], pins, {
    run,
    // Who is to be forgotten is asked all the same, and not waited for.
    seconds: (name) => (of.forget?.includes(name) ? Math.min(loginSeconds, seconds ?? loginSeconds) : seconds),
    access: of.access,
    former,
    secrets: [...passwordsOf(of), of.access.privateKey, ...former, ...each(of.authority).map(({ key }) => key)],
    say: (name, line) => say(`[${of.owner.cluster}/${name}] ${line}`),
  });
  const options = optionsOf(byName(of.datastore).options, of.options);
  const cluster: Cluster<unknown> & { run: string } = {
    run, leaving, want: { owner: of.owner, members: of.members, options, forget: of.forget, authorities: of.authorities, recovery: of.recovery, rollout: of.rollout, state: of.state, volumeSize: volumeSizeOf(of) },
    passwords: passwordsOf(of), authority: of.authority, guest: guests.reach,
  };
  return { guests, cluster };
}

const volumeSizeOf = ({ servers: { volumeSize } }: Inputs): number | undefined => (typeof volumeSize === "number" ? volumeSize : undefined);
