import { existsSync, readFileSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import execa from "execa";
import { cacheFolder } from "../tools/cache";
import { debianPackages } from "../tools/debian";
import type { Progress } from "../tools/progress";

const gibibyte = 2 ** 30;
const memory = 6;
const disk = 8;

/** Says in one line what this machine lacks, before anything is made. */
export async function requirements(folder: string, progress: Progress): Promise<void> {
  if (process.platform !== "linux") throw new Error(`The devcloud needs Linux, and this is ${process.platform}: run it in a Debian 12 virtual machine.`);
  if (process.getuid?.() !== 0) throw new Error("The devcloud makes namespaces, mounts and loop devices: run it as root.");
  const available = Number(/MemAvailable:\s+(\d+)/.exec(readFileSync("/proc/meminfo", "utf8"))?.[1]) * 1024;
  if (available < memory * gibibyte)
    throw new Error(`The devcloud needs ${memory} GiB of memory and ${(available / gibibyte).toFixed(1)} GiB are free: end something, or take a bigger machine.`);
  for (const place of [dirname(folder), cacheFolder()]) {
    const { bavail, bsize } = statfsSync(place);
    if (bavail * bsize < disk * gibibyte)
      throw new Error(`The devcloud needs ${disk} GiB of disk and ${place} has ${((bavail * bsize) / gibibyte).toFixed(1)} GiB: free some, or set DATASTORES_CACHE to a folder on a bigger disk.`);
  }
  await debianPackages(["iproute2", "util-linux"], progress);
  // Kernels with modules load most by themselves when asked, but not this one.
  if (existsSync("/proc/modules")) await execa("modprobe", ["br_netfilter"], { reject: false });
}
