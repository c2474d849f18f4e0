import execa from "execa";
import { existsSync, readdirSync, rmdirSync, statSync } from "node:fs";
import { join } from "node:path";

/**
 * What outlives the processes of a devcloud: loop devices and cgroups. Both are found by what they are:
 * a loop device by the file behind it, for its recorded path is that of a mount namespace that is gone.
 */
export async function removeLeftovers(state: string, name: string): Promise<void> {
  for (const loop of await loopDevices(state)) await execa("losetup", ["--detach", loop]);
  for (const hierarchy of cgroups(name)) removeCgroup(hierarchy);
}

/** The loop devices over files of the state folder. */
export async function loopDevices(state: string): Promise<string[]> {
  const { stdout } = await execa("losetup", ["--list", "--json", "--output", "NAME,BACK-INO,BACK-MAJ:MIN,BACK-FILE"]);
  const { loopdevices } = stdout ? (JSON.parse(stdout) as { loopdevices: Loop[] }) : { loopdevices: [] };
  const volumes = join(state, "volumes");
  if (!existsSync(volumes)) return [];
  const { dev } = statSync(volumes);
  const device = `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`;
  const inodes = new Set(readdirSync(volumes).map((name) => statSync(join(volumes, name)).ino));
  return loopdevices
    .filter((loop) => loop["back-maj:min"].trim() === device)
    .filter((loop) => inodes.has(Number(loop["back-ino"])) || /\/volumes\/[0-9a-f-]{36} \(deleted\)$/.test(loop["back-file"] ?? ""))
    .map((loop) => loop.name);
}

interface Loop {
  name: string;
  "back-ino": number;
  "back-maj:min": string;
  "back-file": string | null;
}

/** The cgroups with the name of the devcloud: one per hierarchy with version 1, one in all with version 2. */
function cgroups(name: string): string[] {
  const root = "/sys/fs/cgroup";
  if (!existsSync(root)) return [];
  const hierarchies = [root, ...readdirSync(root).map((name) => join(root, name))];
  return hierarchies.map((hierarchy) => join(hierarchy, name)).filter((cgroup) => existsSync(cgroup));
}

/** From the leaves up. One in which something runs is nobody's leftover, and one may go by itself while we look. */
function removeCgroup(cgroup: string): void {
  try {
    const within = readdirSync(cgroup, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    for (const { name } of within) removeCgroup(join(cgroup, name));
    rmdirSync(cgroup);
  } catch (error) {
    if (!["EBUSY", "ENOENT"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}
