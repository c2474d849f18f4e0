import type { Member } from "../topology";
import { guard } from "./guard";
import type { Guest } from "./guest";
import { assignments, sh } from "./shell";
import { device } from "./volume";

/** What a datastore needs of a member's machine, in words that a person reads too. */
export interface Needs {
  /** What people call its server. */
  server: string;
  /** The release of Debian that the full tests ran it on. */
  release: string;
  /** The server's unit. */
  unit: string;
  /** The names of the processes that are its own. */
  processes: string[];
  /** How the names of its packages begin. */
  packages: string[];
  /** Packages that its own would take the place of, as patterns of dpkg. */
  rivals: string[];
  ports: Record<"clients" | "members", number[]>;
  /** MiB that the server takes, and what asks for them. */
  memory: { mib: number; by: string };
  /** Files that the server wants open, what asks for them, and how many its unit, as it is packaged, lets it. */
  files: { wanted: number; by: string; packaged: number };
  /** MiB of the root file system for the packages, their indexes and what they put there. */
  space: number;
}

/** What is seen of a machine. What could not be told is left out, and judged by nobody. */
export interface MachineSight {
  /** An earlier run began to change it. */
  begun: boolean;
  /** Clock, swap and kernel are its host's. */
  container: boolean;
  /** Milliseconds that its clock is ahead of ours: at least, and at most. */
  ahead?: [number, number];
  uptime?: number;
  synchronised?: boolean;
  timeService?: boolean;
  zone?: string;
  /** Process 1. */
  init?: string;
  apt?: boolean;
  /** As in `debian 12`. */
  release?: string;
  title?: string;
  architecture?: string;
  /** Of systemd, and the units that failed. */
  state?: string;
  failed: string[];
  hostname?: string;
  resolver?: "answers" | "hangs";
  /** The addresses that other members' names have here. */
  names: Record<string, string[]>;
  mtu?: number;
  /** Members that small packets reach, and those of our MTU do not. */
  cut: string[];
  /** What came of calling others, by member and port: `open`, `refused` by a machine where nobody listens, `silent`, or an error. */
  calls: Record<string, Record<string, string>>;
  /** Who listens on the datastore's ports. */
  listeners: Record<string, string>;
  /** A server that runs, and packages that are there. */
  process?: string;
  rivals: string[];
  /** An AppArmor profile that is enforced on the server. */
  profile?: string;
  selinux: boolean;
  memory?: { total: number; available: number; swap: number };
  swappiness?: number;
  /** The most files that systemd may let a unit open, and what it lets the server's, once that is there. */
  files?: { most: number; unit?: number };
  /** MiB that are free where packages go, and where that is. */
  space?: { mib: number; at: string };
  readOnly?: string;
  volume?: { mib: number; readOnly: boolean };
  xfs?: boolean;
  /** Who holds apt's locks, and for how many seconds it has run. */
  apter?: { who: string; seconds: number };
  /** unattended-upgrades installs by itself, reboots by itself, and what it is told to leave. */
  upgrades: boolean;
  reboots: boolean;
  spared: string;
}

export interface Asked {
  member: Member;
  needs: Needs;
  /** Other members, and the ports on which each is called. */
  others: { name: string; address: string; ports: number[] }[];
}

/** A name that no hosts file knows. */
const elsewhere = "deb.debian.org";

/**
 * What a machine tells of itself, as `key=value`, in one script. What may hang is ended after seconds, and runs beside the
 * rest. `within` ends a whole group of processes: a child that lives on would keep the answer open.
 */
const questions = ({ member, needs, others }: Asked): string => `${sh`
set +eu +o pipefail; export LC_ALL=C
echo "began=$EPOCHREALTIME"
tell() { printf '%s=%s\\n' "$1" "\${2//$'\\n'/ }"; }
within() { timeout -k 1 "$@" 2>/dev/null; }
{ within 2 getent hosts ${elsewhere} >/dev/null; case $? in 124|137) tell resolver hangs;; *) tell resolver answers;; esac; } &
{ tell state "$(within 3 systemctl is-system-running)"; } &
{ tell failed "$(within 3 systemctl list-units --failed --plain --no-legend | cut -d ' ' -f 1)"; } &
within 3 systemctl show -p LoadState -p LimitNOFILE ${needs.unit} &
{ upgrader=$(command -v unattended-upgrade) && options=$(within 3 apt-config dump | sed -nE 's/^(APT::Periodic|Unattended-Upgrade)::([A-Za-z:-]+) "(.*)";/\\2=\\3/p')
  tell upgrader "$upgrader"
  sed -n 's/^Unattended-Upgrade=/installs=/p; s/^Automatic-Reboot=/reboots=/p' <<<"$options"
  tell spared "$(sed -n 's/^Package-Blacklist::=//p' <<<"$options")"; } &
{ tell rivals "$(within 3 dpkg-query -W -f '\${db:Status-Abbrev}\${Package} \${Version}\\n' ${needs.rivals} | sed -n 's/^[hi]i *//p' | paste -sd ,)"; } &
{ within 3 ss -Hltnp | while read -r _ _ _ local _ who; do
    for port in ${Object.values(needs.ports).flat().map(String)}; do
      [ "\${local##*:}" != "$port" ] || tell "listener.$port" "$(sed -E 's/^[^"]*"([^"]*)",pid=([0-9]+).*/\\1 (pid \\2)/' <<<"$who")"
    done
  done; } &
container=$(cat /run/systemd/container 2>/dev/null)
tell container "$container"
[ -n "$container" ] || within 3 timedatectl show -p NTP -p NTPSynchronized &
link=$(ip -o address show 2>/dev/null | while read -r _ link _ address _; do [ "\${address%/*}" != ${member.address} ] || echo "$link"; done)
mtu=$(ip -o link show dev "$link" 2>/dev/null | sed -nE 's/.* mtu ([0-9]+) .*/\\1/p')
tell mtu "$mtu"
reaches() { within 2 ping -q -n -c 1 -W 1 -M do -s "$1" "$2" >/dev/null; }
named() { tell "name.$1" "$(within 2 getent ahosts "$1" | cut -d ' ' -f 1 | sort -u)"; }
measured() { [ -z "$mtu" ] || reaches $((mtu - 28)) "$2" || reaches $((mtu - 28)) "$2" || ! reaches 64 "$2" || tell "cut.$1" yes; }
called() {
  for try in 1 2; do
    said=$(timeout -k 1 3 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$2" "$3" 2>&1)
    case "$?:$said" in 0:*) came=open;; 124:*|137:*) came=silent; continue;; *refused) came=refused;; *) came=\${said##*: };; esac
    break
  done
  tell "call.$1.$3" "$came"
}
`}${others.map(({ name, address, ports }) => sh`named ${name} & measured ${name} ${address} &
for port in ${ports.map(String)}; do called ${name} ${address} "$port" & done
`).join("")}${sh`tell begun "$(ls ${guard} 2>/dev/null)"
tell init "$(cat /proc/1/comm)"
tell apt "$(command -v apt-get)"
(. /etc/os-release; tell release "$ID \${VERSION_ID:-}"; tell title "$PRETTY_NAME")
tell architecture "$(dpkg --print-architecture 2>/dev/null || uname -m)"
tell hostname "$(uname -n)"
tell zone "$(date '+%Z %z')"
read -r uptime _ </proc/uptime; tell uptime "\${uptime%.*}"
sed -nE 's/^(MemTotal|MemAvailable|SwapTotal): *([0-9]+) kB/\\1=\\2/p' /proc/meminfo
tell swappiness "$(cat /proc/sys/vm/swappiness)"
sed -nE 's/^Max open files +[0-9a-z]+ +([0-9]+) .*/files=\\1/p' /proc/1/limits
tell process "$(grep -x ${needs.processes.flatMap((name) => ["-e", name])} /proc/[0-9]*/comm 2>/dev/null | sed -E 's/^.proc.([0-9]+).comm:(.*)/\\2 (pid \\1)/')"
tell profile "$(grep -E ${`(^|/)(${needs.processes.join("|")}) \\(enforce\\)`} /sys/kernel/security/apparmor/profiles 2>/dev/null)"
tell selinux "$(cat /sys/fs/selinux/enforce 2>/dev/null)"
tell space "$(df -Pk /usr /var/lib /var/cache 2>/dev/null | awk 'NR > 1 && (least == "" || $4 < least) { least = $4; at = $6 } END { print least, at }')"
tell readonly "$(for folder in /etc /usr /var/lib /var/cache; do [ -w "$folder" ] || echo "$folder"; done)"
tell volume "$(blockdev --getsize64 --getro ${device(member.volume)} 2>/dev/null)"
if grep -qw xfs /proc/filesystems || modprobe -nq xfs 2>/dev/null; then tell xfs yes; elif command -v modprobe >/dev/null; then tell xfs no; fi
for lock in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock; do
  inode=$(stat -c %i "$lock" 2>/dev/null) || continue
  holder=$(awk -v inode=":$inode" '$2 == "POSIX" && substr($6, length($6) - length(inode) + 1) == inode { print $5; exit }' /proc/locks)
  [ -z "$holder" ] || tell apter "$(ps -o etimes= -o comm= -p "$holder") (pid $holder)"
done
wait
echo "ended=$EPOCHREALTIME"`}`;

/** Looks at a machine. Changes nothing. */
export async function lookAtMachine(guest: Guest, asked: Asked): Promise<MachineSight> {
  const began = Date.now();
  const told = assignments(await guest.look(questions(asked)));
  return sightOf(told, began, Date.now());
}

/** `asked` and `answered` are by our clock: between the two the machine told its time, first and last. */
function sightOf(told: Record<string, string | undefined>, asked: number, answered: number): MachineSight {
  const number = (text: string | undefined) => (text ? Number(text) : undefined);
  const yes = (text: string | undefined) => (text ? text === "yes" : undefined);
  const words = (text = "") => text.split(" ").filter(Boolean);
  const mib = (kib: string | undefined) => Math.floor(Number(kib) / 1024);
  const under = (prefix: string) => Object.entries(told).flatMap(([key, value = ""]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), value] as const] : []));
  const [free, at] = words(told.space);
  const [bytes, locked] = words(told.volume);
  const [seconds, ...who] = words(told.apter);
  const calls: MachineSight["calls"] = {};
  for (const [key, outcome] of under("call.")) {
    const [name = "", port = ""] = key.split(/\.(?=\d+$)/);
    (calls[name] ??= {})[port] = outcome;
  }
  return {
    begun: Boolean(told.begun),
    container: Boolean(told.container),
    ahead: told.began && told.ended ? [Number(told.ended) * 1000 - answered, Number(told.began) * 1000 - asked] : undefined,
    uptime: number(told.uptime),
    synchronised: yes(told.NTPSynchronized),
    timeService: yes(told.NTP),
    zone: told.zone || undefined,
    init: told.init || undefined,
    apt: told.apt === undefined ? undefined : told.apt !== "",
    release: told.release?.trim() || undefined,
    title: told.title || undefined,
    architecture: told.architecture || undefined,
    state: told.state || undefined,
    failed: words(told.failed),
    hostname: told.hostname || undefined,
    resolver: told.resolver as MachineSight["resolver"],
    names: Object.fromEntries(under("name.").map(([name, addresses]) => [name, words(addresses)])),
    mtu: number(told.mtu),
    cut: under("cut.").map(([name]) => name),
    calls,
    listeners: Object.fromEntries(under("listener.").map(([port, by]) => [port, by || "an unknown process"])),
    process: told.process || undefined,
    rivals: (told.rivals ?? "").split(",").filter(Boolean),
    profile: told.profile?.replaceAll(" (enforce)", "") || undefined,
    selinux: told.selinux === "1",
    memory: told.MemTotal ? { total: mib(told.MemTotal), available: mib(told.MemAvailable), swap: mib(told.SwapTotal) } : undefined,
    swappiness: number(told.swappiness),
    files: told.files ? { most: Number(told.files), unit: told.LoadState === "loaded" ? number(told.LimitNOFILE) : undefined } : undefined,
    space: free && at ? { mib: mib(free), at } : undefined,
    readOnly: told.readonly || undefined,
    volume: bytes ? { mib: Math.floor(Number(bytes) / 2 ** 20), readOnly: locked === "1" } : undefined,
    xfs: yes(told.xfs),
    apter: seconds ? { who: who.join(" "), seconds: Number(seconds) } : undefined,
    upgrades: Boolean(told.upgrader) && /^[^0]/.test(told.installs ?? ""),
    reboots: Boolean(told.upgrader) && told.reboots === "true",
    spared: told.spared ?? "",
  };
}
