import execa from "execa";
import { existsSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "./eventually";
import type { Place } from "./network";

/** The namespaces in which the devcloud lives, known by their first process: when it ends, all in them ends. */
export interface Container {
  pid: number;
  place: Place;
}

export const supervisorSocket = "/run/supervisor.sock";

const record = (folder: string) => join(folder, "container.json");

/** Field 22 of /proc/<pid>/stat: with it a process number names one process, also after the number was used again. */
function startTime(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8").replace(/.*\) /s, "").split(" ")[19];
  } catch {
    return undefined;
  }
}

/** The container of this folder, if it lives. */
export function running(folder: string): Container | undefined {
  try {
    const { pid, place, started } = JSON.parse(readFileSync(record(folder), "utf8")) as Container & { started: string };
    return startTime(pid) === started ? { pid, place } : undefined;
  } catch {
    return undefined;
  }
}

/** What `container/enter.sh` mounts. */
export interface Mounts {
  tree: string;
  packages: string;
  /** Each a name and a tree: debian-12=/…. */
  images: string[];
}

/** Starts the container and waits for its supervisor. It is a session of its own: Ctrl-C does not reach it. */
export async function start(folder: string, place: Place, { tree, packages, images }: Mounts): Promise<Container> {
  const log = join(folder, "log", "container.log");
  const output = openSync(log, "a");
  const enter = ["bash", join(__dirname, "container", "enter.sh"), place.link, tree, folder, __dirname, packages, `${process.pid}`, ...images];
  const outer = execa("unshare", ["--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "--kill-child", ...enter], {
    detached: true,
    stdio: ["ignore", output, output],
    reject: false,
  });
  outer.unref();
  const ended = outer.then(() => {
    throw new Error(`the container ended: ${readFileSync(log, "utf8").trim().split("\n").pop()} (${log})`);
  });
  return Promise.race([ended, supervised(folder, place, outer.pid!)]);
}

async function supervised(folder: string, place: Place, outer: number): Promise<Container> {
  const pid = await eventually("the container's first process", 10, async () => {
    const [child] = readFileSync(`/proc/${outer}/task/${outer}/children`, "utf8").split(" ");
    return child ? Number(child) : undefined;
  });
  writeFileSync(record(folder), JSON.stringify({ pid, place, started: startTime(pid) }), { mode: 0o600 });
  // Until it has pivoted, its root is ours, where a supervisor of the machine's own may listen.
  const container: Container = { pid, place };
  const files = ["/etc/devcloud", supervisorSocket].map((path) => inside(container, path));
  await eventually("the container's supervisor", 30, async () => files.every((file) => existsSync(file)) || undefined);
  return container;
}

/** A file of the container as seen from here. */
export const inside = ({ pid }: Container, path: string) => `/proc/${pid}/root${path}`;

/** Ends every process in the container. With the last of them go its mounts, links, rules and bridges. */
export async function stop(folder: string): Promise<void> {
  const container = running(folder);
  if (container) {
    process.kill(container.pid, "SIGKILL");
    await eventually("the container to end", 30, async () => (running(folder) ? undefined : true));
  }
  rmSync(record(folder), { force: true });
}

/** Runs a command in the container, as root. */
export const exec = ({ pid }: Container, command: string[], options: execa.Options = {}) =>
  execa(
    "nsenter",
    ["--target", `${pid}`, "--mount", "--pid", "--net", "--uts", "--ipc", "--", "env", "--ignore-environment",
      "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/root", ...command],
    { stdin: "ignore", ...options },
  );

/** Runs a line of shell in the container and gives its output. */
export const run = async (container: Container, line: string, options: execa.Options = {}): Promise<string> =>
  (await exec(container, ["bash", "--norc", "-c", line], options)).stdout;
