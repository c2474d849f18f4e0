import { setTimeout as sleep } from "node:timers/promises";
import { TimedOut } from "../errors";

export interface Patience {
  /** Deadline in seconds. */
  seconds: number;
  /** Milliseconds between two looks. */
  every?: number;
  /** How many looks in a row must hold: databases flap after joining. */
  steady?: number;
  /** Told what is waited for every 10 s. */
  say?: (line: string) => void;
}

/** Waits until `check` answers true; a string is what it saw instead, and is told when the deadline is met. */
export async function eventually(
  what: string,
  { seconds, every = 200, steady = 1, say }: Patience,
  check: () => Promise<true | string>,
): Promise<void> {
  const began = Date.now();
  let held = 0;
  let told = began;
  for (;;) {
    const saw = await check();
    held = saw === true ? held + 1 : 0;
    if (held >= steady) return;
    const waited = Math.round((Date.now() - began) / 1000);
    if (saw !== true && waited >= seconds) throw new TimedOut(what, seconds, saw);
    if (saw !== true && say && Date.now() - told >= 10_000) {
      told = Date.now();
      say(`waiting for ${what}: ${saw} (${waited} s)`);
    }
    await sleep(every);
  }
}
