import { installedVersion } from "../../guest/packages";
import { isHeld } from "../../guest/volume";
import type { Member } from "../../topology";
import type { Report } from "../datastore";
import { isLoading, viewOf, type Redis } from "./client";
import { vendorOf } from "./configuration";
import { hasFailed, isSelf } from "./nodes";
import { isDown, unitState } from "./observe";

/** How one member is at this moment, as it says itself. */
export async function report(cluster: Redis, { name }: Member): Promise<Report> {
  const guest = await cluster.guest(name);
  const { server } = vendorOf(cluster.want.options);
  const state = await unitState(guest, cluster);
  const version = release(await guest.look(`${installedVersion(server)} || true`));
  if (isDown(state) && (await isHeld(guest)))
    return { role: "stopped", state: "held", version, ...(cluster.want.state !== "stopped" && { wrong: { what: `the server on ${name} is kept stopped, and is to run` } }) };
  if (isDown(state)) return { role: "down", state, version, wrong: { what: `the server on ${name} is ${state}` } };
  const { said, why } = await viewOf(guest, cluster.authority);
  if (!said) return { role: state === "activating" || isLoading(why) ? "starting" : "silent", state, version, wrong: { what: `the server on ${name} does not answer: ${why}` } };
  const { info, cluster: view, nodes } = said;
  const self = nodes.find(isSelf)!;
  const role = self.of === undefined ? (self.slots === "" ? "primary without slots" : "primary") : "replica";
  // Of what it has not received yet a replica knows nothing.
  const behind = Number(info.slave_read_repl_offset ?? 0) - Number(info.slave_repl_offset ?? 0);
  const failed = nodes.filter(hasFailed);
  return {
    role, version: version ?? info.redis_version,
    state: info.loading === "1" ? "loads its data" : `cluster ${view.cluster_state}`,
    ...(self.of === undefined ? {} : { lag: { words: `${behind} bytes`, measures: { behind } } }),
    ...wrongOf(name, { link: self.of === undefined ? "up" : info.master_link_status, saved: [info.aof_last_write_status, info.rdb_last_bgsave_status], state: view.cluster_state, failed: failed.length }),
  };
}

function wrongOf(name: string, { link, saved, state, failed }: { link?: string; saved: (string | undefined)[]; state?: string; failed: number }): Pick<Report, "wrong"> {
  if (state !== "ok") return { wrong: { what: `${name} says that the cluster is ${state}: not every slot is served by a member that most others reach` } };
  if (link !== "up") return { wrong: { what: `${name} does not follow its primary: its link is ${link}` } };
  if (saved.some((status) => status !== undefined && status !== "ok")) return { wrong: { what: `${name} could not write its data to its disk the last time` } };
  return failed > 0 ? { wrong: { what: `${name} counts ${failed} that do not answer any more` } } : {};
}

const release = (version: string): string | undefined => /^(?:\d+:)?(\d+(?:\.\d+)+)/.exec(version.trim())?.[1];
