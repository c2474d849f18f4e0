import { existsSync, readFileSync, statfsSync } from "node:fs";
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
