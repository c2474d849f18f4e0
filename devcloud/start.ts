import type { Progress } from "../tools/progress";
import { type Container, exec, run } from "./container";
import { type Daemon, daemonsAt, type Job, jobsAt } from "./daemons";
import { startDaemon } from "./supervisor";

/**
 * Brings every daemon and job of the table to its end, each as soon as what it needs is ready. Daemons that run
 * already are only asked whether they serve. `complete`: the state folder holds the results of the jobs run once.
 */
export async function startAll(container: Container, complete: boolean, progress: Progress): Promise<void> {
  const began = new Map<string, Promise<void>>();
  const all: readonly (Daemon | Job)[] = [...daemonsAt(container.place), ...jobsAt(container.place)];
  const ready = (name: string): Promise<void> => {
    const found = all.find((one) => one.name === name);
    if (!found) throw new Error(`nothing is called ${name}`);
    const promise = began.get(name) ?? begin(found);
    began.set(name, promise);
    return promise;
  };
  const begin = async (one: Daemon | Job) => {
    await Promise.all(one.needs.map(ready));
    const start = Date.now();
    await ("run" in one ? finish(container, one, complete) : serve(container, one));
    progress(`${one.name} ${((Date.now() - start) / 1000).toFixed(1)} s`);
  };
  await Promise.all(all.map(({ name }) => ready(name)));
}

async function serve(container: Container, daemon: Daemon): Promise<void> {
  await startDaemon(container, daemon.name);
  if (daemon.ready) await orItsLog(container, daemon.name, () => ready(container, daemon));
}

/** Waits until a daemon serves. */
export const ready = (container: Container, daemon: Daemon) =>
  exec(container, ["timeout", "240", "bash", "--norc", "-c", daemon.ready ?? "true"]);

async function finish(container: Container, job: Job, complete: boolean): Promise<void> {
  if (job.once && complete) return;
  await orItsLog(container, job.name, () => run(container, `${job.run} >/var/log/devcloud/${job.name}.log 2>&1`, { timeout: 240_000 }));
}

/** An error of a daemon or job is told by the last lines of its log. */
async function orItsLog(container: Container, name: string, act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    const log = `/var/log/devcloud/${name}.log`;
    const last = await run(container, `tail --lines=8 ${log}`).catch(() => "");
    throw new Error(`${name} failed; the end of .devcloud${log.replace("/var/log/devcloud", "/log")}:\n${last}`, { cause: error });
  }
}
