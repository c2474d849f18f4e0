import { closeSync, existsSync, openSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import execa from "execa";
import { cacheFolder, locked } from "./cache";
import { type Progress, timed } from "./progress";

/** Installs those of the named Debian packages that this machine lacks, and starts none of their services. */
export async function debianPackages(names: string[], progress: Progress): Promise<void> {
  if ((await missing(names)).length === 0) return;
  const lock = join(cacheFolder("debian"), "lock");
  await locked(lock, () => progress("another run installs Debian packages, waiting for it"), async () => {
    const wanted = await missing(names);
    if (wanted.length === 0) return;
    requireAptAndRoot(wanted);
    await timed(`installing Debian packages: ${wanted.join(" ")}`, progress, () => withoutServices(() => install(wanted)));
  });
}

async function missing(names: string[]): Promise<string[]> {
  const query = ["--show", "--showformat=${Package} ${db:Status-Status}\n", ...names];
  const { stdout } = await execa("dpkg-query", query, { reject: false });
  const installed = new Set((stdout ?? "").split("\n").filter((line) => line.endsWith(" installed")));
  return names.filter((name) => !installed.has(`${name} installed`));
}

function requireAptAndRoot(wanted: string[]): void {
  if (!existsSync("/usr/bin/apt-get"))
    throw new Error(`This machine lacks ${wanted.join(", ")} and has no apt-get: install them with its own package manager.`);
  if (process.getuid?.() !== 0)
    throw new Error(
      `This machine lacks Debian packages, and only root may install them: ` +
        `run "sudo apt-get install --no-install-recommends ${wanted.join(" ")}", or run this as root.`,
    );
}

async function install(names: string[]): Promise<void> {
  const lists = readdirSync("/var/lib/apt/lists").some((file) => /_Packages(\.|$)/.test(file));
  if (lists && (await apt("install", installing, names)).exitCode === 0) return;
  await update();
  const { exitCode, stderr } = await apt("install", installing, names);
  if (exitCode !== 0) throw new Error(`apt-get could not install ${names.join(" ")}: ${errors(stderr)}`);
}

const installing = ["--yes", "--no-install-recommends", "--no-remove"];
const lockSeconds = 300;

/** For the lock of the package lists apt itself does not wait, as it does for that of the packages. */
async function update(): Promise<void> {
  const deadline = Date.now() + lockSeconds * 1000;
  for (;;) {
    const { exitCode, stderr } = await apt("update", []);
    if (exitCode === 0) return;
    if (!stderr.includes("Could not get lock") || Date.now() > deadline) throw new Error(`apt-get could not update its lists: ${errors(stderr)}`);
    await setTimeout(2000);
  }
}

const errors = (stderr: string) => stderr.split("\n").filter((line) => line.startsWith("E: ")).join("; ") || stderr;

const policy = "/usr/sbin/policy-rc.d";

/**
 * Package scripts ask `policy-rc.d` whether they may start a service. Ours, which refuses, is laid over that path in a
 * mount namespace that only apt sees. A mount needs something to lie upon: an empty file, which scripts ignore since
 * it is not executable, stands in for the time.
 */
async function withoutServices(act: () => Promise<void>): Promise<void> {
  const ours = !existsSync(policy);
  if (ours) closeSync(openSync(policy, "a", 0o644));
  try {
    await act();
  } finally {
    if (ours) rmSync(policy, { force: true });
  }
}

function apt(command: string, options: string[], names: string[] = []) {
  const refusal = join(cacheFolder("debian"), "refuse-services");
  writeFileSync(refusal, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  const settings = ["--quiet", "--option", `DPkg::Lock::Timeout=${lockSeconds}`, "--option", "Dpkg::Use-Pty=0"];
  return execa(
    "unshare",
    ["--mount", "sh", "-ec", `mount --bind "$0" ${policy}; exec apt-get "$@"`, refusal, command, ...settings, ...options, ...names],
    {
      env: { DEBIAN_FRONTEND: "noninteractive", APT_LISTCHANGES_FRONTEND: "none", NEEDRESTART_SUSPEND: "1", LC_ALL: "C" },
      stdin: "ignore",
      reject: false,
      // An installation cut in the middle leaves dpkg half-done: apt ends on its own, also when this process does not wait.
      cleanup: false,
    },
  );
}
