import { createHash } from "node:crypto";
import { eventually } from "../../guest/eventually";
import type { Guest } from "../../guest/guest";
import { installedVersion } from "../../guest/packages";
import { assignments } from "../../guest/shell";
import { attached, lookAtVolume } from "../../guest/volume";
import type { Member } from "../../topology";
import type { Cluster } from "../datastore";
import { dataDirectory, neverStarted, optionsFile, optionsText } from "./configuration";
import type { Options } from "./options";
import type { Data, Prepared, Sight } from "./plan";
import { isSecured, wsrep } from "./sql";

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
  const prepared = { ...(await software(guest, optionsText(cluster.want, member))), mounted: volume.mounted, hasHadData: volume.hasHadData };
  if (!running) return { is: "down", data: dataOf(assignments(files)), ...prepared };
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
  const state = async () => (await guest.look("systemctl is-active mariadb || true")).trim();
  await eventually("MariaDB to be up or down", { seconds: 20, say: guest.say }, async () =>
    (await state()) === "activating" && !(await wsrep(guest)) ? "activating" : true).catch(() => undefined);
  return !["inactive", "failed", "unknown"].includes(await state());
}

async function software(guest: Guest, options: string): Promise<Pick<Prepared, "installed" | "configured">> {
  const { version, sum } = assignments(await guest.look(
    `echo "version=$(${installedVersion("mariadb-server")} || true)"
echo "sum=$(sha256sum ${optionsFile} 2>/dev/null | cut -d ' ' -f 1)"`));
  return { installed: Boolean(version), configured: sum === createHash("sha256").update(options).digest("hex") };
}

function dataOf(file: Record<string, string | undefined>): Data {
  if (!file.tablespace && !file.transfer) return { is: "none" };
  const known = file.uuid !== undefined && !/^[0-]+$/.test(file.uuid);
  // Made for a cluster whose bootstrap was cut or failed: nobody has written to it.
  if (file.fresh && !file.transfer && !known) return { is: "none" };
  return {
    // A tablespace without a history is an aborted transfer, however whole it looks.
    is: file.transfer || !known ? "partial" : "whole",
    uuid: file.uuid ?? "unknown",
    seqno: Number(file.seqno ?? -1),
    safeToBootstrap: file.safe_to_bootstrap === "1",
  };
}
