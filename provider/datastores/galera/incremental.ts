import { Refused } from "../../errors";
import type { Guest } from "../../guest/guest";
import { installedVersion, majorOf } from "../../guest/packages";
import type { Member } from "../../topology";
import { everyone, type Galera } from "./gates";
import { isKnown, type Sight } from "./sight";
import { query, wsrep } from "./sql";

/** Seconds for which a member may be away whose server gets a new disk: for the cloud to make it, and for its packages to come. */
const awaySeconds = 900;

/** The last lines of each refusal: what else there is to do. */
const orBack = "else set `version` and `image` back";

/** What the others keep of the writes that a member misses while it is away, and for how long at their pace of now. Undefined where there are no others. */
async function keptFor(cluster: Galera, name: string): Promise<{ writes: number; seconds: number } | undefined> {
  const views = async () => Promise.all(everyone(cluster).filter((other) => other !== name).map(async (other) => wsrep(await cluster.guest(other))));
  const began = Date.now();
  const [first, second] = [await views(), await views()];
  const last = (of: typeof first) => Math.max(...of.map((view) => Number(view?.last_committed ?? 0)));
  if (second.length === 0) return undefined;
  const writes = last(second) - Math.min(...second.map((view) => Number(view?.local_cached_downto ?? Infinity)));
  const pace = (last(second) - last(first)) / (Date.now() - began) * 1000;
  return { writes, seconds: pace > 0 ? writes / pace : Infinity };
}

/** Whether the others keep the writes that a member misses while it is away, and for how long: after that it gets all data anew. */
export async function tellWhatItMayMiss(cluster: Galera, { name }: Member): Promise<void> {
  const kept = await keptFor(cluster, name);
  if (!kept) return;
  (await cluster.guest(name)).say(kept.writes > 0 ? `the others keep the last ${kept.writes} writes${kept.seconds < Infinity ? `, ${Math.round(kept.seconds)} s of them at this pace` : ""}: for as long it gets only what it misses` : "the others keep no writes: it gets all data anew");
}

const versionOf = async (guest: Guest): Promise<string | undefined> => majorOf(await guest.look(`${installedVersion("mariadb-server")} || true`));

/** Whether a member that has packages is to have those of another major version. */
export async function changesVersion({ guest: reach, want }: Galera, { name }: Member): Promise<boolean> {
  const { version } = want.options;
  const installed = version === undefined ? undefined : await versionOf(await reach(name));
  return installed !== undefined && installed !== version;
}

/** Galera keeps what it has from then on, until that is taken back (Galera parameters: gcache.freeze_purge_at_seqno). */
const isFrozen = async (guest: Guest): Promise<boolean> => /gcache\.freeze_purge_at_seqno = \d/.test(await query(guest, "SHOW GLOBAL VARIABLES LIKE 'wsrep_provider_options'"));

/** A full transfer between major versions is none that the vendor knows: nobody is taken away for another one whom the others may have nothing less to give. */
export async function refuseToMissMore(cluster: Galera, { name }: Member): Promise<void> {
  const kept = await keptFor(cluster, name);
  if (!kept || (kept.writes > 0 && kept.seconds >= awaySeconds)) return;
  const others = await Promise.all(everyone(cluster).filter((other) => other !== name).map(cluster.guest));
  if ((await Promise.all(others.map(isFrozen))).some(Boolean)) return;
  throw new Refused("a member gets another major version only while the others keep what it misses meanwhile", `they keep the last ${Math.max(0, kept.writes)} writes, ${Math.round(Math.max(0, kept.seconds))} s at the pace of now, and it may be away for ${awaySeconds} s`,
    `wait for an hour with fewer writes; or let one of the others keep all from now on, where its volume has room for it: \`sudo mariadb -e "SET GLOBAL wsrep_provider_options = 'gcache.freeze_purge_at_seqno = now'"\` there, and \`= -1\` when all have the new version; ${orBack}`);
}

/** The oldest write that one of these could still give. */
async function oldest(cluster: Galera, among: string[]): Promise<number> {
  const views = await Promise.all(among.map(async (name) => wsrep(await cluster.guest(name))));
  return Math.min(...views.map((view) => Number(view?.local_cached_downto ?? Infinity)));
}

const missesOnly = (sight: Sight, from: number): boolean => sight.is === "down" && sight.data.is === "whole" && isKnown(sight.data.uuid) && sight.data.seqno >= 0 && sight.data.seqno + 1 >= from;

/**
 * From whom a member may get what it has not: those of its own version, where it would get all data; from any, where it gets but what it missed, or where all are of one version.
 * `self` is it as it is now, where it is down: one that starts has asked already.
 */
export async function givers(cluster: Galera, { name }: Member, self: Sight | undefined, running: string[]): Promise<string[]> {
  if (!self) return running;
  const own = await versionOf(await cluster.guest(name));
  const versions = await Promise.all(running.map(async (other) => versionOf(await cluster.guest(other))));
  const alike = running.filter((_, index) => versions[index] === own);
  if (alike.length === running.length || missesOnly(self, await oldest(cluster, running))) return running;
  if (alike.length === 0)
    throw new Refused("a member gets all data from one of its own major version", `${name} is of ${own}, the others of ${[...new Set(versions)].join(", ")}, and they do not keep what it missed`, `bring it in as it was before: set \`version\` and \`image\` back, and \`pulumi up\``);
  return alike;
}

/** Of one that is down already the same is known before its server is touched. */
export async function refuseToHaveMissed(cluster: Galera, { name }: Member, self: Sight, running: string[]): Promise<void> {
  const versions = await Promise.all(running.map(async (other) => versionOf(await cluster.guest(other))));
  if (running.length === 0 || versions.some((version) => version === cluster.want.options.version) || missesOnly(self, await oldest(cluster, running))) return;
  throw new Refused("a member gets another major version only while the others keep what it missed", `${name} is down, and the others do not keep what it missed`, `bring it in first, with the \`version\` and \`image\` that the others have, and \`pulumi up\``);
}
