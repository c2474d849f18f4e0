import { isDeepStrictEqual } from "node:util";
import { only } from "../../authorities";
import { certified } from "../../bundle";
import { TimedOut } from "../../errors";
import { eventually } from "../../guest/eventually";
import { guard } from "../../guest/guard";
import type { Guest } from "../../guest/guest";
import { installedVersion, majorOf, missingPackages, unheld } from "../../guest/packages";
import { assignments, sh } from "../../guest/shell";
import { isReady, lookAtVolume, lookOnceAttached } from "../../guest/volume";
import type { Member } from "../../topology";
import { isEstranged, isLoading, viewOf, type Redis, type Said } from "./client";
import { dataDirectory, dataFile, families, folder, header, isCurrent, isVersion, nodesFile, optionsFile, optionsText, packages, sha256, runningFile, clientLine, vendorOf, withoutClient } from "./configuration";
import { hasFailed, isInDoubt, isMet, isSelf, toBeSucceeded, type Node } from "./nodes";
import type { Prepared, Sight, View } from "./sight";
import { slotCount } from "./slots";

/** Seconds for members to find each other again, and to agree who is whose primary, before anything else is thought of. */
const settleSeconds = 60;

/** Looks at one member: its packages, its volume and data, its server. Changes nothing. */
export async function observe(cluster: Redis, member: Member): Promise<Sight> {
  const guest = await cluster.guest(member.name);
  const { state, said, why } = await (cluster.glance ? serverOf(cluster, guest) : settled(cluster, guest));
  const [volume, files] = await (cluster.glance ? lookAtVolume : lookOnceAttached)(guest, cluster.want.owner, member, lookAtData(cluster));
  if (volume.disk === "absent") return { is: "unreachable", why: `its volume ${member.volume} is not attached` };
  if (volume.disk === "foreign" && isDown(state)) return { is: "foreign", why: volume.why ?? "unknown" };
  if (volume.disk === "foreign") throw new Error(`the server is ${state}, and its volume is not ours: ${volume.why}`);
  const { hasHadData, left, held, writtenBy } = volume;
  // A cut between mounting and marking is mended by mounting again: what an unmarked volume holds is nobody's.
  const mounted = isReady(volume, cluster.want.volumeSize);
  const { current, running, ...software } = await softwareOf(guest, cluster, member);
  const { data, id, role } = assignments(files);
  const prepared = { ...software, mounted, hasHadData, left, ...(held && { held: role === "slave" ? "replica" as const : "primary" as const }), ...(writtenBy && { writtenBy }) };
  if (isDown(state)) return { is: "down", data: data === "yes", ...(id ? { id } : {}), ...prepared };
  if (!said && isEstranged(why) && !hasHadData) return { is: "down", data: data === "yes", ...(id ? { id } : {}), estranged: true, ...prepared };
  if (!said && isEstranged(why)) throw new Error(`the server is ${state} and does not answer its administrator: ${why}`);
  if (!said && !isLoading(why) && !["activating", "deactivating"].includes(state))
    return { is: "silent", why: `the server is ${state} and does not answer its administrator: ${why}`, ...prepared, configured: prepared.configured && running === header(cluster.want.options) };
  if (!said || said.info.loading === "1") return { is: "starting", ...prepared };
  const live = isDeepStrictEqual([...said.passwords].sort(), cluster.passwords.map(sha256).sort());
  return { is: "up", ...viewIn(said, [...cluster.want.members, ...cluster.leaving]), current, ...prepared, ...(prepared.secured && { secured: live }) };
}

/** Who it was, and whether its keys are there: below the volume's root. */
const lookAtData = ({ want }: Redis): string => `data=$root/${dataDirectory}
[ -z "$(ls -A "$data/${dataFile(want.options)}" 2>/dev/null)" ] || echo data=yes
sed -n 's/^\\([0-9a-f]*\\) .*\\bmyself,\\([a-z]*\\).*/id=\\1\\nrole=\\2/p' "$data/${nodesFile}" 2>/dev/null || true`;

interface Server {
  state: string;
  said?: Said;
  /** Why it says nothing. */
  why: string;
}

export const isDown = (state: string): boolean => ["inactive", "failed", "unknown"].includes(state);

/** What systemd says of the server. */
export const unitState = async (guest: Guest, { want }: Redis): Promise<string> => {
  const { ActiveState = "unknown", Job } = assignments(await guest.look(sh`systemctl show -p ActiveState -p Job ${vendorOf(want.options).server}`));
  return ActiveState === "inactive" && Job ? "activating" : ActiveState;
};

async function serverOf(cluster: Redis, guest: Guest): Promise<Server> {
  const state = await unitState(guest, cluster);
  return { state, ...(isDown(state) ? { why: "" } : await viewOf(guest, cluster.authority)) };
}

/** What the server says, once the cluster has agreed on what became of members that are gone; or what it says after a while. Steadily: while it tries to reach one that is gone, it has a link for a moment. */
async function settled(cluster: Redis, guest: Guest): Promise<Server> {
  let last: Server = { state: "", why: "" };
  await eventually("the server to be in an agreed cluster, or down", { seconds: settleSeconds, steady: 3, say: guest.say }, async () => {
    last = await serverOf(cluster, guest);
    const { state, said, why } = last;
    if (isDown(state)) return true;
    if (!said) return isEstranged(why) || `it is ${state}: ${why}`;
    if (said.info.loading === "1") return "it loads its data";
    // Who is in no cluster, or in one whose slots were not all given out yet, waits for nobody.
    if (said.nodes.length < 2 || said.cluster.cluster_slots_assigned !== String(slotCount)) return true;
    const named = (nodes: Node[]) => nodes.map(({ address, id }) => address ?? id).join(", ");
    const [doubtful, leaderless] = [said.nodes.filter(isInDoubt), toBeSucceeded(said.nodes)];
    if (doubtful.length > 0) return `it waits for ${named(doubtful)}`;
    return leaderless.length > 0 ? `it waits for who takes over from ${named(leaderless)}` : said.cluster.cluster_state === "ok" ? true : `the cluster is ${said.cluster.cluster_state}`;
  }).catch((error) => {
    if (!(error instanceof TimedOut)) throw error;
  });
  return last;
}

/** How much of its machine's memory a server without a limit may take: the rest is for what changes while it writes its data anew. */
const unlimited = 0.75;

/** What a server said, in our words. */
export function viewIn({ id, nodes, cluster, info }: Said, members: Pick<Member, "name" | "address">[]): Omit<View, "current"> {
  const self = nodes.find(isSelf)!;
  // Also whom nobody finds any more: it is still counted, until all forget it.
  const known = nodes.filter((node) => !isMet(node));
  const memberAt = (address?: string) => {
    const peer = members.find((member) => member.address === address)?.name;
    return peer === undefined ? {} : { peer };
  };
  const bytes = (what: string) => Number(info[what] ?? 0);
  return {
    id,
    role: self.of === undefined ? "primary" : "replica",
    ...(self.of === undefined ? {} : { of: self.of }),
    linked: info.master_link_status === "up" && info.master_sync_in_progress !== "1",
    slots: self.of === undefined ? self.slots : "",
    // A replica has on Valkey its primary's, and may keep them for ever: nothing comes of it.
    open: self.of !== undefined ? [] : self.open.map(({ slot, peer, way }) => ({ slot, way, ...memberAt(nodes.find((node) => node.id === peer)?.address) })),
    ok: cluster.cluster_state === "ok",
    knows: known.map((node) => node.id).sort(),
    failed: known.filter(hasFailed).map((node) => node.id).sort(),
    offset: bytes(info.role === "master" ? "master_repl_offset" : "slave_repl_offset"),
    memory: { keys: bytes("used_memory_dataset"), used: bytes("used_memory"), most: bytes("maxmemory") || Math.floor(bytes("total_system_memory") * unlimited) },
  };
}

/** A set of packages that a cut left half or that an image has brought, another version, other options: each is seen, so each is mended. */
async function softwareOf(guest: Guest, { want, authority, passwords }: Redis, member: Member): Promise<Omit<Prepared, "mounted" | "hasHadData" | "left"> & { current: boolean; running: string }> {
  const { server } = vendorOf(want.options);
  const missing = await missingPackages(guest, packages(want.options));
  const answer = await guest.look(`echo "version=$(${installedVersion(server)} || true)"
[ ! -e ${guard} ] || echo guarded=yes
echo "unheld=$(${unheld(families)} | head -n 1)"
echo "options=$(grep -v '^user default ' ${optionsFile} 2>/dev/null | sha256sum | cut -d ' ' -f 1)"
echo "client=$(grep '^user default ' ${optionsFile} 2>/dev/null | sha256sum | cut -d ' ' -f 1)"
echo "bundle=$(base64 -w 0 ${folder}/ca.pem 2>/dev/null)"
echo "record=$(sed -n 's/^# authority //p' ${optionsFile} 2>/dev/null)"
echo ---; cat ${runningFile} 2>/dev/null || true`);
  const [head = "", running = ""] = answer.split("---\n");
  const { version = "", options, client, guarded, unheld: loose = "", bundle = "", record } = assignments(head);
  return {
    installed: missing.length === 0 && isVersion(want.options, version) && guarded === "yes",
    ...(version !== "" && { version: majorOf(version) }),
    ...(loose !== "" && { unheld: true as const }),
    configured: options === sha256(withoutClient(optionsText(want, member, passwords, authority))),
    ...(client !== sha256("") && { secured: client === sha256(clientLine(passwords)) }),
    current: isCurrent(want.options, running),
    running,
    ...certified(want.authorities ?? only, authority, { bundle: Buffer.from(bundle, "base64").toString(), record }),
  };
}
