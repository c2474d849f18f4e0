import { only } from "../../authorities";
import { certified } from "../../bundle";
import { TimedOut } from "../../errors";
import { eventually } from "../../guest/eventually";
import { guard, take, transferred } from "../../guest/guard";
import type { Guest } from "../../guest/guest";
import { installedVersion, majorOf, missingPackages, unheld } from "../../guest/packages";
import { assignments, sh } from "../../guest/shell";
import { isReady, lookAtVolume, lookOnceAttached } from "../../guest/volume";
import type { Member } from "../../topology";
import type { Cluster } from "../datastore";
import { certificates, dataDirectory, droppedFile, families, formerTablesFile, isVersion, optionsFile, optionsText, packages, positionFile, sha256, runningFile, tablesFile, transferFile, unsecured } from "./configuration";
import type { Options } from "./options";
import { differing, fixedOf } from "./settings";
import { isKnown, tellsPosition, type Data, type Prepared, type Sight } from "./sight";
import { ask, isDown, isSecured, receives, unitState, type Wsrep } from "./sql";

/** What Galera's own files and InnoDB's tell of the data below the volume's root. */
const lookAtData = `
data=$root/${dataDirectory}
[ ! -e "$data/ibdata1" ] || echo tablespace=yes
echo "tables=$(cat "$data/${tablesFile}" 2>/dev/null || cat "$data/${formerTablesFile}" 2>/dev/null || true)"
[ ! -e "$data/${unsecured}" ] || echo fresh=yes
[ ! -e "$data/sst_in_progress" ] && [ ! -e "$data/.sst" ] || echo transfer=yes
${transferred(`$root/${transferFile}`, "$root")} || echo cut=yes
[ ! -s "$data/grastate.dat" ] || sed -n 's/^\\(uuid\\|seqno\\|safe_to_bootstrap\\): */\\1=/p' "$data/grastate.dat"`;

/** Seconds for members to find each other again after all of them lost power, before anything else is thought of. */
export const reformSeconds = 60;
/** Seconds for InnoDB to replay its log, at the end of which it can tell its position. */
const positionSeconds = 900;

/** Looks at one member: its packages, its volume and data, its server. Changes nothing. */
export async function observe(cluster: Cluster<Options>, member: Member): Promise<Sight> {
  const guest = await cluster.guest(member.name);
  const { state, view, why } = await (cluster.glance ? serverOf(guest) : settled(guest));
  const [volume, files] = await (cluster.glance ? lookAtVolume : lookOnceAttached)(guest, cluster.want.owner, member, lookAtData);
  if (volume.disk === "absent") return { is: "unreachable", why: `its volume ${member.volume} is not attached` };
  if (volume.disk === "foreign" && isDown(state)) return { is: "foreign", why: volume.why ?? "unknown" };
  if (volume.disk === "foreign") throw new Error(`MariaDB is ${state}, and its volume is not ours: ${volume.why}`);
  const { hasHadData, left, chosenOver, held, writtenBy } = volume;
  // A cut between mounting and marking is mended by mounting again: what an unmarked volume holds is nobody's.
  const mounted = isReady(volume, cluster.want.volumeSize);
  const { running, ...installed } = await software(guest, cluster, member);
  const tables = majorOf(assignments(files).tables ?? "");
  const prepared = { ...installed, mounted, hasHadData, left, ...(chosenOver && { chosenOver }), ...(held && { held }), ...(writtenBy && { writtenBy }), ...(tables && { tables }) };
  if (isDown(state)) return { is: "down", data: await positioned(guest, dataOf(assignments(files), hasHadData), prepared, cluster.glance), ...prepared };
  // One that has no connection left for us is not starting: it may well run in the cluster.
  const wanted = optionsText(cluster.want, member, cluster.authority);
  if (!view && !["activating", "deactivating"].includes(state)) {
    const configured = prepared.configured && differing(running ?? wanted, wanted).length === 0;
    return { is: "silent", why: `MariaDB is ${state} and does not answer root on its socket: ${why}`, ...prepared, configured };
  }
  if (!view) return { is: "starting", ...prepared };
  return {
    is: "up",
    primary: view.cluster_status === "Primary",
    state: view.local_state_comment,
    size: Number(view.cluster_size),
    uuid: view.cluster_state_uuid,
    secured: assignments(files).fresh === undefined && (await isSecured(guest, cluster.passwords)),
    committed: Number(view.last_committed),
    written: Number(view.replicated_bytes),
    ...prepared,
    ...(await upToDate(guest, running ?? wanted, wanted, prepared)),
  };
}

/** Whether a server that runs waits for a restart, or was not given yet what it would take without one. */
async function upToDate(guest: Guest, running: string, wanted: string, { configured }: Prepared): Promise<{ current: boolean; configured: boolean }> {
  const others = differing(running, wanted);
  const current = (await fixedOf(guest, others)).length === 0;
  return { current, configured: configured && (!current || others.length === 0) };
}

interface Server {
  state: string;
  view?: Wsrep;
  /** Why there is no view. */
  why: string;
}

/** What the server says at this moment. */
async function serverOf(guest: Guest): Promise<Server> {
  const state = await unitState(guest);
  return { state, ...(isDown(state) ? { why: "" } : await ask(guest)) };
}

/** What the server says. One that is just starting, does not answer, or runs outside the cluster gets time to find the others. */
async function settled(guest: Guest): Promise<Server> {
  let last: Server = { state: "", why: "" };
  await eventually("MariaDB to be in the cluster, or down", { seconds: reformSeconds, say: guest.say }, async () => {
    last = await serverOf(guest);
    const { state, view, why } = last;
    if (isDown(state) || view?.cluster_status === "Primary") return true;
    if (view) return `it is up, and ${view.cluster_status}`;
    return (await receives(guest)) ? true : `it is ${state}: ${why}`;
  }).catch((error) => {
    if (!(error instanceof TimedOut)) throw error;
  });
  return last;
}

/**
 * Data that were not closed do not tell their position; MariaDB can. It replays InnoDB's log for that, as any start
 * would, in a unit that a lost connection does not cut. What it said holds until the server starts, which removes it.
 * A glance lets it replay nothing.
 */
async function positioned(guest: Guest, data: Data, { installed, mounted }: Prepared, glance = false): Promise<Data> {
  if (!tellsPosition(data) || data.seqno >= 0 || !installed || !mounted) return data;
  if (!glance) await letTell(guest);
  const [, uuid, seqno] = recovered.exec(await guest.look(sh`cat ${positionFile} 2>/dev/null || true`)) ?? [];
  if (uuid !== undefined && isKnown(uuid) && (uuid === data.uuid || !isKnown(data.uuid))) return { ...data, uuid, seqno: Number(seqno) };
  return glance ? { ...data, asked: false } : data;
}

/** Waits until MariaDB has said in the position file what it holds. The file stays empty where it cannot open that. */
export async function letTell(guest: Guest): Promise<void> {
  const [unit, answer] = ["datastores-position", positionFile];
  const recover = `[ ! -e ${take} ] || ${take} >&2 || exit; mariadbd --user=mysql --wsrep-recover --disable-log-error >${answer}.log 2>&1; cat ${answer}.log >&2; grep 'Recovered position' ${answer}.log >${answer}.new; mv ${answer}.new ${answer}`;
  await guest.look(sh`[ -e ${optionsFile} ] || exit 0; mkdir -p /run/datastores
[ ! -s ${answer} ] || exit 0
systemctl is-active --quiet ${unit} || systemd-run --quiet --collect --no-block --unit=${unit} --service-type=oneshot /bin/bash -c ${recover}`);
  await eventually("MariaDB to tell its position", { seconds: positionSeconds, say: guest.say }, async () =>
    ["active", "activating"].includes((await guest.look(sh`systemctl is-active ${unit} || true`)).trim()) ? "it replays its log" : true);
}

const unknown = "00000000-0000-0000-0000-000000000000";

/** In `WSREP: Recovered position: 5a3a…-8b:42,0-1-7` a GTID may stand before or after. */
const recovered = /Recovered position:.*?\b([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}):(-?\d+)/;

/** A set of packages that a cut left half or that an image has brought, another version, another authority's certificates: each is seen, so each is mended. */
async function software(guest: Guest, { want, authority }: Cluster<Options>, member: Member): Promise<Omit<Prepared, "mounted" | "hasHadData" | "left"> & { running?: string }> {
  const missing = await missingPackages(guest, packages);
  const answer = await guest.look(
    `echo "version=$(${installedVersion("mariadb-server")} || true)"
[ ! -e ${guard} ] || echo guarded=yes
echo "unheld=$(${unheld(families)} | head -n 1)"
echo "options=$(sha256sum ${optionsFile} 2>/dev/null | cut -d ' ' -f 1)"
echo "bundle=$(base64 -w 0 ${certificates}/ca.pem 2>/dev/null)"
echo "record=$(sed -n 's/^# Certificates of the authority //p' ${optionsFile} 2>/dev/null)"
echo "dropped=$(tr '\\n' ' ' 2>/dev/null <${droppedFile})"
[ ! -e ${runningFile} ] || { echo ---; cat ${runningFile}; }`);
  const [head = "", running] = answer.split(/^---\n([^]*)/m);
  const { version = "", options, guarded, unheld: loose = "", bundle = "", record, dropped } = assignments(head);
  return {
    installed: missing.length === 0 && isVersion(want.options, version) && guarded === "yes",
    ...(version !== "" && { version: majorOf(version) }),
    ...(loose !== "" && { unheld: true as const }),
    configured: options === sha256(optionsText(want, member, authority)),
    ...(running !== undefined && { running }),
    ...certified(want.authorities ?? only, authority, { bundle: Buffer.from(bundle, "base64").toString(), record, dropped }),
  };
}

function dataOf(file: Record<string, string | undefined>, hasHadData: boolean): Data {
  if (!file.tablespace && !file.transfer) return { is: "none" };
  const { uuid = "" } = file;
  // Made for a cluster whose bootstrap was cut or failed: nobody has written to it.
  if (file.fresh && !file.transfer && !isKnown(uuid) && !hasHadData) return { is: "none" };
  return {
    is: file.transfer || file.cut ? "partial" : isKnown(uuid) ? "whole" : "torn",
    // A state transfer that is under way has taken the place of the history that was there.
    uuid: file.transfer ? unknown : uuid || unknown,
    seqno: Number(file.seqno ?? -1),
    safeToBootstrap: file.safe_to_bootstrap === "1",
  };
}
