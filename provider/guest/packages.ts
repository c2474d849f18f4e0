import { reason } from "../errors";
import { eventually } from "./eventually";
import type { Guest } from "./guest";
import { sh } from "./shell";

const unit = "datastores-install";

/** What is installed stays as it is: an upgrade would restart the datastore on all members at once. */
const apt = ["apt-get", "-q", "-y", "--no-install-recommends", "--no-upgrade", "-o", "DPkg::Lock::Timeout=600", "-o", "Dpkg::Use-Pty=0", "-o", "Acquire::http::Timeout=20", "-o", "Acquire::Retries=3"];

/** Version of an installed Debian package, held or not, as a shell expression that prints nothing when it is not installed. */
export const installedVersion = (name: string): string =>
  sh`dpkg-query -W -f '\${db:Status-Abbrev}\${Version}' ${name} 2>/dev/null | sed -n 's/^[hi]i *//p'`;

/** The same, of its major version: `10.11` of `1:10.11.6-0+deb12u1`. */
export const installedMajor = (name: string): string => `${installedVersion(name)} | sed -En 's/^([0-9]+:)?([0-9]+[.][0-9]+).*/\\2/p'`;

/** Version of a Debian package that its sources offer, as a shell expression that prints nothing where they offer none. */
export const offeredVersion = (name: string): string => sh`LC_ALL=C apt-cache policy ${name} | sed -n 's/^ *Candidate: *\\([^ (]\\)/\\1/p'`;

/** The major version of a Debian package's, as `10.11` of `1:10.11.6-0+deb12u1`; undefined of none. */
export const majorOf = (debian: string): string | undefined => /^(?:\d+:)?(\d+\.\d+)/.exec(debian.trim())?.[1];

/** The major version of a package that one of these guests has, if any; who cannot be reached tells none. */
export async function majorAmong(guests: Promise<Guest>[], name: string): Promise<string | undefined> {
  const told = await Promise.all(guests.map((guest) => guest.then((it) => it.look(`${installedVersion(name)} || true`), () => "")));
  return told.map(majorOf).find((major) => major !== undefined);
}

/** Those of the packages that are not, or not wholly, installed. */
export const missingPackages = async (guest: Guest, packages: string[]): Promise<string[]> => (await guest.look(
  sh`for name in ${packages}; do dpkg-query -W -f '\${db:Status-Abbrev}' "$name" 2>/dev/null | grep -q '^[hi]i' || echo "$name"; done`)).split(/\s+/).filter(Boolean);

/** Installed packages whose names begin with one of these and that are not held, as a shell expression. dpkg-query fails where one beginning has no package, and tells of the others all the same. */
export const unheld = (beginnings: string[]): string =>
  sh`{ dpkg-query -W -f '\${db:Status-Abbrev}\${Package}\n' ${beginnings.map((each) => `${each}*`)} 2>/dev/null || true; } | sed -n 's/^ii *//p'`;

/** Nobody upgrades them but who takes the hold away: neither a timer nor a person who upgrades all that there is. No server is restarted for it. */
export const holdPackages = (guest: Guest, beginnings: string[]): Promise<string> =>
  guest.run(`names=$(${unheld(beginnings)}); [ -z "$names" ] || apt-mark hold $names >/dev/null`);

/**
 * Has unattended-upgrades leave alone what is named with these beginnings: each machine upgrades by a timer of its own, on
 * several members at once. To it they are regular expressions of Python, and where a match begins a name does.
 */
export const sparePackages = (guest: Guest, beginnings: string[]): Promise<boolean> => guest.write("/etc/apt/apt.conf.d/99-datastore",
  `// An upgrade restarts the datastore: members take it one after another, when somebody says so.\nUnattended-Upgrade::Package-Blacklist { ${beginnings.map((each) => `"${each}"; `).join("")}};\n`);

/**
 * Installs Debian packages, given as apt takes them: by name, or as `NAME=VERSION` with `*` in the version. The work runs in a transient unit, so a lost connection or a killed run
 * does not cut dpkg in the middle; the next run finds the unit and waits for it.
 */
export async function installPackages(guest: Guest, packages: string[], seconds = 1800): Promise<void> {
  // A mirror that hangs is asked again, indexes sooner than packages; what apt itself gives up it has tried again already. Only
  // fetching is cut off: dpkg, once begun, runs to its end.
  // No variable in braces: systemd would take it for one of its own.
  const script = sh`
! command -v cloud-init >/dev/null || cloud-init status --wait >/dev/null || true
fetch() { for try in 1 2 3; do timeout "$@"; ended=$?; [ $ended = 124 ] || return $ended; done; return 1; }
apt-mark unhold ${packages.map((each) => each.split("=")[0]!)} >/dev/null 2>&1 || true
dpkg --configure -a && fetch 120 ${apt} update && fetch 600 ${apt} install --download-only ${packages} && ${apt} install ${packages}`;
  const missing = () => missingPackages(guest, packages.map((each) => each.split("=")[0]!));
  const running = async () => ["active", "activating", "deactivating"]
    .includes((await guest.look(sh`systemctl show -P ActiveState ${unit}`)).trim());
  if (!(await running())) {
    if ((await missing()).length === 0) return;
    await guest.run(sh`systemctl reset-failed ${unit} 2>/dev/null || true
systemd-run --quiet --no-block --unit=${unit} --description="Installation of packages" --service-type=oneshot --setenv=DEBIAN_FRONTEND=noninteractive /bin/bash -c ${script}`);
  }
  await eventually("packages to be installed", { seconds, every: 250, say: guest.say }, async () =>
    (await running()) ? (await guest.look(sh`journalctl -q -o cat -n 1 -u ${unit}`)).trim() || "started" : true);
  const left = await missing();
  if (left.length > 0) {
    const log = await guest.look(sh`journalctl -q -o cat -n 15 -u ${unit}`).catch(reason);
    const noSource = /Unable to locate|Failed to fetch|no installation candidate|Could not resolve/.test(log);
    throw new Error(`could not install ${left.join(", ")}: ${log.trim().split("\n").filter((line) => /^(E:|W:|dpkg)/.test(line)).join(" | ") || log.trim()}. Way forward: ${noSource
      ? `let ${guest.name} reach a Debian package source that has them, as \`sudo apt-get update && apt-cache policy ${left.join(" ")}\` there shows`
      : `see on ${guest.name} why, with \`sudo journalctl -u ${unit}\` and \`df -h\`, and mend it`}, then run \`pulumi up\` again`);
  }
}
