import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, renameSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import execa from "execa";
import { type Progress, timed } from "./progress";

/** A folder of the cache, made when it is not there. */
export function cacheFolder(...names: string[]): string {
  const { DATASTORES_CACHE, XDG_CACHE_HOME } = process.env;
  const root = DATASTORES_CACHE || join(XDG_CACHE_HOME || join(homedir(), ".cache"), "pulumi-openstack-datastores");
  const folder = join(root, ...names);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** Runs a command of a build. It and all it started are killed when the build is interrupted. */
export type Run = (file: string, args: string[], options?: execa.Options) => Promise<execa.ExecaReturnValue>;

export interface Entry {
  /** The kind of thing: names the folder in the cache. */
  name: string;
  /** For the person who waits, as in "building the Pulumi engine". */
  title: string;
  /** Everything that decides what comes out, as plain JSON: when it changes, another entry is built. */
  from: unknown;
  /**
   * Fills the folder. What it starts, it starts with `run`; what it mounts, it mounts in a mount namespace
   * of its own, for an interrupted build is simply killed and removed.
   */
  build(folder: string, run: Run): Promise<void>;
}

/**
 * The folder of an entry, built when it is not there. It is built beside its place and renamed when complete,
 * so a folder that exists is a whole one. Processes that want the same entry at the same time build it once.
 */
export async function cached(entry: Entry, progress: Progress): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify(entry.from)).digest("hex").slice(0, 16);
  const place = join(cacheFolder(entry.name), hash);
  if (existsSync(place)) return place;
  await locked(`${place}.lock`, () => progress(`${entry.title}: another run is at it, waiting for it`), async () => {
    if (existsSync(place)) return;
    await timed(entry.title, progress, () => buildBeside(place, entry));
  });
  return place;
}

async function buildBeside(place: string, entry: Entry): Promise<void> {
  const partial = `${place}.partial`;
  remove(partial);
  mkdirSync(partial);
  await interruptible(entry.title, () => remove(partial), async (run) => {
    await entry.build(partial, run);
    renameSync(partial, place);
  });
}

const interrupts = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Kills what `act` runs, so that `act` fails, when a signal asks this process to end. After `clean` the signal has its
 * usual effect, unless others in this process listen to it too: then they decide what it means.
 */
async function interruptible(title: string, clean: () => void, act: (run: Run) => Promise<void>): Promise<void> {
  const groups = new Set<number>();
  let interrupt: NodeJS.Signals | undefined;
  const kill = () => groups.forEach(killGroup);
  const stop = (signal: NodeJS.Signals) => {
    interrupt = signal;
    kill();
  };
  process.on("exit", kill);
  for (const signal of interrupts) process.on(signal, stop);
  try {
    await act(async (file, args, options) => {
      if (interrupt) throw new Error(`${file} is not started after ${interrupt}`);
      return runInGroup(groups, file, args, options);
    });
  } catch (error) {
    throw interrupt ? new Error(`${title}: interrupted by ${interrupt}`) : error;
  } finally {
    process.off("exit", kill);
    for (const signal of interrupts) process.off(signal, stop);
    clean();
    if (interrupt && process.listenerCount(interrupt) === 0) process.kill(process.pid, interrupt);
  }
}

/** A process group of its own lets one signal reach the command and all it started. */
async function runInGroup(groups: Set<number>, file: string, args: string[], options: execa.Options = {}) {
  const child = execa(file, args, { ...options, detached: true });
  const group = child.pid;
  if (group === undefined) return child;
  groups.add(group);
  try {
    return await child;
  } catch (error) {
    killGroup(group);
    throw error;
  } finally {
    groups.delete(group);
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** `rm` and not `fs.rm`, which would cross into a mount that a build left. */
function remove(path: string): void {
  execFileSync("rm", ["--recursive", "--force", "--one-file-system", path]);
}

/** Holds the lock of a file while `act` runs. */
export async function locked<T>(file: string, waiting: () => void, act: () => Promise<T>): Promise<T> {
  const release = await lock(file, waiting);
  try {
    return await act();
  } finally {
    release();
  }
}

/**
 * Takes the lock of a file; the answer releases it. `flock` locks the open file that it inherits from this process,
 * so the lock lives exactly as long as this process keeps it open: no death of ours leaves a stale one.
 */
export async function lock(file: string, waiting: () => void): Promise<() => void> {
  const opened = openSync(file, "a", 0o600);
  try {
    const stdio: execa.Options["stdio"] = ["ignore", "ignore", "pipe", opened];
    const { exitCode } = await execa("flock", ["--exclusive", "--nonblock", "3"], { stdio, reject: false });
    if (exitCode !== 0) {
      waiting();
      await execa("flock", ["--exclusive", "3"], { stdio });
    }
    return () => closeSync(opened);
  } catch (error) {
    closeSync(opened);
    throw error;
  }
}
