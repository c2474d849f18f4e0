import { closeSync, existsSync, openSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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
  const lists = readdirSync("/var/lib/apt/lists").some((file) => file.endsWith("_Packages") || file.includes("_Packages."));
  if (lists) {
    const { failed } = await apt(["install", ...names], { reject: false });
    if (!failed) return;
  }
  await apt(["update"]);
  await apt(["install", ...names]);
}

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

function apt([command = "", ...args]: string[], options: execa.Options = {}) {
  const refusal = join(cacheFolder("debian"), "refuse-services");
  writeFileSync(refusal, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  const aptOptions = ["--yes", "--quiet", "--no-install-recommends", "--no-remove"];
  const aptSettings = ["DPkg::Lock::Timeout=300", "Dpkg::Use-Pty=0"].flatMap((setting) => ["--option", setting]);
  const quiet = { DEBIAN_FRONTEND: "noninteractive", APT_LISTCHANGES_FRONTEND: "none", NEEDRESTART_SUSPEND: "1", LC_ALL: "C" };
  return execa(
    "unshare",
    ["--mount", "sh", "-ec", `mount --bind "$0" ${policy}; exec "$@"`, refusal]
      .concat("apt-get", command, ...(command === "install" ? aptOptions : ["--quiet"]), aptSettings, args),
    // An installation cut in the middle leaves dpkg half-done: apt ends on its own, also when this process does not wait.
    { env: quiet, stdin: "ignore", cleanup: false, ...options },
  );
}
