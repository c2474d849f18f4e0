import { existsSync, readFileSync, statfsSync } from "node:fs";
import { release } from "node:os";
import { dirname } from "node:path";
import execa from "execa";
import { cacheFolder } from "../tools/cache";
import { debianPackages } from "../tools/debian";
import type { Progress } from "../tools/progress";

const gibibyte = 2 ** 30;
const memory = 6 * gibibyte;
const disk = 8 * gibibyte;
const inGibibytes = (bytes: number) => `${(bytes / gibibyte).toFixed(1)} GiB`;

/** What every command needs. */
export function requireLinuxAndRoot(): void {
  if (process.platform !== "linux")
    throw new Error(`The devcloud needs Linux, and this is ${process.platform}: run it in a Debian 12 virtual machine.`);
  if (process.getuid?.() !== 0) throw new Error("The devcloud makes namespaces, mounts and loop devices: run it as root.");
}

/** What starting one needs, said in one line before anything is made. One that runs has it already. */
export async function requireRoom(folder: string, progress: Progress): Promise<void> {
  const available = Number(/MemAvailable:\s+(\d+)/.exec(readFileSync("/proc/meminfo", "utf8"))?.[1]) * 1024;
  if (available < memory)
    throw new Error(`The devcloud needs ${inGibibytes(memory)} of memory and ${inGibibytes(available)} are free: end something, or take a bigger machine.`);
  for (const [place, remedy] of [[dirname(folder), ""], [cacheFolder(), ", or set DATASTORES_CACHE to a folder on a bigger disk"]] as const) {
    const { bavail, bsize } = statfsSync(place);
    if (bavail * bsize < disk)
      throw new Error(`The devcloud needs ${inGibibytes(disk)} of disk and ${place} has ${inGibibytes(bavail * bsize)}: free some${remedy}.`);
  }
  await debianPackages(["iproute2", "mount", "util-linux"], progress);
  // Kernels with modules load most of what is used by themselves, but not this one.
  if (existsSync("/proc/modules")) await execa("modprobe", ["br_netfilter"], { reject: false });
}

/** What the kernel must be able to do, each with a try that is forgotten when its namespaces end. */
const abilities: Record<string, string> = {
  "overlay file systems": "mount -t tmpfs tmpfs /mnt && cd /mnt && mkdir lower upper work merged && mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay merged",
  "loop devices": "losetup --find",
  "time namespaces": "unshare --time true",
  "bridges": "ip link add bridge0 type bridge",
  "pairs of links (veth)": "ip link add one type veth peer name two",
  "control groups for memory, processors and freezing": "cd /sys/fs/cgroup && { [ -e cgroup.controllers ] || [ -e memory -a -e cpu -a -e freezer ]; }",
};

/** What it must be able to do for programs that only the control plane's tree is sure to have. */
const abilitiesOf = (tree: string): Record<string, string> => ({
  "iptables": `chroot '${tree}' iptables --table nat --list`,
  "ebtables": `chroot '${tree}' ebtables --list`,
  "ipset": `chroot '${tree}' ipset create devcloud hash:net`,
});

/** Throws, with all that is missing, where the kernel cannot do what a devcloud does; without a tree it tries what needs none. */
export async function requireKernel(tree?: string): Promise<void> {
  const missing = await lacking(tree === undefined ? abilities : abilitiesOf(tree));
  if (missing.length > 0)
    throw new Error(`The devcloud needs a kernel with ${missing.join(", ")}: this one (${release()}) has been built without, or forbids it in here.`);
}

/** Those of the abilities whose try fails. */
export async function lacking(tried: Record<string, string>): Promise<string[]> {
  const script = Object.entries(tried).map(([what, attempt]) => `(${attempt}) >&2 || echo '${what}'`).join("\n");
  const namespaces = ["--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "--kill-child"];
  const { failed, stdout } = await execa("unshare", [...namespaces, "bash", "--norc", "-c", `${script}\n:`], { reject: false });
  return failed ? ["namespaces"] : stdout.split("\n").filter(Boolean);
}
