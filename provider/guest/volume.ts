import { createHash } from "node:crypto";
import { reason, Refused, TimedOut } from "../errors";
import type { Member, Owner } from "../topology";
import { eventually } from "./eventually";
import type { Guest } from "./guest";
import { assignments, sh } from "./shell";

/** Where a member's data volume is mounted. The datastore's own directory lies below it, beside the marker. */
export const mountPoint = "/var/lib/datastore";
export const marker = ".datastore.json";
/** Lies beside the marker, and says which major version opened the data last. */
export const writtenBy = ".written-by";
const unit = "var-lib-datastore.mount";
/** A shell condition, which the guard asks too. */
export const isMarkedHeld = `grep -Eq '"held"[[:space:]]*:[[:space:]]*true' ${mountPoint}/${marker}`;

/** Where Nova and udev show a Cinder volume; kernel names such as vdb may change at each boot. */
export const device = (volume: string) => `/dev/disk/by-id/virtio-${volume.slice(0, 20)}`;

/**
 * The file system's UUID follows from who owns it. So one that a cut left between formatting and marking
 * is known as ours, and any other file system without a marker is somebody else's.
 */
function uuidFor(owner: Owner, member: Member): string {
  const hex = createHash("sha256").update(JSON.stringify([owner.project, owner.stack, owner.cluster, member.name, member.volume])).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** What a volume's marker says of its member. */
export interface Mark {
  /** The volume once held the member's whole data: from then on an empty one keeps the datastore from starting. */
  hasHadData: boolean;
  /** The member left the cluster by our word, and does not start before it joins again. */
  left: boolean;
  /** What other members held, when a person decided that the cluster goes on from here without it. */
  chosenOver?: Record<string, string>;
  /** The cluster was stopped by our word: no boot starts the member before a run does. */
  held?: true;
}

export interface VolumeSight extends Mark {
  /** `new`: no signature, or formatted by us and not yet marked. `ours`: its marker names this member. */
  disk: "absent" | "new" | "ours" | "foreign";
  /** Why it is foreign. */
  why?: string;
  /** Of its file system. */
  uuid?: string;
  mounted: boolean;
  /** The major version that its data were opened by last: an older one may not read them. */
  writtenBy?: string;
  /** Bytes of a mounted one: as its guest sees it, and of its file system. */
  bytes?: { device: number; fileSystem: number };
}

/**
 * Looks at the volume and, with its root as `$root`, runs `below` there, also when it is not mounted yet:
 * then read-only, in a mount namespace that ends with the look. What `below` prints is the second answer.
 */
export async function lookAtVolume(guest: Guest, owner: Owner, member: Member, below: string): Promise<[VolumeSight, string]> {
  const answer = await guest.look(`${sh`device=${device(member.volume)}; root=${mountPoint}; marker=${marker}; ours=${uuidFor(owner, member)}`}
look() {
  # A cut may leave a marker half written, under its other name.
  echo "files=$(ls -A "$root" | grep -cv "^$marker[.]" || true)"
  [ ! -s "$root/$marker" ] || echo "marker=$(tr -d '\\n' <"$root/$marker")"
  [ ! -s "$root/${writtenBy}" ] || echo "writtenBy=$(cat "$root/${writtenBy}")"
  echo ---
  ${below}
}
mounted=no
[ -e "$device" ] || { echo disk=absent; exit; }
if mountpoint -q "$root"; then
  mounted=yes
  [ "$(stat -L -c %Hr:%Lr "$device")" = "$(mountpoint -d "$root")" ] || { echo disk=other; exit; }
fi
# For a device that cannot be read blkid answers as for one without a signature.
dd if="$device" of=/dev/null bs=4096 count=1 status=none || { echo disk=ambiguous; exit; }
code=0; signature=$(blkid -p -o export "$device") || code=$?
case $code in 0) ;; 2) echo disk=blank; exit;; *) echo disk=ambiguous; exit;; esac
grep -E '^(TYPE|UUID|PTTYPE)=' <<<"$signature" || true
echo "mounted=$mounted"
if [ $mounted = yes ]; then
  echo "device=$(blockdev --getsize64 "$device")"
  echo "blocks=$(xfs_info "$root" 2>/dev/null | sed -n 's/^data .*bsize=\\([0-9]*\\) *blocks=\\([0-9]*\\),.*/\\1*\\2/p')"
  look; exit
fi
peek() {
  root=$(mktemp -d); trap 'umount "$root"; rmdir "$root"' EXIT
  mount -t xfs -o "$options" "$device" "$root"
  look
}
# What lost power is as its log says: of a file system that we made it is replayed, as any mount would. Another's stays as it is.
options=ro,norecovery; ! grep -qx "UUID=$ours" <<<"$signature" || options=ro
export -f look peek; export device marker options
case "$signature" in *TYPE=xfs*) unshare --mount --propagation private /bin/bash -euc peek;; esac`);
  const [head = "", ...rest] = answer.split("---\n");
  return [classify(head, owner, member), rest.join("---\n")];
}

function classify(head: string, owner: Owner, member: Member): VolumeSight {
  const line = assignments(head);
  const [blockSize = 0, blocks = 0] = (line.blocks ?? "").split("*").map(Number);
  const sight = { mounted: line.mounted === "yes", hasHadData: false, left: false, ...(blocks > 0 && { bytes: { device: Number(line.device), fileSystem: blockSize * blocks } }) };
  const foreign = (why: string): VolumeSight => ({ ...sight, disk: "foreign", why });
  if (line.disk === "absent") return { ...sight, disk: "absent" };
  if (line.disk === "blank") return { ...sight, disk: "new" };
  if (line.disk === "other") return foreign(`another file system is mounted at ${mountPoint}`);
  if (line.disk === "ambiguous" || line.PTTYPE || line.TYPE !== "xfs")
    return foreign(`it holds ${line.PTTYPE ? `a ${line.PTTYPE} partition table` : line.TYPE ?? "several signatures"}`);
  if (line.marker === undefined) {
    if (line.UUID !== uuidFor(owner, member)) return foreign("it holds a file system without our marker");
    return line.files === "0" ? { ...sight, disk: "new" }
      : foreign(`we formatted it, but its marker is gone: with ${JSON.stringify({ ...owner, member: member.name, hasHadData: true, left: false })} in ${marker} at its root it is taken as it is`);
  }
  const wrong = (why: string) => foreign(`its marker, ${marker} at its root, ${why}`);
  let mark: Record<string, unknown>;
  try {
    mark = Object(JSON.parse(line.marker)) as Record<string, unknown>;
  } catch (error) {
    return wrong(`is not JSON: ${reason(error)}`);
  }
  const wanted: Record<string, unknown> = { ...owner, member: member.name };
  const unnamed = Object.keys(wanted).filter((key) => typeof mark[key] !== "string");
  if (unnamed.length > 0) return wrong(`does not name its ${unnamed.join(", ")}`);
  if (Object.keys(wanted).some((key) => mark[key] !== wanted[key])) return foreign(`its marker says it is ${mark.member} of ${mark.project}/${mark.stack}/${mark.cluster}`);
  const { hasHadData, left, chosenOver, held } = mark;
  if (typeof hasHadData !== "boolean" || typeof left !== "boolean") return wrong("does not say true or false of hasHadData and of left");
  return { ...sight, disk: "ours", uuid: line.UUID, hasHadData, left, ...(isTable(chosenOver) && { chosenOver }), ...(held === true && { held }), ...(line.writtenBy && { writtenBy: line.writtenBy }) };
}

const isTable = (value: unknown): value is Record<string, string> => typeof value === "object" && value !== null;

/** Of what an encrypted volume holds, some MiB are its header. */
export const usable = 0.95;
/** xfs takes no last piece that is too small for a group of its own. */
const rest = 2 ** 20;

/** Whether a volume is mounted, with a file system as large as it is, and as it was asked to be. */
export const isReady = ({ disk, mounted, bytes }: VolumeSight, wantedGiB = 0): boolean =>
  mounted && disk === "ours" && (bytes === undefined || (bytes.device - bytes.fileSystem < rest && bytes.fileSystem >= wantedGiB * 2 ** 30 * usable));

/** The same, once there is a device: an attachment shows in the guest a moment after the cloud says that it is done. */
export async function lookOnceAttached(guest: Guest, owner: Owner, member: Member, below: string): Promise<[VolumeSight, string]> {
  let look!: [VolumeSight, string];
  await eventually(`${device(member.volume)} to appear`, { seconds: 30, say: guest.say }, async () => {
    look = await lookAtVolume(guest, owner, member, below);
    return look[0].disk === "absent" ? "no such device" : true;
  }).catch((error) => {
    if (!(error instanceof TimedOut)) throw error;
  });
  return look;
}

/** Formats the volume when it is new, mounts it for ever, marks it, and lets its file system grow with it, whatever runs on it. */
export async function mountVolume(guest: Guest, owner: Owner, member: Member, wantedGiB?: number): Promise<void> {
  const path = device(member.volume);
  const [sight] = await lookAtVolume(guest, owner, member, ":");
  if (sight.disk === "foreign")
    throw new Refused("a volume that we did not format is never touched", `the volume ${member.volume} of ${member.name}: ${sight.why}`,
      "mend its marker if that is what is wrong; else empty the volume yourself if its data may go, or give the member another volume");
  // Restored from a backup of another volume, it is ours by its marker and keeps that one's.
  const uuid = sight.uuid ?? uuidFor(owner, member);
  await guest.run(sh`
dd if=${path} of=/dev/null bs=4096 count=1 status=none
code=0; blkid -p ${path} >/dev/null || code=$?
if [ $code = 2 ]; then mkfs.xfs -q -m uuid=${uuid} ${path}; fi
mkdir -p ${mountPoint}
[ "$(stat -c %a ${mountPoint})" = 700 ] || mountpoint -q ${mountPoint} || chmod 700 ${mountPoint}`);
  await guest.write(`/etc/systemd/system/${unit}`,
    `[Unit]\nDescription=Data volume of ${member.name}\n\n[Mount]\nWhat=/dev/disk/by-uuid/${uuid}\nWhere=${mountPoint}\nType=xfs\n\n[Install]\nWantedBy=local-fs.target\n`);
  await guest.run(sh`
systemctl daemon-reload
for i in $(seq 50); do [ -e ${`/dev/disk/by-uuid/${uuid}`} ] && break; sleep 0.2; done
systemctl enable --now ${unit}
chmod 755 ${mountPoint}`);
  // The first look replayed no log: only what the mounted volume shows is the truth.
  const [mounted] = await lookAtVolume(guest, owner, member, ":");
  if (mounted.disk !== sight.disk && !(sight.disk === "new" && mounted.disk === "ours" && !mounted.hasHadData))
    throw new Refused("a plan holds only while a volume is what it was seen to be", `the volume ${member.volume} of ${member.name} is ${mounted.disk} now, and was ${sight.disk}`,
      "run `pulumi up` again: it plans from what it then sees");
  if (mounted.disk === "new") await mark(guest, owner, member, { hasHadData: false, left: false });
  if (!isReady({ ...mounted, disk: "ours" }, wantedGiB)) await growFileSystem(guest, member, wantedGiB ?? 0);
}

/** A server sees that its volume was extended a moment after the cloud says so. */
async function growFileSystem(guest: Guest, member: Member, wantedGiB: number): Promise<void> {
  const path = device(member.volume);
  await eventually(`the volume of ${member.name} to have ${wantedGiB} GiB`, { seconds: 60, say: guest.say }, async () => {
    const bytes = Number(await guest.look(sh`blockdev --getsize64 ${path}`));
    return bytes >= wantedGiB * 2 ** 30 * usable ? true : `${member.name} sees ${(bytes / 2 ** 30).toFixed(1)} GiB; \`openstack volume show ${member.volume}\` tells what it is`;
  });
  await guest.run(sh`xfs_growfs ${mountPoint} >/dev/null`);
}

/** Writes the marker. */
export const mark = (guest: Guest, owner: Owner, member: Member, { hasHadData, left, chosenOver, held }: Mark): Promise<boolean> =>
  guest.write(`${mountPoint}/${marker}`, `${JSON.stringify({ ...owner, member: member.name, hasHadData, left, chosenOver, held })}\n`);

/** From now on no start of the unit counts, at a boot or by hand. Only a mounted volume that is ours is written to. */
export async function hold(guest: Guest, owner: Owner, member: Member): Promise<void> {
  const [sight] = await lookAtVolume(guest, owner, member, ":");
  if (sight.disk !== "ours" || !sight.mounted)
    throw new Refused("only a member whose own volume is mounted is kept stopped", `the volume ${member.volume} of ${member.name} is ${sight.disk}${sight.mounted ? "" : ", and not mounted"}`,
      "run `pulumi up` again: it plans from what it then sees");
  await mark(guest, owner, member, { ...sight, held: true });
}

/** Whether that was so, of a volume that is mounted. */
export const isHeld = async (guest: Guest): Promise<boolean> => (await guest.look(`! ${isMarkedHeld} 2>/dev/null || echo held`)) !== "";

/** Takes it back, where it was so: the member may start. */
export async function release(guest: Guest, owner: Owner, member: Member): Promise<void> {
  const [{ held, ...sight }] = await lookAtVolume(guest, owner, member, ":");
  if (held) await mark(guest, owner, member, sight);
}

/** Bytes of the data volume, those in use and all; undefined while it is not mounted. */
export async function usage(guest: Guest): Promise<{ used: number; size: number } | undefined> {
  const [used, size] = (await guest.look(sh`! mountpoint -q ${mountPoint} || df --block-size=1 --output=used,size ${mountPoint} | tail -n 1`)).trim().split(/\s+/).map(Number);
  return size === undefined ? undefined : { used: used!, size };
}
