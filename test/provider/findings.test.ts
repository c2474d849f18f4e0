import { deepEqual } from "node:assert/strict";
import { mock } from "node:test";
import { needs } from "../../provider/datastores/galera/machine";
import { ofAll, ofNewcomers, type Demand, type Machine, type Severity } from "../../provider/demands";
import { findings } from "../../provider/findings";
import type { Guest } from "../../provider/guest/guest";
import { lookAtMachine } from "../../provider/guest/machine";
import { member } from "./cluster";
import { answer, well, type Told } from "./machine";

/** Three machines: what each tells otherwise than one that is well, and which are not new. */
interface Situation {
  told: Record<string, Told>;
  run?: string[];
  newcomer?: Severity;
  configuration?: Record<string, string>;
  volumeSize?: number;
}

const names = ["db-1", "db-2", "db-3"];

async function machines({ told, run = [], newcomer = "error", configuration = {}, volumeSize = 10 }: Situation): Promise<Machine[]> {
  const wanted = needs({ vendor: "mariadb", configuration });
  return Promise.all(names.map(member).map(async (self) => {
    const guest: Guest = { name: self.name, look: async (command) => answer(command, self.name, told[self.name]), run: async () => "", write: async () => true, say: () => undefined };
    const others = names.map(member).filter(({ name }) => name !== self.name).map((each) => ({ ...each, ports: [4567, 4444] }));
    const sight = await lookAtMachine(guest, { member: self, needs: wanted, others });
    return { ...self, needs: wanted, volumeSize, newcomer: run.includes(self.name) ? undefined : newcomer, sight };
  }));
}

const second = (told: Told, more: Partial<Situation> = {}): Situation => ({ told: { "db-2": told }, ...more });
const all = (told: Told, more: Partial<Situation> = {}): Situation => ({ told: Object.fromEntries(names.map((name) => [name, told])), ...more });
/** Of two that run and a new one, which tells this. */
const grown = (told: Told): Situation => ({ told: { "db-3": told }, run: ["db-1", "db-2"] });
const now = Date.UTC(2026, 0, 1);
/** A clock that is so many seconds ahead. */
const ahead = (seconds: number): Told => ({ began: String(now / 1000 + seconds), ended: String(now / 1000 + seconds) });

const upgraded = (who: string) => `members restart one after another, when somebody says so. Seen: ${who}: unattended-upgrades upgrades MariaDB by itself. Way forward: \`echo 'Unattended-Upgrade::Package-Blacklist { "mariadb"; "galera"; };' | sudo tee /etc/apt/apt.conf.d/99-datastore\`.`;

const cases: Record<string, [Situation, ...string[]]> = {
  "machines that are well": [{ told: {} }],
  "machines that tell nothing are judged by nobody": [all(Object.fromEntries(Object.keys(well).map((key) => [key, undefined])), { newcomer: "warning" })],
  "a system without apt": [second({ apt: "", title: "Rocky Linux 9.4", release: "rocky 9.4" }),
    "error: a member's system has apt and systemd. Seen: db-2: Rocky Linux 9.4, without apt. Way forward: give `image` one of Debian 12, in a cluster made anew."],
  "a system without systemd": [second({ init: "init", title: "Devuan GNU/Linux 5 (daedalus)", release: "devuan 5" }),
    "error: a member's system has apt and systemd. Seen: db-2: Devuan GNU/Linux 5 (daedalus), whose process 1 is init. Way forward: give `image` one of Debian 12, in a cluster made anew.",
    "error: members run one release of the system, whose packages are one version of the database. Seen: db-2: Devuan GNU/Linux 5 (daedalus), where db-1 runs Debian GNU/Linux 12 (bookworm). Way forward: let the image's name stand for what the others were made of, delete the server with `openstack server delete`, then `pulumi refresh` and `pulumi up`.",
    "warning: MariaDB was tested on Debian 12 on amd64. Seen: db-2: Devuan GNU/Linux 5 (daedalus) on amd64. Way forward: take an image of Debian 12 on amd64, or try a cluster that nobody needs first."],
  "another release of Debian": [all({ release: "debian 13", title: "Debian GNU/Linux 13 (trixie)" }),
    "warning: MariaDB was tested on Debian 12 on amd64. Seen: db-1, db-2, db-3: Debian GNU/Linux 13 (trixie) on amd64. Way forward: take an image of Debian 12 on amd64, or try a cluster that nobody needs first."],
  "another architecture": [all({ architecture: "arm64" }),
    "warning: MariaDB was tested on Debian 12 on amd64. Seen: db-1, db-2, db-3: Debian GNU/Linux 12 (bookworm) on arm64. Way forward: take an image of Debian 12 on amd64, or try a cluster that nobody needs first."],
  "a newcomer of another release than those that run": [grown({ release: "debian 13", title: "Debian GNU/Linux 13 (trixie)" }),
    "error: members run one release of the system, whose packages are one version of the database. Seen: db-3: Debian GNU/Linux 13 (trixie), where db-1 runs Debian GNU/Linux 12 (bookworm). Way forward: let the image's name stand for what the others were made of, delete the server with `openstack server delete`, then `pulumi refresh` and `pulumi up`.",
    "warning: MariaDB was tested on Debian 12 on amd64. Seen: db-3: Debian GNU/Linux 13 (trixie) on amd64. Way forward: take an image of Debian 12 on amd64, or try a cluster that nobody needs first."],
  "a machine that is going down": [second({ state: "stopping" }),
    "error: a member's machine is up to stay. Seen: db-2: systemd says stopping. Way forward: wait until it has booted, then run `pulumi up` again."],
  "units that failed, of which some matter": [second({ state: "degraded", failed: "apt-daily.service cloud-final.service srv.mount" }),
    "warning: a member's machine has booted without failures of its disks, network or first boot. Seen: db-2: cloud-final.service, srv.mount failed. Way forward: see why: `systemctl status cloud-final.service srv.mount`."],
  "units that failed, of which none matters": [second({ state: "degraded", failed: "apt-daily.service man-db.service" })],
  "another host name": [second({ hostname: "debian" }),
    "warning: a member's host name is its own. Seen: db-2: its host name is debian. Way forward: `sudo hostnamectl set-hostname db-2`."],
  "a host name with its domain": [second({ hostname: "db-2.novalocal" })],
  "ports that are held": [second({ "listener.3306": "mysqld (pid 812)", "listener.4567": "nc (pid 77)" }),
    "error: the ports of MariaDB are free on a new member. Seen: db-2: 3306 is held by mysqld (pid 812); 4567 is held by nc (pid 77). Way forward: stop that program and keep it from starting, or give the member a server of its own."],
  "a port that a socket unit holds": [second({ "listener.3306": "systemd (pid 1)" })],
  "ports of a member that runs": [{ told: { "db-1": { "listener.3306": "mariadbd (pid 812)", process: "mariadbd (pid 812)" } }, run: ["db-1", "db-2"] }],
  "another vendor's packages": [second({ rivals: "mysql-server 8.0.36-1,mysql-server-8.0 8.0.36-1" }),
    "error: a member's machine has no other database server than its MariaDB. Seen: db-2: apt would remove mysql-server 8.0.36-1, mysql-server-8.0 8.0.36-1. Way forward: save its data, then `sudo apt-get remove mysql-server mysql-server-8.0`."],
  "a server from elsewhere that runs": [second({ process: "mysqld (pid 812)" }),
    "warning: a member's machine has no other database server than its MariaDB. Seen: db-2: mysqld (pid 812) runs. Way forward: move it to another machine."],
  "a foreign profile of AppArmor": [second({ profile: "/usr/sbin/mysqld (enforce)" }),
    "warning: nothing confines MariaDB that was not made for it. Seen: db-2: AppArmor enforces /usr/sbin/mysqld. Way forward: `sudo aa-disable /usr/sbin/mysqld`, or let it read and write /var/lib/datastore."],
  "SELinux": [second({ selinux: "1" }),
    "warning: nothing confines MariaDB that was not made for it. Seen: db-2: SELinux is enforcing. Way forward: `sudo setenforce 0`, or bring a policy that knows /var/lib/datastore."],
  "a buffer pool larger than the memory": [second({}, { configuration: { "innodb-buffer-pool-size": "4G" } }),
    "error: a member's memory holds MariaDB. Seen: db-1, db-2, db-3: innodb_buffer_pool_size = 4G and 256 MiB beside it are 4352 MiB, of 1967 MiB 1739 are free. Way forward: ask for less in `configuration`, end what else takes memory, or make the cluster anew with a larger flavor."],
  "a buffer pool larger than what is free": [second({ MemAvailable: "900000" }, { configuration: { innodb_buffer_pool_size: "1G" } }),
    "warning: a member's memory holds MariaDB. Seen: db-2: innodb_buffer_pool_size = 1G and 256 MiB beside it are 1280 MiB, of 1967 MiB 878 are free. Way forward: ask for less in `configuration`, end what else takes memory, or make the cluster anew with a larger flavor."],
  "more files than the packaged unit lets open": [second({}, { configuration: { max_connections: "8000" } }),
    "warning: a server may open the files that it asks for. Seen: db-1, db-2, db-3: max_connections, table_open_cache and open_files_limit ask for 40000 files, and mariadb.service may open 32768. Way forward: ask for less in `configuration`, or `sudo systemctl edit mariadb.service` with LimitNOFILE=40000."],
  "more files than a unit on the image lets open": [second({ LoadState: "loaded", LimitNOFILE: "4096" }),
    "warning: a server may open the files that it asks for. Seen: db-2: max_connections, table_open_cache and open_files_limit ask for 4161 files, and mariadb.service may open 4096. Way forward: ask for less in `configuration`, or `sudo systemctl edit mariadb.service` with LimitNOFILE=4161."],
  "fewer files than systemd itself may give": [second({ files: "4096" }),
    "warning: a server may open the files that it asks for. Seen: db-2: max_connections, table_open_cache and open_files_limit ask for 4161 files, and mariadb.service may open 4096. Way forward: ask for less in `configuration`, or `sudo systemctl edit mariadb.service` with LimitNOFILE=4161 and fs.nr_open no lower."],
  "a volume that is read-only": [second({ volume: "10737418240 1" }),
    "error: a member's volume takes writes. Seen: db-2: its volume is read-only. Way forward: `openstack volume set --read-write volume-of-db-2-0123456789`, then `openstack server reboot --hard`."],
  "a volume smaller than asked for": [second({ volume: "5368709120 0" }),
    "error: a member's volume is as large as `volume.size` asked for. Seen: db-2: 5120 MiB of 10240. Way forward: compare `openstack volume show volume-of-db-2-0123456789` with `lsblk` on the guest."],
  "an encrypted volume, which is smaller by its header": [second({ volume: "10720641024 0" })],
  "a kernel without xfs": [second({ xfs: "no" }),
    "error: a member's kernel knows xfs. Seen: db-2: neither built in nor a module. Way forward: make the cluster anew with an image that has the distribution's common kernel, not one that was cut down."],
  "a newcomer whom the others do not reach": [{ told: { "db-1": { "call.db-3.4567": "silent", "call.db-3.4444": "silent" }, "db-2": { "call.db-3.4444": "No route to host" } }, run: ["db-1", "db-2"] },
    "error: members reach each other's ports. Seen: db-3: db-1 does not reach its 4444 (no answer), 4567 (no answer); db-2 does not reach its 4444 (No route to host). Way forward: let members reach each other: see the security groups of the ports (`openstack port show`), and a firewall on the guest (`sudo nft list ruleset`, `sudo ufw status`)."],
  "a call whose outcome tells nothing of the way": [second({ "call.db-1.4567": "Too many open files" })],
  "one that holds apt for long": [second({ apter: "431 unattended-upgr (pid 812)" }),
    "warning: nobody holds apt for long. Seen: db-2: unattended-upgr (pid 812) holds it, and has run for 7 min. Way forward: the installation waits for it, ten minutes at most: see whether it asks somebody a question, and answer or end it."],
  "one that holds apt for a moment": [second({ apter: "20 apt-get (pid 812)" })],
  "a full root file system": [second({ space: "204800 /var" }),
    "error: a member's root file system has 700 MiB free. Seen: db-2: 200 MiB on /var. Way forward: make room: `sudo apt-get clean`, `sudo journalctl --vacuum-size=100M`; or make the cluster anew with a flavor that has a larger root disk."],
  "a full root file system of a member that runs": [{ told: { "db-1": { space: "204800 /" } }, run: ["db-1", "db-2"] },
    "warning: a member's root file system has 500 MiB free. Seen: db-1: 200 MiB on /. Way forward: make room: `sudo apt-get clean`, `sudo journalctl --vacuum-size=100M`; or make the cluster anew with a flavor that has a larger root disk."],
  "a root file system that is read-only": [second({ readonly: "/etc /usr" }),
    "error: a member's root file system takes writes. Seen: db-2: /etc /usr is read-only. Way forward: see why: `findmnt /`, `sudo dmesg`; an image that is meant to be so cannot be used."],
  "a clock before the certificates": [second(ahead(-3 * 24 * 3600)),
    "error: a member's clock is not before the day on which its certificate begins. Seen: db-2: 3 days behind ours. Way forward: `sudo timedatectl set-ntp true`, or mend the time service that is there."],
  "clocks that are not ours": [all(ahead(45.5)),
    "warning: clocks are within 30 s of ours. Seen: db-1, db-2, db-3: 45.5 s ahead of ours. Way forward: `sudo timedatectl set-ntp true`, or mend the time service that is there; if all members say so, mend the clock where `pulumi` runs."],
  "clocks that differ": [second(ahead(4.2)),
    "warning: members' clocks are within 1 s of each other. Seen: db-2: 4.2 s ahead of db-1. Way forward: `sudo timedatectl set-ntp true`, or mend the time service that is there."],
  "no time service": [second({ NTP: "no", NTPSynchronized: "no" }),
    "warning: a time service keeps a member's clock. Seen: db-2: none runs. Way forward: `sudo apt-get install systemd-timesyncd`, or chrony."],
  "a time service that reaches no server": [second({ NTPSynchronized: "no", uptime: "600" }),
    "warning: a time service keeps a member's clock. Seen: db-2: it runs, and has reached no server in 10 min. Way forward: let it reach its servers (UDP 123), or name others that it can reach."],
  "a time service that was just started": [second({ NTPSynchronized: "no" })],
  "a container, whose host keeps the time and swaps": [second({ container: "systemd-nspawn", NTP: undefined, NTPSynchronized: undefined, SwapTotal: "2097152" })],
  "another time zone": [second({ zone: "CEST +0200" }),
    "warning: members have one time zone. Seen: db-2: CEST +0200, where db-1 has UTC +0000. Way forward: `sudo timedatectl set-timezone Etc/UTC` on all; a server that runs takes it with its next start."],
  "names that stand for others": [second({ "name.db-1": "203.0.113.7", "name.db-3": "203.0.113.9 198.18.0.13" }),
    "warning: members' names stand for the members' addresses, or for none. Seen: db-2: db-1 stands for 203.0.113.7, and is 198.18.0.11. Way forward: mend the records of the name server, or give the cluster another name."],
  "a name that stands for nobody": [second({ "name.db-1": "" })],
  "a resolver that hangs": [all({ resolver: "hangs" }),
    "warning: a name server answers at once, be it that it knows nothing. Seen: db-1, db-2, db-3: a look-up took longer than 2 s. Way forward: see which of those that `resolvectl dns` or /etc/resolv.conf names does not answer, and mend it or take it out."],
  "another MTU": [second({ mtu: "1500" }),
    "warning: members send packets of one size. Seen: db-2: MTU 1500, where db-1 has 1450. Way forward: put the members on networks of one MTU, or set one on the guests: `sudo ip link set dev … mtu …`."],
  "a network narrower than its members send": [second({ mtu: "1500", "cut.db-1": "yes", "cut.db-3": "yes" }),
    "warning: the network carries packets as large as members send. Seen: db-2: packets of 1500 bytes do not reach db-1, db-3. Way forward: set the guest to what `openstack network show -c mtu …` says, as DHCP would: `sudo ip link set dev … mtu …`."],
  "swap": [second({ SwapTotal: "2097152" }),
    "warning: a database's memory is not swapped out while there is other. Seen: db-2: 2048 MiB of swap, vm.swappiness = 60. Way forward: `echo vm.swappiness = 1 | sudo tee /etc/sysctl.d/99-swappiness.conf`, then `sudo sysctl --system`."],
  "swap that is used last": [second({ SwapTotal: "2097152", swappiness: "1" })],
  "unattended upgrades, which new members will be told to leave": [all({ upgrader: "/usr/bin/unattended-upgrade" })],
  "unattended upgrades of members that run, and not of one that is new": [all({ upgrader: "/usr/bin/unattended-upgrade", LoadState: "loaded" }, { run: ["db-1", "db-2"] }), `warning: ${upgraded("db-1, db-2")}`],
  "unattended upgrades of members that run, beside a new one": [all({ upgrader: "/usr/bin/unattended-upgrade" }, { run: ["db-1", "db-2"] }), `warning: ${upgraded("db-1, db-2")}`],
  "unattended upgrades of a new member whose image has the packages, which the installation ends": [second({ upgrader: "/usr/bin/unattended-upgrade", LoadState: "loaded" })],
  "unattended upgrades that leave the database, and not its library": [all({ upgrader: "/usr/bin/unattended-upgrade", spared: "mariadb-" }, { run: names }), `warning: ${upgraded("db-1, db-2, db-3")}`],
  "unattended upgrades that leave the database, by expressions": [all({ upgrader: "/usr/bin/unattended-upgrade", spared: "^mariadb galera.*" }, { run: names })],
  "unattended upgrades that leave all but the server itself": [all({ upgrader: "/usr/bin/unattended-upgrade", spared: "libmariadb3 mariadb-client galera" }, { run: names }), `warning: ${upgraded("db-1, db-2, db-3")}`],
  "unattended upgrades that leave the database": [all({ upgrader: "/usr/bin/unattended-upgrade", spared: "linux- mariadb galera" }, { run: names })],
  "unattended reboots": [second({ upgrader: "/usr/bin/unattended-upgrade", reboots: "true" }),
    "warning: members restart one after another, when somebody says so. Seen: db-2: unattended-upgrades reboots the machine by itself. Way forward: `echo 'Unattended-Upgrade::Automatic-Reboot \"false\";' | sudo tee /etc/apt/apt.conf.d/99-no-reboot`."],
  "unattended upgrades and reboots": [{ told: { "db-1": { upgrader: "/usr/bin/unattended-upgrade", reboots: "true" } }, run: ["db-1"] },
    `warning: ${upgraded("db-1").replace("MariaDB by", "MariaDB and reboots the machine by").replace(/\.$/, "")}; \`echo 'Unattended-Upgrade::Automatic-Reboot "false";' | sudo tee /etc/apt/apt.conf.d/99-no-reboot\`.`],
  "one that a run began to change may go on": [second({ begun: "/usr/local/lib/datastores/may-start", space: "204800 /", xfs: "no" }),
    "warning: a member's kernel knows xfs. Seen: db-2: neither built in nor a module. Way forward: make the cluster anew with an image that has the distribution's common kernel, not one that was cut down.",
    "warning: a member's root file system has 700 MiB free. Seen: db-2: 200 MiB on /. Way forward: make room: `sudo apt-get clean`, `sudo journalctl --vacuum-size=100M`; or make the cluster anew with a flavor that has a larger root disk."],
  "a new server over data that are wanted back": [second({ space: "204800 /", xfs: "no" }, { newcomer: "warning", run: ["db-1", "db-3"] }),
    "warning: a member's kernel knows xfs. Seen: db-2: neither built in nor a module. Way forward: make the cluster anew with an image that has the distribution's common kernel, not one that was cut down.",
    "warning: a member's root file system has 700 MiB free. Seen: db-2: 200 MiB on /. Way forward: make room: `sudo apt-get clean`, `sudo journalctl --vacuum-size=100M`; or make the cluster anew with a flavor that has a larger root disk."],
};

describe("what is found of machines", () => {
  const used = new Set<Demand>();
  beforeEach(() => mock.timers.enable({ apis: ["Date"], now }));
  afterEach(() => mock.timers.reset());
  for (const [name, [situation, ...expected]] of Object.entries(cases))
    it(name, async () => {
      const seen = await machines(situation);
      const first = seen.find(({ newcomer: is }) => !is) ?? seen[0];
      for (const demand of [...ofNewcomers, ...ofAll])
        if (seen.some((each) => demand(each, seen.filter((other) => other !== each), each === first ? undefined : first))) used.add(demand);
      deepEqual(findings(seen).map(({ severity, rule, saw, wayForward }) => `${severity}: ${rule}. Seen: ${saw}. Way forward: ${wayForward}.`), expected);
    });

  it("holds each demand in a case", () => deepEqual([...ofNewcomers, ...ofAll].filter((demand) => !used.has(demand)).map(({ name }) => name), []));
});
