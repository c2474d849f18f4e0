/** Lines of an answer, by their keys: those that are as on no machine that is well. `undefined` leaves one out. */
export type Told = Record<string, string | undefined>;

/** What a new server of Debian 12 tells that is well: on a network of its own, with a volume of 10 GiB. */
export const well: Told = {
  begun: "", container: "", NTP: "yes", NTPSynchronized: "yes", uptime: "61", zone: "UTC +0000",
  init: "systemd", apt: "/usr/bin/apt-get", release: "debian 12", title: "Debian GNU/Linux 12 (bookworm)", architecture: "amd64", state: "running", failed: "",
  resolver: "answers", mtu: "1450", process: "", rivals: "", profile: "", selinux: "", LoadState: "not-found", LimitNOFILE: "524288", files: "1048576",
  MemTotal: "2014252", MemAvailable: "1781544", SwapTotal: "0", swappiness: "60", space: "8123456 /", readonly: "", volume: "10737418240 0", xfs: "yes",
  upgrader: "", installs: "1", reboots: "", spared: "",
};

/** What the machine of `self` answers to `command`, which is what provider/guest/machine.ts asks: of other members, what is asked of them. */
export function answer(command: string, self: string, told: Told = {}): string {
  const asked = [...command.matchAll(/^named (\S+) & measured \S+ (\S+) &\nfor port in (.*); do/gm)];
  const others = asked.flatMap(([, name, address, ports]): [string, string][] => [
    [`name.${name}`, address!], ...ports!.split(" ").filter(Boolean).map((port): [string, string] => [`call.${name}.${port}`, "refused"]),
  ]);
  const now = String(Date.now() / 1000);
  const lines = { began: now, ...well, hostname: self, ...Object.fromEntries(others), ended: now, ...told };
  return Object.entries(lines).filter(([, value]) => value !== undefined).map(([key, value]) => `${key}=${value}\n`).join("");
}
