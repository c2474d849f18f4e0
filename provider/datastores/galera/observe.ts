import { createHash } from "node:crypto";
import { eventually } from "../../guest/eventually";
import type { Guest } from "../../guest/guest";
import { installedVersion, missingPackages } from "../../guest/packages";
import { assignments } from "../../guest/shell";
import { attached, lookAtVolume } from "../../guest/volume";
import type { Member } from "../../topology";
import type { Cluster } from "../datastore";
import { certificates, dataDirectory, isVersion, neverStarted, optionsFile, optionsText, packages } from "./configuration";
import type { Options } from "./options";
import type { Data, Prepared, Sight } from "./plan";
import { isSecured, isStarting, wsrep } from "./sql";

/** What Galera's own files and InnoDB's tell of the data below the volume's root. */
const lookAtData = `
data=$root/${dataDirectory}
[ ! -e "$data/ibdata1" ] || echo tablespace=yes
[ ! -e "$data/${neverStarted}" ] || echo fresh=yes
[ ! -e "$data/sst_in_progress" ] && [ ! -e "$data/.sst" ] || echo transfer=yes
[ ! -s "$data/grastate.dat" ] || sed -n 's/^\\(uuid\\|seqno\\|safe_to_bootstrap\\): */\\1=/p' "$data/grastate.dat"`;

/** Looks at one member: its packages, its volume and data, its server. Changes nothing. */
export async function observe(cluster: Cluster<Options>, member: Member): Promise<Sight> {
  const guest = await cluster.guest(member.name);
  const running = await settled(guest);
  await attached(guest, cluster.want.owner, member).catch(() => undefined);
  const [volume, files] = await lookAtVolume(guest, cluster.want.owner, member, lookAtData);
  if (volume.disk === "absent") return { is: "unreachable", why: `its volume ${member.volume} is not attached` };
  if (volume.disk === "foreign") return { is: "foreign", why: volume.why ?? "unknown" };
  const prepared = { ...(await software(guest, cluster, member)), mounted: volume.mounted, hasHadData: volume.hasHadData };
  if (!running) return { is: "down", data: dataOf(assignments(files), prepared.hasHadData), ...prepared };
  const view = await wsrep(guest);
  if (!view) return { is: "starting", ...prepared };
  return {
    is: "up",
    primary: view.cluster_status === "Primary",
    state: view.local_state_comment,
    size: Number(view.cluster_size),
    uuid: view.cluster_state_uuid,
    secured: await isSecured(guest, cluster.rootPassword),
    ...prepared,
  };
}

/** Whether MariaDB runs. One that is just starting gets 20 s to say what it will be. */
async function settled(guest: Guest): Promise<boolean> {
  await eventually("MariaDB to be up or down", { seconds: 20, say: guest.say }, async () =>
    (await isStarting(guest)) ? "it is starting" : true).catch(() => undefined);
  return !["inactive", "failed", "unknown"].includes((await guest.look("systemctl is-active mariadb || true")).trim());
}

/** A set of packages that a cut left half, another version, another authority's certificates: each is seen, so each is mended. */
async function software(guest: Guest, { want, authority }: Cluster<Options>, member: Member): Promise<Pick<Prepared, "installed" | "configured">> {
  const missing = await missingPackages(guest, packages);
  const { version = "", options, authorities } = assignments(await guest.look(
    `echo "version=$(${installedVersion("mariadb-server")} || true)"
echo "options=$(sha256sum ${optionsFile} 2>/dev/null | cut -d ' ' -f 1)"
echo "authorities=$(sha256sum ${certificates}/ca.pem 2>/dev/null | cut -d ' ' -f 1)"`));
  return {
    installed: missing.length === 0 && isVersion(want.options, version),
    configured: options === sha256(optionsText(want, member)) && authorities === sha256(authority.certificate),
  };
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

function dataOf(file: Record<string, string | undefined>, hasHadData: boolean): Data {
  if (!file.tablespace && !file.transfer) return { is: "none" };
  const known = file.uuid !== undefined && !/^[0-]+$/.test(file.uuid);
  // Made for a cluster whose bootstrap was cut or failed: nobody has written to it.
  if (file.fresh && !file.transfer && !known && !hasHadData) return { is: "none" };
  return {
    // A tablespace without a history is an aborted transfer, however whole it looks.
    is: file.transfer || !known ? "partial" : "whole",
    uuid: file.uuid ?? "unknown",
    seqno: Number(file.seqno ?? -1),
    safeToBootstrap: file.safe_to_bootstrap === "1",
  };
}
