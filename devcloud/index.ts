import execa from "execa";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { cacheFolder, lock, locked } from "../tools/cache";
import type { Progress } from "../tools/progress";
import { configure } from "./configuration";
import { type Container, exec as execIn, running, start, stop } from "./container";
import { databases } from "./databases";
import * as faults from "./faults";
import { Front } from "./front";
import { guestImage, images } from "./image";
import { removeLeftovers } from "./leftovers";
import { mirror } from "./mirror";
import { claim, connect, disconnect, linkOf, type Place } from "./network";
import { requireKernel, requireLinuxAndRoot, requireRoom } from "./requirements";
import { startAll } from "./start";
import { type Status, statusOf } from "./status";
import { startDaemon, stopDaemon } from "./supervisor";
import { controlPlaneTree } from "./tree";

/** Each folder is a devcloud of its own. DEVCLOUD names another. */
export const folder = resolve(dirname(__dirname), process.env.DEVCLOUD ?? ".devcloud");
const state = join(folder, "state");
/** Lies in the state folder once everything was seeded, and holds the number of its place: a state without it is worth nothing. */
const complete = join(state, "complete");
/** Beside the folder, which comes and goes. */
const lockFile = (what: string) => `${folder}.${what}`;

/** How a program reaches the devcloud: clouds `devcloud` and `devcloud-other` (ordinary members of two projects) and `devcloud-admin`. */
export const cloudsYaml = join(folder, "clouds.yaml");

/** Throws, in one line with the way out, where no devcloud can run. */
export async function requireMachine(progress: Progress): Promise<void> {
  requireLinuxAndRoot();
  if (!running(folder)) await requireRoom(folder, progress);
}

/** Brings the devcloud up, from whatever it finds. */
export async function up(progress: Progress): Promise<void> {
  await alone(progress, async () => {
    const container = await wholeContainer(progress);
    await startAll(container, existsSync(complete), progress);
    writeFileSync(complete, `${container.place.number}`);
  });
}

/** Keeps the devcloud for one demo or test, which another waits for; the answer gives it free. */
export function reserve(progress: Progress): Promise<() => void> {
  return lock(lockFile("reserved"), () => progress("another demo or test has this devcloud, waiting for its end"));
}

/** Takes the devcloud down and removes it, all but the cache. */
export async function down(progress: Progress): Promise<void> {
  await alone(progress, remove);
}

/** What Ctrl-C does: a devcloud that this process has half up is of no use, another's is not touched. */
export async function interrupt(): Promise<void> {
  if (atWork) await remove();
}

/** What runs, or nothing when the devcloud is down. */
export async function status(): Promise<Status | undefined> {
  requireLinuxAndRoot();
  const container = running(folder);
  return container && statusOf(container);
}

/** The file that a service writes its log to, or a server its console. */
export async function logOf(name: string): Promise<string> {
  const container = whatRuns();
  const service = join(folder, "log", `${name}.log`);
  return existsSync(service) ? service : join(state, "guests", await faults.machineOf(container, name), "console.log");
}

/** This machine's address as guests see it. */
export const address = (): string => whatRuns().place.host;

/** Runs a command in the devcloud's container. */
export function exec(command: string[], options: execa.Options = {}): execa.ExecaChildProcess {
  return execIn(whatRuns(), command, options);
}

/** Stops servers, by their names, in the middle of whatever they do; their connections stay. */
export const freeze = async (servers: string[]): Promise<void> => faults.freeze(whatRuns(), servers);

/** Lets frozen servers go on. */
export const thaw = async (servers: string[]): Promise<void> => faults.thaw(whatRuns(), servers);

/**
 * Takes the power from servers, from all at one instant, and waits until Nova has seen them SHUTOFF. What they had not
 * written to their volumes is lost, what was synced is there. The root disk is not part of it: it keeps all.
 */
export const powerCut = async (servers: string[]): Promise<void> => faults.powerCut(whatRuns(), servers);

/** Starts servers that are SHUTOFF and waits until they are ACTIVE: their systems then begin to boot. */
export const powerOn = async (servers: string[]): Promise<void> => faults.powerOn(whatRuns(), servers);

/** Takes all free room on the volume that a server has mounted on `point`: the file `filler` there holds it. */
export const fillDisk = async (server: string, point: string): Promise<void> => faults.fillDisk(whatRuns(), server, point);

/** Servers that start from now on take so many seconds more to boot, or never end it. 0 ends the fault. */
export const hinderBoots = async (hindrance: number | "never"): Promise<void> => faults.hinderBoots(whatRuns(), hindrance);

/**
 * Nothing that the servers `from` send reaches the servers `to` any more, in the networks that they share; what `to` send
 * still reaches `from`. Cut both ways, they do not see each other. Holds until it is mended, or a server starts again.
 */
export const cutNetwork = async (from: string[], to: string[]): Promise<void> => faults.cutNetwork(whatRuns(), from, to);

/** Ends what `cutNetwork` with the same servers began. */
export const mendNetwork = async (from: string[], to: string[]): Promise<void> => faults.mendNetwork(whatRuns(), from, to);

/** Stops one of the services that `status` names, as if its process had failed for good. */
export const stopService = async (name: string): Promise<void> => stopDaemon(whatRuns(), name);

/** Starts it again; it may take a moment to serve. */
export const startService = async (name: string): Promise<void> => startDaemon(whatRuns(), name);

/** A proxy in front of the APIs that can fail and delay requests; its `cloudsYaml` leads through it. */
export const front = (): Promise<Front> => Front.open(whatRuns().place.inside, cloudsYaml);

function whatRuns(): Container {
  const found = running(folder);
  if (!found) throw new Error("The devcloud is down: run `npm run devcloud -- up`.");
  return found;
}

let atWork = false;

/** One command at a time. */
async function alone<T>(progress: Progress, act: () => Promise<T>): Promise<T> {
  requireLinuxAndRoot();
  const waiting = () => progress("another command is at work on this devcloud, waiting for it");
  return locked(lockFile("lock"), waiting, async () => {
    atWork = true;
    return act().finally(() => (atWork = false));
  });
}

/** The container that runs, if it was ever complete; else a new one, on the old state if that is complete. */
async function wholeContainer(progress: Progress): Promise<Container> {
  const found = running(folder);
  if (found && existsSync(complete)) return found;
  await end();
  await requireRoom(folder, progress);
  await requireKernel();
  const [tree, ...trees] = await Promise.all([controlPlaneTree(progress), ...Object.keys(images).map((name) => guestImage(name, progress))]);
  await requireKernel(tree);
  if (!existsSync(complete)) rmSync(folder, { recursive: true, force: true });
  for (const name of ["state", "log", "root"]) mkdirSync(join(folder, name), { recursive: true, mode: 0o700 });
  const place = await claim(folder, existsSync(complete) ? Number(readFileSync(complete, "utf8")) : undefined);
  configure(join(folder, "etc"), cloudsYaml, place, await mirror());
  const container = await start(folder, place, { tree, images: Object.keys(images).map((name, index) => `${name}=${trees[index]}`), packages: await packageCache(place) });
  await connect(place, container.pid);
  if (!existsSync(complete)) await databases(container, tree, state, progress);
  return container;
}

/** Packages that were fetched once. Two servers would spoil each other's cache: the first devcloud has it, others a copy. */
async function packageCache({ number }: Place): Promise<string> {
  const [shared, copy] = [cacheFolder("packages"), join(state, "packages")];
  if (number === 0) return shared;
  if (!existsSync(copy)) await execa("cp", ["--archive", "--reflink=auto", shared, copy]);
  return copy;
}

async function remove(): Promise<void> {
  await end();
  rmSync(folder, { recursive: true, force: true });
}

async function end(): Promise<void> {
  await stop(folder);
  await disconnect(folder);
  await removeLeftovers(state, linkOf(folder));
}
