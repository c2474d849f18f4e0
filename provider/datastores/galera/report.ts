import type { Guest } from "../../guest/guest";
import { installedVersion } from "../../guest/packages";
import { isHeld } from "../../guest/volume";
import type { State } from "../../rest";
import type { Member } from "../../topology";
import type { Cluster, Report } from "../datastore";
import type { Options } from "./options";
import { inCluster } from "./sight";
import { client, isDown, receives, unitState, viewIn, type Wsrep } from "./sql";

/** What is asked of a server for people, beside its view of the cluster. */
interface Vitals extends Wsrep {
  /** Writes of others that have arrived and wait to be applied. */
  local_recv_queue: string;
  /** Nanoseconds for which flow control has held up the cluster's writes, since the server started. */
  flow_control_paused_ns: string;
  /** How often this member had the others wait for it. */
  flow_control_sent: string;
  provider_options: string;
  version: string;
}

const show = `${client} --connect-timeout=2 -e "SHOW GLOBAL STATUS LIKE 'wsrep_%'; SHOW GLOBAL VARIABLES WHERE Variable_name IN ('version', 'wsrep_provider_options')" 2>&1`;

/** Two looks a second apart: totals since a server's start say nothing of this moment, and a queue that is gone in a second is none. */
const twice = `${show} || exit 0
sleep 1; echo ---; ${show} || true`;

/** From this share of a second on, clients feel that their writes wait. */
const feltPause = 0.1;

/** How one member is at this moment, as it says itself. */
export async function report({ guest: reach, want }: Cluster<Options>, { name }: Member): Promise<Report> {
  const guest = await reach(name);
  const state = await unitState(guest);
  const [before = "", after = ""] = isDown(state) ? [] : (await guest.look(twice)).split("---\n");
  const { view: was, why } = viewIn<Vitals>(before);
  const { view: is = was } = viewIn<Vitals>(after);
  if (was && is) return ofServer(name, was, is);
  const held = isDown(state) && (await isHeld(guest));
  return { ...(held ? stopped(name, want.state) : await withoutServer(guest, state, why)), version: release(await guest.look(`${installedVersion("mariadb-server")} || true`)) };
}

function ofServer(name: string, was: Vitals, is: Vitals): Report {
  const { role, wrong } = ofView(name, is);
  const waiting = Math.min(Number(was.local_recv_queue), Number(is.local_recv_queue));
  const paused = Math.min(1, Math.max(0, Number(is.flow_control_paused_ns) - Number(was.flow_control_paused_ns)) / 1e9);
  const holdsUp = waiting > flowControlLimit(is) || (paused >= feltPause && Number(is.flow_control_sent) > Number(was.flow_control_sent));
  const share = paused < 0.01 ? "" : `${Math.round(paused * 100)} %`;
  return {
    role,
    state: is.cluster_status === "Primary" ? is.local_state_comment : `${is.local_state_comment}, ${is.cluster_status}`,
    lag: { words: `${waiting} ${waiting === 1 ? "write" : "writes"}${share && `, paused ${share}`}`, measures: { waiting, paused } },
    version: release(is.version),
    // A donor may fall behind as far as it likes, and who joins has to catch up.
    wrong: wrong ?? (role === "in cluster" && holdsUp ? {
      what: `${name} applies writes slower than they come: ${waiting} wait${share && `, and for ${share} of the second that was looked at the cluster took no other`}`,
      shownBy: `mariadb -e "SHOW FULL PROCESSLIST"`,
    } : undefined),
  };
}

function ofView(name: string, { cluster_status, cluster_size, ready, local_state_comment: state }: Vitals): Pick<Report, "role" | "wrong"> {
  const primary = cluster_status === "Primary";
  if (inCluster(primary, state)) return {
    role: state === "Synced" ? "in cluster" : "donor",
    ...(ready !== "ON" && { wrong: { what: `${name} is ${state} and takes no statements: its wsrep_ready is ${ready}`, shownBy: `mariadb -e "SHOW GLOBAL STATUS LIKE 'wsrep_%'"` } }),
  };
  if (primary) return { role: "joining", wrong: { what: `${name} has still to catch up with the cluster` } };
  return { role: "outside", wrong: { what: `${name} runs outside of the cluster and takes no statements: it sees ${cluster_size} ${cluster_size === "1" ? "member" : "members"}, itself too, and these are no majority; those that lost each other find each other again by themselves` } };
}

const stopped = (name: string, wanted: State | undefined): Omit<Report, "version"> =>
  ({ role: "stopped", state: "held", ...(wanted !== "stopped" && { wrong: { what: `MariaDB on ${name} is kept stopped, and is to run` } }) });

async function withoutServer(guest: Guest, state: string, why: string): Promise<Omit<Report, "version">> {
  const { name } = guest;
  if (isDown(state)) return { role: "down", state, wrong: { what: `MariaDB does not run on ${name}: its unit is ${state}` } };
  if (await receives(guest)) return { role: "joining", state: "receives all data", wrong: { what: `${name} receives all data from a donor, and is no member for as long` } };
  if (state === "activating") return { role: "starting", state, wrong: { what: `MariaDB is starting on ${name}` } };
  if (state === "deactivating") return { role: "stopping", state, wrong: { what: `MariaDB is stopping on ${name}` } };
  return { role: "silent", state, wrong: { what: `MariaDB on ${name} is ${state} and does not answer root on its socket: ${why}` } };
}

/** As many writes may wait at a member before it has the others wait; Galera counts it by the cluster's size unless one member alone is written to. */
function flowControlLimit({ provider_options, cluster_size }: Vitals): number {
  const options = Object.fromEntries((provider_options ?? "").split(";").map((option) => option.split("=").map((part) => part.trim())));
  const alone = [options["gcs.fc_single_primary"], options["gcs.fc_master_slave"]].some((value) => /^(yes|on|true|1)$/i.test(value ?? ""));
  return Number(options["gcs.fc_limit"] ?? 16) * (alone ? 1 : Math.sqrt(Number(cluster_size)));
}

/** `10.11.19` of the server's `10.11.19-MariaDB-0+deb12u1` or of the package's `1:10.11.19-0+deb12u1`. */
const release = (version: string): string | undefined => /^(?:\d+:)?(\d+(?:\.\d+)+)/.exec(version.trim())?.[1];
