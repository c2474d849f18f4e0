import { hostname } from "node:os";
import { setInterval, clearInterval } from "node:timers";
import { reason, Refused } from "../errors";
import type { Guest } from "./guest";
import { sh } from "./shell";

export const folder = "/run/datastores";
/** Seconds without renewal after which a run counts as dead. Counted by the guest's uptime: clocks may be set. */
const lifetime = 30;
const held = 75;

/**
 * The shell words that stop a command on a guest whose lease another run holds. A command outlives its run, so
 * each holds `busy` shared, and a lease changes hands only when nobody does.
 */
export const onlyUnder = (run: string): string =>
  sh`mkdir -p ${folder}; exec 8>${folder}/busy; flock -s 8
[ "$(head -n 1 ${folder}/lease 2>/dev/null)" = ${run} ] || { echo "this run no longer holds the lease of this guest" >&2; exit ${held}; }`;

/** Of what a shell was given, that which stands behind those words. */
export const commandOf = (script: string): string => script.split(`exit ${held}; }\n`).at(-1)!;

const take = (run: string, title: string) => sh`
mkdir -p ${folder}; exec 9>${folder}/lock; flock 9
read -r uptime _ </proc/uptime; now=\${uptime%.*}
if [ -s ${folder}/lease ]; then
  { read -r owner; read -r until; read -r what; } <${folder}/lease
  if [ "$owner" != ${run} ] && [ "$now" -lt "$until" ]; then echo "$((until - now)) $what"; exit 0; fi
  if [ "$owner" != ${run} ]; then exec 8>${folder}/busy; flock -x -n 8 || { echo "1 $what (a command of it still runs)"; exit 0; }; fi
fi
printf '%s\\n' ${run} "$((now + ${lifetime}))" ${title} >${folder}/lease.new
mv ${folder}/lease.new ${folder}/lease`;

/** What the run that holds this guest's lease says of itself, or nothing. Only looks. */
export const holder = async (guest: Guest): Promise<string> => (await guest.look(sh`
[ -s ${folder}/lease ] || exit 0
{ read -r _; read -r until; read -r what; } <${folder}/lease
read -r uptime _ </proc/uptime
[ "\${uptime%.*}" -ge "$until" ] || echo "$what"`)).trim();

export interface Held {
  release(): Promise<void>;
  /** Has a guest boot anew by our own act, which ends its lease: taken again on the guest that the act answers. */
  through(guest: Guest, act: () => Promise<Guest>): Promise<void>;
}

/**
 * Takes the lease of every guest and keeps it renewed until `release`. All are asked side by side; where another run has one,
 * all are given back and asked one after another, in the order given: the same for every run, so that two runs cannot each
 * hold half and wait for the other. The lease of a dead run is waited for.
 */
export async function lease(guests: Guest[], run: string, doing: string): Promise<Held> {
  const title = `${doing}, on ${hostname()}, since ${new Date().toISOString()}`;
  const taken: Guest[] = [];
  let renewal: Promise<unknown> = Promise.resolve();
  // By `run`: a lease that was lost is not taken again, for the plan of this run is old by then.
  const timer = setInterval(() => {
    renewal = Promise.all(taken.map((guest) => guest.run(take(run, title)).catch((error) => guest.say(`lease not renewed: ${reason(error)}`))));
  }, lifetime * 1000 / 3);
  const giveBack = () => Promise.allSettled(taken.map((guest) => guest.run(sh`rm -f ${folder}/lease`)));
  const release = async () => {
    clearInterval(timer);
    await renewal;
    await giveBack();
  };
  const through = async (guest: Guest, act: () => Promise<Guest>) => {
    taken.splice(0, taken.length, ...taken.filter(({ name }) => name !== guest.name));
    await renewal;
    const again = await act();
    await takeOn(again, run, title);
    taken.push(again);
  };
  try {
    // Renewed from the first answer on: another guest may be slow to give its.
    const asked = await Promise.allSettled(guests.map(async (guest) => {
      if ((await tryOn(guest, run, title)) === "") taken.push(guest);
    }));
    const failed = asked.find(({ status }) => status === "rejected") as PromiseRejectedResult | undefined;
    if (failed) throw failed.reason;
    if (taken.length === guests.length) return { release, through };
    await giveBack();
    taken.length = 0;
    for (const guest of guests) {
      await takeOn(guest, run, title);
      taken.push(guest);
    }
  } catch (error) {
    await release();
    throw error;
  }
  return { release, through };
}

/** Nothing when the lease is ours, else the seconds that it has left and whose it is. */
const tryOn = async (guest: Guest, run: string, title: string): Promise<string> => (await guest.look(take(run, title))).trim();

async function takeOn(guest: Guest, run: string, title: string) {
  const began = Date.now();
  let told = false;
  for (;;) {
    const holder = await tryOn(guest, run, title);
    if (holder === "") return;
    const [seconds, ...what] = holder.split(" ");
    if (Date.now() - began > (lifetime + 10) * 1000)
      throw new Refused("one run at a time changes a cluster", `${guest.name} is held by: ${what.join(" ")}`,
        "wait until that run ends, or end it; its lease ends by itself 30 s after it");
    if (!told) guest.say(`held by another run (${what.join(" ")}); its lease ends in ${seconds} s unless it is alive`);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}
