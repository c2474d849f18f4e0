import type { Guest } from "./guest";
import { installedMajor } from "./packages";
import { sh } from "./shell";
import { isMarkedHeld, marker, mountPoint, writtenBy } from "./volume";

/** Written before a member's first package, and after all that the unit needs beside it. */
export const guard = "/usr/local/lib/datastores/may-start";
/** Puts on the disk what the volume holds, and says so in a stamp. */
export const settle = "/usr/local/lib/datastores/settle";

/** Makes the data the service's own user's, and writes down who opens them. Each start begins with it, and whatever else has the server open them. */
export const take = "/usr/local/lib/datastores/take";
/** A shell command: has the volume say who opened its data, where nothing is written down of that. Who is installed now may never have opened what another wrote. */
export const signed = sh`! mountpoint -q ${mountPoint} || [ -s ${mountPoint}/${writtenBy} ] || ${take}`;
/** Lies beside the marker, and says which state transfer was the last that is whole on the disk. */
const stamp = ".transferred";
const identity = (transfer: string) => `stat -c %i:%.9W "${transfer}" 2>/dev/null`;

/** A shell condition: no state transfer was cut off from power before all of it was on the disk. `transfer` is a file that each one makes anew. */
export const transferred = (transfer: string, root: string): string => `[ "$(${identity(transfer)})" = "$(cat "${root}/${stamp}" 2>/dev/null)" ]`;

/**
 * Lets a member start, until its guest boots, that was not verified yet or does not hold the whole of its last state
 * transfer. Alone it does not: a state transfer that nobody asked for may take the donor that clients write to.
 */
export const letStart = sh`mkdir -p /run/datastores; touch /run/datastores/let-start`;

/** What a datastore's unit needs to start, and is to do then. */
export interface Start {
  /** The server's package, and the user that it runs as. */
  server: string;
  user: string;
  /** A file without which it is not configured. */
  configured: string;
  /** Below the volume: it lies there once the member has had data. */
  data: string;
  /** A command that each start begins with, as root. */
  first: string;
  /** Lines for the unit's `[Service]`. */
  service?: string[];
  /** Where others' data come by state transfers: a file below the volume that each makes anew, and a shell condition under which a start gets one by itself. */
  transfers?: { file: string; anew: string };
}

/**
 * Lets the datastore's unit start only on its marked volume: a guest that boots without its disk, or with
 * an emptied one, stays down and says why in the unit's journal. A start that fails is tried again, five times in all:
 * after a power cut members find each other only once all of them are back. A start ends once all that a state transfer brought is on the disk, and says so in a stamp: state transfers do not see to
 * that, and a power cut right after one leaves empty files among whole ones. A full disk has no room for the stamp: that ends no server. A stop ends too, also of a server that hangs.
 * Data that a later version has opened are opened by no older one. On another image the service's user may have another number: then the data become its own, their root last, so that a cut is seen.
 */
export async function guardUnit(guest: Guest, service: string, { server, user, configured, data, first, service: more = [], transfers }: Start): Promise<void> {
  await guest.run(sh`mkdir -p ${guard.replace(/\/[^/]+$/, "")} ${`/etc/systemd/system/${service}.d`}`);
  const mayStart = `#!/bin/sh
# Exit code 1 is systemd's word for "not now": the unit is skipped, not failed.
refuse() { echo "not started: $1"; exit 1; }
[ -e ${configured} ] || refuse "not configured yet"
[ -s ${mountPoint}/${marker} ] || refuse "${mountPoint} is not the data volume: it has no ${marker}"
! grep -Eq '"left"[[:space:]]*:[[:space:]]*true' ${mountPoint}/${marker} || refuse "this member left the cluster"
! ${isMarkedHeld} || refuse "its cluster was stopped: the pulumi up that starts it again does"
grep -Eq '"hasHadData"[[:space:]]*:[[:space:]]*true' ${mountPoint}/${marker} || [ -e /run/datastores/let-start ] || refuse "this member was not verified yet: the next pulumi up starts it"
${transfers ? `${transferred(`${mountPoint}/${transfers.file}`, mountPoint)} || ${transfers.anew} || [ -e /run/datastores/let-start ] || refuse "its last state transfer was not whole on the disk when it lost power: the next pulumi up starts it"
` : ""}version=$(${installedMajor(server)})
written=$(cat ${mountPoint}/${writtenBy} 2>/dev/null)
[ -z "$written" ] || dpkg --compare-versions "$version" ge "$written" || refuse "its data were opened by version $written, which $version may not read: version and image say which it is to be"
if grep -Eq '"hasHadData"[[:space:]]*:[[:space:]]*true' ${mountPoint}/${marker} && [ -z "$(ls -A ${mountPoint}/${data} 2>/dev/null)" ]; then
  refuse "the data volume once held data and is empty now"
fi
`;
  const path = `${mountPoint}/${data.split("/")[0]!}`;
  await guest.write(take, `#!/bin/sh
set -e
[ ! -e ${path} ] || [ "$(stat -c %U:%G ${path})" = ${user}:${user} ] || find ${path} -xdev -depth ! '(' -user ${user} -group ${user} ')' -exec chown -h ${user}:${user} {} +
version=$(${installedMajor(server)})
[ "$(cat ${mountPoint}/${writtenBy} 2>/dev/null)" != "$version" ] || exit 0
echo "$version" >${mountPoint}/${writtenBy}.new
chmod 644 ${mountPoint}/${writtenBy}.new
sync ${mountPoint}/${writtenBy}.new
mv ${mountPoint}/${writtenBy}.new ${mountPoint}/${writtenBy}
sync -f ${mountPoint}
`, { mode: "0755" });
  if (transfers) await guest.write(settle, `#!/bin/sh
set -e
cd ${mountPoint}
sync -f .
! ${transferred(transfers.file, ".")} || exit 0
identity=$(${identity(transfers.file)} || true)
echo "$identity" >${stamp}.new
chmod 644 ${stamp}.new
sync ${stamp}.new
mv ${stamp}.new ${stamp}
sync -f .
`, { mode: "0755" });
  // The plus: a unit that may execute nothing but its server has this all the same.
  const lines = [`ExecCondition=+${guard}`, `ExecStartPre=+${take}`, `ExecStartPre=+${first}`, ...(transfers ? [`ExecStartPost=-+${settle}`] : []), ...more,
    "SendSIGKILL=yes", "Restart=on-failure", "RestartSec=5", "TimeoutStartSec=infinity", "TimeoutStopSec=900"];
  await guest.write(`/etc/systemd/system/${service}.d/datastore.conf`,
    `[Unit]\nRequiresMountsFor=${mountPoint}\nStartLimitIntervalSec=900\nStartLimitBurst=5\n\n[Service]\n${lines.join("\n")}\n`);
  await guest.run("systemctl daemon-reload");
  // The last: where it is missing the unit starts nothing, and where it is, all of this is there.
  await guest.write(guard, mayStart, { mode: "0755" });
}
