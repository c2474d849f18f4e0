import type { MachineSight, Needs } from "./guest/machine";
import type { Member } from "./topology";

/** An error keeps a run from its first change; a warning is told, and the run goes on. */
export type Severity = "error" | "warning";

/** A member's machine as it was seen. */
export interface Machine extends Member {
  needs: Needs;
  /** GiB that its volume was asked to hold. */
  volumeSize?: number;
  /** New to the cluster; then how grave a finding on it may be. */
  newcomer?: Severity;
  sight: MachineSight;
}

export interface Complaint {
  /** Going on would fail, or do harm. */
  grave?: boolean;
  /** What a machine must be. */
  rule: string;
  /** How it is not. */
  saw: string;
  wayForward: string;
}

/** What is wrong with a machine, beside the others. `reference` is the one of them that it has to be like. */
export type Demand = (machine: Machine, others: Machine[], reference?: Machine) => Complaint | false | undefined;

/** Packages come by apt, and services are systemd's: no step works without them. */
const debian: Demand = ({ sight: { apt, init, title }, needs }) =>
  (apt === false || (init !== undefined && init !== "systemd")) && {
    grave: true, rule: "a member's system has apt and systemd",
    saw: `${title ?? "an unknown system"}, ${apt === false ? "without apt" : `whose process 1 is ${init}`}`,
    wayForward: `give \`image\` one of Debian ${needs.release}, in a cluster made anew`,
  };

/** What the full tests ran on. Other releases bring other versions of the database, of systemd and of the tools that steps use. */
const tested: Demand = ({ sight: { apt, release, title, architecture }, needs }) =>
  apt !== false && release !== undefined && (release !== `debian ${needs.release}` || (architecture !== undefined && architecture !== "amd64")) && {
    rule: `${needs.server} was tested on Debian ${needs.release} on amd64`, saw: `${title ?? release} on ${architecture}`,
    wayForward: `take an image of Debian ${needs.release} on amd64, or try a cluster that nobody needs first`,
  };

/** One release brings one version of the database. A state transfer copies files, which an older version cannot read (MariaDB: Upgrading Galera Cluster). */
const oneRelease: Demand = ({ sight: { apt, release, title } }, _, reference) =>
  apt !== false && release !== undefined && reference?.sight.release !== undefined && release !== reference.sight.release && {
    grave: true, rule: "members run one release of the system, whose packages are one version of the database",
    saw: `${title ?? release}, where ${reference.name} runs ${reference.sight.title ?? reference.sight.release}`,
    wayForward: "let the image's name stand for what the others were made of, delete the server with `openstack server delete`, then `pulumi refresh` and `pulumi up`",
  };

/** Units without which a machine has not its disks, its network or what its first boot should have given it. */
const mattering = /\.(mount|swap)$|^(cloud-(init|init-local|config|final)|networking|systemd-networkd|NetworkManager|dbus|systemd-udevd)\.service$/;

/** It has booted as its image means it to, and is not about to go down. */
const booted: Demand = ({ sight: { state, failed } }) => {
  if (state === "stopping" || state === "maintenance")
    return { grave: true, rule: "a member's machine is up to stay", saw: `systemd says ${state}`, wayForward: "wait until it has booted, then run `pulumi up` again" };
  const broken = failed.filter((unit) => mattering.test(unit));
  return broken.length > 0 && {
    rule: "a member's machine has booted without failures of its disks, network or first boot", saw: `${broken.join(", ")} failed`,
    wayForward: `see why: \`systemctl status ${broken.join(" ")}\``,
  };
};

/** Members' certificates are valid from a day before they were made, by our clock; a member whose clock is earlier trusts nobody. */
const certificatesStart = -24 * 3600;

const oursApart = 30;
const membersApart = 1;

/**
 * `NOW()` is the clock of the member that a client wrote to. Apart by the least that is certain: an answer takes its time.
 */
const clock: Demand = ({ sight }, _, reference) => {
  const ours = apart(sight.ahead);
  const theirs = reference && apart(difference(sight.ahead, reference.sight.ahead));
  const wayForward = "`sudo timedatectl set-ntp true`, or mend the time service that is there";
  if (ours <= certificatesStart)
    return { grave: true, rule: "a member's clock is not before the day on which its certificate begins", saw: `${duration(ours)} behind ours`, wayForward };
  if (Math.abs(ours) > oursApart)
    return { rule: `clocks are within ${oursApart} s of ours`, saw: `${duration(ours)} ${ours < 0 ? "behind" : "ahead of"} ours`, wayForward: `${wayForward}; if all members say so, mend the clock where \`pulumi\` runs` };
  return theirs !== undefined && Math.abs(theirs) > membersApart && {
    rule: `members' clocks are within ${membersApart} s of each other`, saw: `${duration(theirs)} ${theirs < 0 ? "behind" : "ahead of"} ${reference!.name}`, wayForward,
  };
};

const difference = (a: MachineSight["ahead"], b: MachineSight["ahead"]): MachineSight["ahead"] => a && b && [a[0] - b[1], a[1] - b[0]];

/** Seconds that are certain of an interval in milliseconds. */
const apart = (interval: MachineSight["ahead"]): number =>
  (!interval ? 0 : interval[0] > 0 ? interval[0] : interval[1] < 0 ? interval[1] : 0) / 1000;

function duration(seconds: number): string {
  const s = Math.abs(seconds);
  return s < 120 ? `${s.toFixed(1)} s` : s < 7200 ? `${Math.round(s / 60)} min` : s < 172_800 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86_400)} days`;
}

/** Seconds from a boot to the first answer of a time server. */
const settles = 120;

/** Clocks that agree today drift apart without one. In a container the host keeps it. */
const timeService: Demand = ({ sight: { container, synchronised, timeService: runs, uptime = 0 } }) =>
  !container && synchronised === false && (runs === false || uptime > settles) && {
    rule: "a time service keeps a member's clock", saw: runs ? `it runs, and has reached no server in ${duration(uptime)}` : "none runs",
    wayForward: runs ? "let it reach its servers (UDP 123), or name others that it can reach" : "`sudo apt-get install systemd-timesyncd`, or chrony",
  };

/** The session's time zone is the system's unless a client sets one: the same statement then means another time on another member. */
const zone: Demand = ({ sight }, _, reference) =>
  sight.zone !== undefined && reference?.sight.zone !== undefined && sight.zone !== reference.sight.zone && {
    rule: "members have one time zone", saw: `${sight.zone}, where ${reference.name} has ${reference.sight.zone}`,
    wayForward: "`sudo timedatectl set-timezone Etc/UTC` on all; a server that runs takes it with its next start",
  };

/** State transfers ask for the host's own full name, and /etc/hosts will have the members' names alone. */
const hostname: Demand = ({ name, sight }) =>
  sight.hostname !== undefined && sight.hostname.split(".")[0] !== name && {
    rule: "a member's host name is its own", saw: `its host name is ${sight.hostname}`, wayForward: `\`sudo hostnamectl set-hostname ${name}\``,
  };

/** /etc/hosts will be right on the members, but a client that goes by such a name reaches another machine. */
const resolved: Demand = ({ sight }, others) => {
  const wrong = others.filter(({ name, address }) => {
    const found = sight.names[name]?.filter((each) => !/^(127\.|::1$|fe80:)/.test(each)) ?? [];
    return found.length > 0 && !found.includes(address);
  });
  return wrong.length > 0 && {
    rule: "members' names stand for the members' addresses, or for none",
    saw: wrong.map(({ name, address }) => `${name} stands for ${sight.names[name]!.join(", ")}, and is ${address}`).join("; "),
    wayForward: "mend the records of the name server, or give the cluster another name",
  };
};

/** State transfers look names up: one that hangs makes each join take minutes. */
const resolver: Demand = ({ sight }) => sight.resolver === "hangs" && {
  rule: "a name server answers at once, be it that it knows nothing", saw: "a look-up took longer than 2 s",
  wayForward: "see which of those that `resolvectl dns` or /etc/resolv.conf names does not answer, and mend it or take it out",
};

/** Small packets come through and a state transfer hangs: the signs are the same whether members differ or the network between is narrower. */
const mtu: Demand = ({ sight }, _, reference) =>
  sight.cut.length > 0 ? {
    rule: "the network carries packets as large as members send", saw: `packets of ${sight.mtu} bytes do not reach ${sight.cut.join(", ")}`,
    wayForward: "set the guest to what `openstack network show -c mtu …` says, as DHCP would: `sudo ip link set dev … mtu …`",
  } : sight.mtu !== undefined && reference?.sight.mtu !== undefined && sight.mtu !== reference.sight.mtu && {
    rule: "members send packets of one size", saw: `MTU ${sight.mtu}, where ${reference.name} has ${reference.sight.mtu}`,
    wayForward: "put the members on networks of one MTU, or set one on the guests: `sudo ip link set dev … mtu …`",
  };

/** What else may come of a call tells nothing of the way. */
const noWay = ["silent", "No route to host", "Network is unreachable", "Connection timed out"];
const shut = (calls: Record<string, string> = {}): string[] => Object.entries(calls).filter(([, came]) => noWay.includes(came)).map(([port, came]) => `${port} (${came === "silent" ? "no answer" : came})`);

/** Whether somebody listens there or not, a machine that is reached answers (Galera: Firewall Settings). Only a newcomer is called. */
const isReached: Demand = ({ name }, others) => {
  const callers = others.map((other) => ({ by: other.name, ports: shut(other.sight.calls[name]) })).filter(({ ports }) => ports.length > 0);
  return callers.length > 0 && {
    grave: true, rule: "members reach each other's ports", saw: callers.map(({ by, ports }) => `${by} does not reach its ${ports.join(", ")}`).join("; "),
    wayForward: "let members reach each other: see the security groups of the ports (`openstack port show`), and a firewall on the guest (`sudo nft list ruleset`, `sudo ufw status`)",
  };
};

/** A listener of systemd's own is a socket unit, which the installation sees to. */
const ports: Demand = ({ sight, needs }) => {
  const held = Object.entries(sight.listeners).filter(([, by]) => !by.startsWith("systemd "));
  return held.length > 0 && {
    grave: true, rule: `the ports of ${needs.server} are free on a new member`, saw: held.map(([port, by]) => `${port} is held by ${by}`).join("; "),
    wayForward: "stop that program and keep it from starting, or give the member a server of its own",
  };
};

/** apt would remove what another vendor's server is made of; one that runs from elsewhere only takes its share of the machine. */
const rivals: Demand = ({ sight, needs }) => {
  const rule = `a member's machine has no other database server than its ${needs.server}`;
  if (sight.rivals.length > 0)
    return { grave: true, rule, saw: `apt would remove ${sight.rivals.join(", ")}`, wayForward: `save its data, then \`sudo apt-get remove ${sight.rivals.map((each) => each.split(" ")[0]).join(" ")}\`` };
  return sight.process !== undefined && { rule, saw: `${sight.process} runs`, wayForward: "move it to another machine" };
};

/** The packages confine the server by nothing: a profile that is there was made for another, and denies it the data volume (Galera: System Configuration). */
const confined: Demand = ({ sight: { profile, selinux }, needs }) => (profile !== undefined || selinux) && {
  rule: `nothing confines ${needs.server} that was not made for it`, saw: profile !== undefined ? `AppArmor enforces ${profile}` : "SELinux is enforcing",
  wayForward: profile !== undefined ? `\`sudo aa-disable ${profile.split(" ")[0]}\`, or let it read and write /var/lib/datastore` : "`sudo setenforce 0`, or bring a policy that knows /var/lib/datastore",
};

/** A server that asks for more than there is ends by the kernel's hand, in the middle of a state transfer as soon as at its start. */
const memory: Demand = ({ sight, needs: { memory: { mib, by }, server } }) => {
  if (!sight.memory || mib <= Math.min(sight.memory.available, sight.memory.total * 0.9)) return undefined;
  const { total, available } = sight.memory;
  return {
    grave: mib > total, rule: `a member's memory holds ${server}`, saw: `${by} are ${mib} MiB, of ${total} MiB ${available} are free`,
    wayForward: "ask for less in `configuration`, end what else takes memory, or make the cluster anew with a larger flavor",
  };
};

/** With swap, an idle buffer pool is written out while the page cache grows (MariaDB: Configuring Linux for MariaDB). */
const swap: Demand = ({ sight: { container, memory: { swap: size } = { swap: 0 }, swappiness = 0 } }) =>
  !container && size > 0 && swappiness > 10 && {
    rule: "a database's memory is not swapped out while there is other", saw: `${size} MiB of swap, vm.swappiness = ${swappiness}`,
    wayForward: "`echo vm.swappiness = 1 | sudo tee /etc/sysctl.d/99-swappiness.conf`, then `sudo sysctl --system`",
  };

/** Of the unit, as systemd may give it: what a shell says by `ulimit` is nothing to a service (MariaDB: Configuring MariaDB for systemd). */
const files: Demand = ({ sight, needs: { files: { wanted, by, packaged }, unit } }) => {
  if (!sight.files) return undefined;
  const most = Math.min(sight.files.most, sight.files.unit ?? packaged);
  return most < wanted && {
    rule: "a server may open the files that it asks for", saw: `${by} ask for ${wanted} files, and ${unit} may open ${most}`,
    wayForward: `ask for less in \`configuration\`, or \`sudo systemctl edit ${unit}\` with LimitNOFILE=${wanted}${sight.files.most < wanted ? " and fs.nr_open no lower" : ""}`,
  };
};

/** MiB without which a system's logs end, and with them what tells of its failures. */
const least = 500;

/** Packages, their indexes, and what their installation writes; and the root file system is not read-only, as it is after a failure of its disk. */
const space: Demand = ({ newcomer, needs, sight: { readOnly, space: free } }) => {
  const wayForward = "make room: `sudo apt-get clean`, `sudo journalctl --vacuum-size=100M`; or make the cluster anew with a flavor that has a larger root disk";
  if (readOnly !== undefined)
    return { grave: true, rule: "a member's root file system takes writes", saw: `${readOnly} is read-only`, wayForward: "see why: `findmnt /`, `sudo dmesg`; an image that is meant to be so cannot be used" };
  const wanted = newcomer ? needs.space : least;
  return free !== undefined && free.mib < wanted && {
    grave: true, rule: `a member's root file system has ${wanted} MiB free`, saw: `${free.mib} MiB on ${free.at}`, wayForward,
  };
};

/** Of what an encrypted volume holds, some MiB are its header. */
const header = 0.95;

/** It is found by its id, so one that is smaller is the cloud's doing. A larger one was extended. */
const volume: Demand = ({ sight, volumeSize, volume: id }) => {
  if (!sight.volume) return undefined;
  const { mib, readOnly } = sight.volume;
  if (readOnly)
    return { grave: true, rule: "a member's volume takes writes", saw: "its volume is read-only", wayForward: `\`openstack volume set --read-write ${id}\`, then \`openstack server reboot --hard\`` };
  return volumeSize !== undefined && mib < volumeSize * 1024 * header && {
    grave: true, rule: "a member's volume is as large as `volume.size` asked for", saw: `${mib} MiB of ${volumeSize * 1024}`,
    wayForward: `compare \`openstack volume show ${id}\` with \`lsblk\` on the guest`,
  };
};

/** The tools come with the packages; the kernel does not. */
const xfs: Demand = ({ sight }) => sight.xfs === false && {
  grave: true, rule: "a member's kernel knows xfs", saw: "neither built in nor a module",
  wayForward: "make the cluster anew with an image that has the distribution's common kernel, not one that was cut down",
};

/** Seconds after which one who holds apt is not just at its daily work. */
const daily = 120;

/** The installation waits for it ten minutes, and no longer. */
const apter: Demand = ({ sight: { apter: holder } }) => holder !== undefined && holder.seconds > daily && {
  rule: "nobody holds apt for long", saw: `${holder.who} holds it, and has run for ${duration(holder.seconds)}`,
  wayForward: "the installation waits for it, ten minutes at most: see whether it asks somebody a question, and answer or end it",
};

/**
 * Each machine upgrades by its own timer: the server restarts with its package, or the machine reboots, while another's still transfers
 * its state. On a new member the packages are spared as they are installed; when it reboots is for who made the image to say.
 */
const restarts: Demand = ({ newcomer, sight: { upgrades, reboots, spared }, needs: { packages, server } }) => {
  const isLeft = newcomer !== undefined || packages.every((each) => spared.split(/\s+/).filter(Boolean).some((pattern) => each.startsWith(pattern.replace(/^\^|\.\*$/g, ""))));
  const set = (option: string, file: string) => `\`echo 'Unattended-Upgrade::${option};' | sudo tee /etc/apt/apt.conf.d/${file}\``;
  const does = [
    ...(upgrades && !isLeft ? [[`upgrades ${server}`, set(`Package-Blacklist { ${packages.map((each) => `"${each}"; `).join("")}}`, "99-datastore")]] : []),
    ...(reboots ? [["reboots the machine", set('Automatic-Reboot "false"', "99-no-reboot")]] : []),
  ];
  return does.length > 0 && {
    rule: "members restart one after another, when somebody says so", saw: `unattended-upgrades ${does.map(([what]) => what).join(" and ")} by itself`,
    wayForward: does.map(([, how]) => how).join("; "),
  };
};

/** In the order in which a person mends them. */
export const ofNewcomers: Demand[] = [debian, tested, oneRelease, booted, hostname, ports, rivals, confined, memory, files, volume, xfs, isReached, apter];
export const ofAll: Demand[] = [space, clock, timeService, zone, resolved, resolver, mtu, swap, restarts];
