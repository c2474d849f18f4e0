import type { ChildProcess } from "node:child_process";

/** What runs, and whether it leads a process group of its own. */
const running = new Map<ChildProcess, boolean>();
let wanted = false;

/** Whether somebody wants the end. */
export const interrupted = (): boolean => wanted;

/** From now on a signal ends what runs and lets nothing new begin, so that who measures fails, and who called it cleans up. */
export function heed(say: (line: string) => void): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
    process.on(signal, () => {
      if (!wanted) say("interrupted: what runs ends first, then all is cleaned up");
      wanted = true;
      // A terminal sends Ctrl-C to all of our process group; other signals come to us alone.
      for (const [child, leads] of running)
        if (leads) killGroup(child);
        else if (signal !== "SIGINT") child.kill("SIGINT");
    });
}

/** Throws once somebody wants the end. */
export function goOn(): void {
  if (wanted) throw new Error("interrupted");
}

/** Starts a process that a signal ends. Of one that `leads` a process group nothing outlives it. */
export function begin<T extends ChildProcess>(start: () => T, leads = false): T {
  goOn();
  const child = start();
  running.set(child, leads);
  child.once("exit", () => {
    running.delete(child);
    if (leads) killGroup(child);
  });
  return child;
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
