import { eventually } from "../../guest/eventually";
import type { Guest } from "../../guest/guest";
import { assignments, sh } from "../../guest/shell";
import { names } from "../../topology";
import { isLoading, viewOf, type Redis, type Said } from "./client";
import { vendorOf } from "./configuration";
import { hasFailed, isKnown, isSelf, signature } from "./nodes";
import { unitState } from "./observe";
import { slotCount } from "./slots";

/** Seconds for what moves no data. */
export const gateSeconds = 120;
/** Seconds for members to agree whom one of them follows. */
const failoverSeconds = 30;
/** Seconds for a server to read its data, or for a replica to get its primary's. The gate fails at once when the server gives up. */
export const dataSeconds = 4 * 3600;

export const everyone = ({ want, leaving }: Redis): string[] => names({ members: [...want.members, ...leaving] });

export const silent = (name: string): never => {
  throw new Error(`the server on ${name} does not answer. Run \`pulumi up\` again: it plans from what it then sees`);
};

/** What each of those that answer says. */
export async function saidBy(cluster: Redis, among: string[]): Promise<Map<string, Said>> {
  const said = await Promise.all(among.map(async (name) => [name, (await cluster.guest(name).then((guest) => viewOf(guest, cluster.authority), () => undefined))?.said] as const));
  return new Map(said.flatMap(([name, view]) => (view ? [[name, view] as const] : [])));
}

/** Waits until a server has read its data and answers. */
export async function answers(cluster: Redis, guest: Guest, seconds: number): Promise<void> {
  await eventually(`the server on ${guest.name} to answer`, { seconds, say: guest.say }, async () => {
    await failedToStart(cluster, guest);
    const { said, why } = await viewOf(guest, cluster.authority);
    return said === undefined ? why : said.info.loading === "1" ? "it loads its data" : true;
  });
}

/** What a server says once it has read its data, for it takes no settings before. One that is down, or answers nobody, is not waited for. */
export async function saidOnceRead(cluster: Redis, guest: Guest): Promise<Said | undefined> {
  let said: Said | undefined;
  await eventually(`the server on ${guest.name} to have read its data`, { seconds: dataSeconds, say: guest.say }, async () => {
    const view = await viewOf(guest, cluster.authority);
    ({ said } = view);
    return said !== undefined || (!isLoading(view.why) && (await unitState(guest, cluster)) !== "activating") || view.why;
  });
  return said;
}

async function failedToStart(cluster: Redis, guest: Guest): Promise<void> {
  const { server } = vendorOf(cluster.want.options);
  const { ActiveState, Result, Job } = assignments(await guest.look(sh`systemctl show -p ActiveState -p Result -p Job ${server}`));
  if (ActiveState !== "failed" && !(ActiveState === "inactive" && Result === "exec-condition" && !Job)) return;
  const log = await guest.look(sh`journalctl -q -o cat -n 20 -u ${server} | grep -vE '^(Starting|Stopped|Started) ' | tail -n 5 || true`);
  throw new Error(`the server does not start on ${guest.name}: ${log.trim().split("\n").join(" | ") || `result ${Result}`}`);
}

async function asked(cluster: Redis, guest: Guest, done: (of: string | undefined, said: Said) => true | string): Promise<true | string> {
  await failedToStart(cluster, guest);
  const { said, why } = await viewOf(guest, cluster.authority);
  return said ? done(said.nodes.find(isSelf)!.of, said) : why;
}

/** Waits until a member knows whom it is to follow. */
export const chooses = (cluster: Redis, guest: Guest, primary: string): Promise<void> =>
  eventually(`${guest.name} to follow its primary`, { seconds: failoverSeconds, say: guest.say }, () => asked(cluster, guest, (of) => of === primary || `it follows ${of ?? "nobody"}`));

/** Waits until a replica has a link to its primary, whichever that is: one that has none would hold up its writes and not take over. */
export const linked = (cluster: Redis, guest: Guest): Promise<void> =>
  eventually(`${guest.name} to have a link to its primary`, { seconds: dataSeconds, say: guest.say }, () => asked(cluster, guest, (of, said) => of === undefined || linkOf(said)));

const linkOf = ({ info: { master_link_status: link, master_sync_left_bytes: left } }: Said): true | string => link === "up" || `its link is ${link}${left && left !== "-1" ? `, ${left} bytes to come` : ""}`;

/** Waits until a replica has all of its primary's data. Soon it follows it; if then no more, a failover came between, and the wait would have no end. */
export async function follows(cluster: Redis, guest: Guest, primary: string): Promise<void> {
  await chooses(cluster, guest, primary);
  await eventually(`${guest.name} to have its primary's data`, { seconds: dataSeconds, steady: 2, say: guest.say }, () => asked(cluster, guest, (of, said) => {
    if (of !== primary) throw new Error(`${guest.name} follows ${of ?? "nobody"} now: another took over meanwhile. Run \`pulumi up\` again: it plans from what it then sees`);
    return linkOf(said);
  }));
}

/** Waits until those that followed a primary before it was started anew do again. One that follows somebody else by now, or that answers nobody, is not waited for. */
export const followed = (cluster: Redis, guest: Guest, id: string, by: string[]): Promise<void> =>
  eventually(`${by.join(", ")} to follow ${guest.name} again`, { seconds: dataSeconds, steady: 2, say: guest.say }, async () => {
    const apart = [...await saidBy(cluster, by)].filter(([, said]) => said.nodes.find(isSelf)!.of === id && linkOf(said) !== true);
    return apart.length === 0 || apart.map(([name, said]) => `on ${name} ${linkOf(said)}`).join("; ");
  });

/**
 * Waits until each of `among` that is in the cluster says, steadily, the same of whose the slots are, and that all is well: what they then say.
 * `in`: all of them are in it. `exactly`: and nobody else is, and nothing is left to be done.
 */
export async function agreed(cluster: Redis, among: string[], teller: Guest, who: "in" | "exactly" | "whoever is in" = "whoever is in"): Promise<Map<string, Said>> {
  let said = new Map<string, Said>();
  await eventually(`${who === "exactly" ? "the members" : among.join(", ")} to agree`, { seconds: gateSeconds, steady: who === "exactly" ? 3 : 2, say: teller.say }, async () => {
    said = await saidBy(cluster, among);
    const apart = who === "whoever is in" ? [] : among.filter((name) => (said.get(name)?.nodes.length ?? 0) < 2);
    return apart.length > 0 ? `${apart.join(", ")} ${apart.length === 1 ? "is" : "are"} in no cluster, or silent` : disagreement(said, who === "exactly") ?? true;
  });
  return said;
}

function disagreement(said: Map<string, Said>, exactly: boolean): string | undefined {
  const inIt = [...said].filter(([, { nodes }]) => nodes.length > 1);
  const ids = inIt.map(([, { id }]) => id);
  for (const [name, { nodes, cluster: state, info }] of inIt) {
    const self = nodes.find(isSelf)!;
    if (state.cluster_state !== "ok") return `${name} says that the cluster is ${state.cluster_state}`;
    if (exactly && state.cluster_slots_ok !== String(slotCount)) return `${name} says that ${state.cluster_slots_ok} slots are served`;
    if (exactly && self.open.length > 0 && self.of === undefined) return `${name} has slots on their way`;
    const unknown = ids.filter((id) => !nodes.some((node) => node.id === id && isKnown(node) && !hasFailed(node)));
    if (unknown.length > 0) return `${name} does not know ${unknown.length} of the others`;
    if (exactly && nodes.length !== ids.length) return `${name} knows ${nodes.length - ids.length} more`;
    if (exactly && self.of !== undefined && info.master_link_status !== "up") return `${name} has no link to its primary`;
  }
  const views = new Set(inIt.map(([, { nodes }]) => signature(nodes)));
  return views.size === 1 ? undefined : `there are ${views.size} views of whose the slots are`;
}
