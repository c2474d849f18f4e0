import { eventually } from "../../guest/eventually";
import type { Guest } from "../../guest/guest";
import { assignments } from "../../guest/shell";
import { mountPoint, usage } from "../../guest/volume";
import { names } from "../../topology";
import type { Cluster } from "../datastore";
import type { Options } from "./options";
import { inCluster } from "./sight";
import { ask, receives, unitState, wsrep } from "./sql";

export type Galera = Cluster<Options>;

/** Seconds for a state transfer without end in sight. The gate fails at once when the server gives up. */
export const transferSeconds = 4 * 3600;
/** Seconds for what transfers nothing. */
export const startSeconds = 300;
/** Seconds to stop: a large buffer pool is written out first. systemd's own limit is the same. */
export const stopSeconds = 930;
/** Seconds for a server that is starting to give that up. */
export const abortSeconds = 30;

/** Seconds for a server that has started to answer. */
const silentSeconds = 60;

export const everyone = ({ want, leaving }: Galera): string[] => names({ members: [...want.members, ...leaving] });

/** Those that run in the cluster. One that cannot be reached is not counted on. */
export async function running(cluster: Galera, among: string[]): Promise<string[]> {
  const views = await Promise.all(among.map(async (name) => cluster.guest(name).then(wsrep, () => undefined)));
  return among.filter((_, index) => inCluster(views[index]?.cluster_status === "Primary", views[index]?.local_state_comment));
}

interface Gate {
  seconds?: number;
  /** The cluster has no other members than these. Else: one whose transfer an earlier run began counts at once. */
  exactly?: boolean;
  /** `starting` is one that is being started: it is no use to wait when its server gave up. Default: true. */
  started?: boolean;
}

/** Waits until each of `on` itself says, steadily, that it is Synced in one Primary component of these members. */
export async function gate(cluster: Galera, on: string[], starting: Guest, { seconds = transferSeconds, exactly = false, started = true }: Gate = {}): Promise<void> {
  const most = exactly ? on.length : everyone(cluster).length;
  let silentSince: number | undefined;
  await eventually(`${on.join(", ")} to be one Synced cluster`, { seconds, steady: 3, say: starting.say }, async () => {
    if (started) await failedToStart(starting);
    const views = await Promise.all(on.map(async (name) => [name, await wsrep(await cluster.guest(name))] as const));
    const silent = started && views.some(([name, view]) => name === starting.name && !view) && (await unitState(starting)) === "active";
    silentSince = silent ? silentSince ?? Date.now() : undefined;
    if (silentSince !== undefined && Date.now() - silentSince > silentSeconds * 1000)
      throw new Error(`MariaDB on ${starting.name} has started, and does not answer its administrator: ${(await ask(starting)).why}. If a setting is why, take it back in \`configuration\`, then \`pulumi refresh\` and \`pulumi up\``);
    const lagging = views.filter(([, view]) => !view || view.cluster_status !== "Primary" || view.local_state_comment !== "Synced"
      || view.ready !== "ON" || Number(view.cluster_size) < on.length || Number(view.cluster_size) > most);
    if (lagging.length > 0)
      return lagging.map(([name, view]) => `${name} ${view ? `${view.local_state_comment}, ${view.cluster_status}, size ${view.cluster_size}` : "does not answer yet"}`).join("; ");
    const histories = new Set(views.map(([, view]) => `${view!.cluster_state_uuid}/${view!.cluster_conf_id}`));
    return histories.size === 1 ? true : `different views: ${[...histories].join(" and ")}`;
  });
}

async function failedToStart(guest: Guest): Promise<void> {
  const { ActiveState, Result, Job, NRestarts } = assignments(await guest.look("systemctl show -p ActiveState -p Result -p Job -p NRestarts mariadb"));
  const skipped = ActiveState === "inactive" && Result === "exec-condition" && !Job;
  const again = ActiveState === "activating" && Number(NRestarts) >= 2 && !(await receives(guest));
  if (ActiveState !== "failed" && !skipped && !again) return;
  // The first cause comes first, and what a server says before it has a log has no time before it; of the table of plugins each server complains that is still to get its data.
  const log = await guest.look("journalctl -q -o cat -n 60 -u mariadb | grep -E 'ERROR|not started|Failed|^([^ ]*/)?(mariadbd|mysqld): ' | grep -v 'mysql.plugin table' | tail -n 10 || true");
  throw new Error(`MariaDB does not start on ${guest.name}: ${log.trim().split("\n").join(" | ") || `result ${Result}`}${await fullness(guest)}`);
}

/** Of this a server tells in many ways, most of them not by its name. */
async function fullness(guest: Guest): Promise<string> {
  const { used = 0, size = Infinity } = (await usage(guest).catch(() => undefined)) ?? {};
  const mib = (bytes: number) => Math.floor(bytes / 2 ** 20);
  return used / size < 0.99 ? "" : `. Its volume is full: ${mib(used)} of ${mib(size)} MiB. Way forward: see with \`sudo du -xh --max-depth=2 ${mountPoint}\` what may go, make room, then run \`pulumi up\` again`;
}

/** A start ends when what it brought is on the disk, which may be long after the member is Synced. */
export const onDisk = (guest: Guest): Promise<void> =>
  eventually(`what ${guest.name} received to be on its disk`, { seconds: stopSeconds, say: guest.say }, async () =>
    (await unitState(guest)) === "activating" ? "it is being written" : true);
