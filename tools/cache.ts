import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, renameSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import execa from "execa";
import { onExit } from "signal-exit";
import { type Progress, timed } from "./progress";

/** A folder of the cache, made when it is not there. */
export function cacheFolder(...names: string[]): string {
  const { DATASTORES_CACHE, XDG_CACHE_HOME } = process.env;
  const root = DATASTORES_CACHE || join(XDG_CACHE_HOME || join(homedir(), ".cache"), "pulumi-openstack-datastores");
  const folder = join(root, ...names);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** Runs a command of a build. It and all it started are killed when this process ends, however it ends but by SIGKILL. */
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
  const groups = new Set<number>();
  const clean = () => {
    groups.forEach(killGroup);
    remove(partial);
  };
  remove(partial);
  mkdirSync(partial);
  const forget = onExit(clean);
  try {
    await entry.build(partial, (file, args, options) => runInGroup(groups, file, args, options));
    renameSync(partial, place);
  } catch (error) {
    clean();
    throw error;
  } finally {
    forget();
  }
}

/** A process group of its own lets one signal reach the command and all it started. */
async function runInGroup(groups: Set<number>, file: string, args: string[], options: execa.Options = {}) {
  const child = execa(file, args, { ...options, detached: true });
  const { pid } = child;
  if (pid !== undefined) groups.add(pid);
  try {
    return await child;
  } finally {
    if (pid !== undefined) groups.delete(pid);
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

/**
 * Holds the lock of a file while `act` runs. `flock` locks the open file that it inherits from this process,
 * so the lock lives exactly as long as this process keeps it open: no death of ours leaves a stale one.
 */
export async function locked<T>(file: string, waiting: () => void, act: () => Promise<T>): Promise<T> {
  const lock = openSync(file, "a", 0o600);
  try {
    const stdio: execa.Options["stdio"] = ["ignore", "ignore", "pipe", lock];
    const { exitCode } = await execa("flock", ["--exclusive", "--nonblock", "3"], { stdio, reject: false });
    if (exitCode !== 0) {
      waiting();
      await execa("flock", ["--exclusive", "3"], { stdio });
    }
    return await act();
  } finally {
    closeSync(lock);
  }
}
