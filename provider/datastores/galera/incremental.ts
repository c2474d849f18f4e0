import { CommandFailed, reason, Refused } from "../../errors";
import type { Guest } from "../../guest/guest";
import { installedVersion, majorOf } from "../../guest/packages";
import { madeAnew } from "../../hops";
import type { Member } from "../../topology";
import { everyone, type Galera } from "./gates";
import { isKnown, type Sight } from "./sight";
import { query, wsrep, type Wsrep } from "./sql";

/** Seconds for which a member may be away whose server gets a new disk: for the cloud to make it, and for its packages to come. */
const awaySeconds = 900;

/** The last lines of each refusal: what else there is to do. */
const orBack = "else set `version` and `image` back";

/** For how many bytes of writes a member has room that it may still give to others (Galera parameters: gcache.size). */
async function roomOf(guest: Guest): Promise<number> {
  const options = await query(guest, "SHOW GLOBAL VARIABLES LIKE 'wsrep_provider_options'");
  const [, size = "0", unit = ""] = /gcache\.size = (\d+)([KMGT]?)/.exec(options) ?? [];
  return Number(size) * 1024 ** ["", ..."KMGT"].indexOf(unit);
}

/**
 * What the others keep of the writes that a member misses while it is away: how many of the last until now, and for how many seconds at their pace of now, in bytes a second. A cache that is not
 * full yet keeps more than it holds. Undefined where no other answers.
 */
async function keptFor(cluster: Galera, name: string): Promise<{ writes: number; seconds: number; pace: number } | undefined> {
  const guests = await Promise.all(everyone(cluster).filter((other) => other !== name).map(cluster.guest));
  const began = Date.now();
  const views = await Promise.all(guests.map(wsrep));
  const [others, first] = [guests, views].map((all) => all.filter((_, index) => views[index] !== undefined)) as [Guest[], Wsrep[]];
  if (others.length === 0) return undefined;
  const room = Math.max(...await Promise.all(others.map(roomOf)));
  const second = await Promise.all(others.map(wsrep));
  const last = Math.max(...second.map((view) => Number(view?.last_committed ?? 0)));
  const writes = last - Math.min(...second.map((view) => Number(view?.local_cached_downto ?? Infinity)));
  const come = (view?: Wsrep) => Number(view?.replicated_bytes ?? 0) + Number(view?.received_bytes ?? 0);
  const pace = Math.max(...second.map((view, index) => come(view) - come(first[index]))) / Math.max(Date.now() - began, 1) * 1000;
  return { writes, pace, seconds: writes <= 0 ? 0 : pace > 0 ? room / pace : Infinity };
}

/** Says whether the others keep the writes that a member misses while it is away, and for how long: after that it gets all data anew. That nobody can tell stops no step. */
export async function tellWhatItMayMiss(cluster: Galera, { name }: Member): Promise<void> {
  const { say } = await cluster.guest(name);
  try {
    const kept = await keptFor(cluster, name);
    if (!kept) return;
    say(kept.writes > 0 ? `the others keep the last ${kept.writes} writes${kept.seconds < Infinity ? `, and room for those of ${Math.round(kept.seconds)} s at this pace` : ""}: for as long it gets only what it misses` : "the others keep no writes: it gets all data anew");
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    say(`whether the others keep the writes that it misses is not known: ${reason(error)}`);
  }
}

const versionOf = async (guest: Guest): Promise<string | undefined> => majorOf(await guest.look(`${installedVersion("mariadb-server")} || true`));

/** Whether a member that has packages is to have those of another major version. */
export async function changesVersion({ guest: reach, want }: Galera, { name }: Member): Promise<boolean> {
  const { version } = want.options;
  const installed = version === undefined ? undefined : await versionOf(await reach(name));
  return installed !== undefined && installed !== version;
}

/** A full transfer between major versions is none that the vendor knows: nobody is taken away for another one whom the others may have nothing less to give. */
export async function refuseToMissMore(cluster: Galera, { name }: Member): Promise<void> {
  const kept = await keptFor(cluster, name);
  if (!kept || kept.seconds >= awaySeconds) return;
  throw new Refused("a member gets another major version only while the others keep what it misses meanwhile", kept.writes > 0 ? `their caches hold the writes of ${Math.round(kept.seconds)} s at the pace of now, and it may be away for ${awaySeconds} s` : "they keep no writes",
    kept.writes > 0 ? `wait for an hour with fewer writes; or set \`version\` and \`image\` back and \`gcacheSize\` to ${Math.ceil(kept.pace * awaySeconds / 2 ** 20)}M or more, which restarts the members one at a time, \`pulumi up\`, and then change them again`
      : `run \`pulumi up\` again once something was written; ${orBack}`);
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
    throw new Refused("a member gets all data from one of its own major version", `${name} is of ${own}, the others of ${[...new Set(versions)].join(", ")}, and they do not keep what it missed`, `bring it in as it was before: set \`version\` and \`image\` back, and \`pulumi up\`; if its data were opened by ${own} already, which it then says, ${madeAnew}`);
  return alike;
}

/** Of one that is down already the same is known before its server is touched. */
export async function refuseToHaveMissed(cluster: Galera, { name }: Member, self: Sight, running: string[]): Promise<void> {
  const versions = await Promise.all(running.map(async (other) => versionOf(await cluster.guest(other))));
  if (running.length === 0 || versions.some((version) => version === cluster.want.options.version) || missesOnly(self, await oldest(cluster, running))) return;
  throw new Refused("a member gets another major version only while the others keep what it missed", `${name} is down, and the others do not keep what it missed`, `bring it in first, with the \`version\` and \`image\` that the others have, and \`pulumi up\``);
}
