import { deepEqual, equal, match, ok } from "node:assert/strict";
import { once } from "node:events";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { needs } from "../../../provider/datastores/galera/machine";
import type { Guest } from "../../../provider/guest/guest";
import { lookAtMachine, type Asked } from "../../../provider/guest/machine";
import { assignments, sh } from "../../../provider/guest/shell";
import { member } from "../cluster";
import { answer } from "../machine";
import { Box, needsRoot } from "./box";

describe("a look at a machine, in a real shell", function () {
  this.timeout(40_000);
  before(needsRoot);
  let box: Box;
  let command: string;
  let told: string;
  const path = process.env.PATH;
  beforeEach(() => { box = new Box(); });
  afterEach(() => {
    process.env.PATH = path;
    box.end();
  });

  /** Programs that stand in front of the machine's own, by their names: shell scripts. */
  const programs = (scripts: Record<string, string>) => {
    const folder = join(box.folder, "bin");
    mkdirSync(folder);
    for (const [name, script] of Object.entries(scripts)) {
      writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
      chmodSync(join(folder, name), 0o755);
    }
    process.env.PATH = `${folder}:${path}`;
  };
  const galera = needs({ vendor: "mariadb", configuration: {} });
  /** `before` is done in the guest, on a network of its own, before it is looked at. */
  const look = async (asked: Partial<Asked> = {}, before = "") => {
    const guest: Guest = { ...box.guest("run-1"), look: async (text) => {
      command = text;
      return told = await box.guest("run-1").look(before === "" ? text : sh`unshare --net /bin/bash -euo pipefail -c ${`${before}\n${text}`}`);
    } };
    return lookAtMachine(guest, { member: { ...member("db-1"), address: "127.0.0.1" }, needs: galera, others: [], ...asked });
  };

  it("asks for nothing else than the simulated machines answer, and they answer nothing else", async () => {
    programs({
      systemctl: "case $* in *LoadState*) printf 'LoadState=not-found\\nLimitNOFILE=524288\\n';; *failed*) echo 'srv.mount loaded failed failed /srv';; *) echo degraded;; esac",
      timedatectl: "printf 'NTP=yes\\nNTPSynchronized=no\\n'",
      blockdev: "printf '10737418240\\n0\\n'",
      "unattended-upgrade": "exit 0",
      "apt-config": `cat <<'END'
APT::Periodic::Unattended-Upgrade "1";
Unattended-Upgrade::Automatic-Reboot "true";
Unattended-Upgrade::Package-Blacklist "";
Unattended-Upgrade::Package-Blacklist:: "linux-";
Unattended-Upgrade::Package-Blacklist:: "mariadb-";
END`,
      "dpkg-query": "printf 'ii mysql-server 8.0.36-1\\nun mysql-server-5.7 \\nii mysql-server-8.0 8.0.36-1\\n'",
    });
    const sight = await look({ others: [{ name: "localhost", address: "127.0.0.1", ports: [9] }] });
    deepEqual(Object.keys(assignments(told)).sort(), Object.keys(assignments(answer(command, "db-1"))).filter((key) => key !== "xfs" || sight.xfs !== undefined).sort());
    const { state, failed, timeService, synchronised, volume, upgrades, reboots, spared, rivals, mtu, cut, names, calls } = sight;
    deepEqual({ state, failed, timeService, synchronised }, { state: "degraded", failed: ["srv.mount"], timeService: true, synchronised: false });
    deepEqual({ volume, upgrades, reboots, spared }, { volume: { mib: 10_240, readOnly: false }, upgrades: true, reboots: true, spared: "linux- mariadb-" });
    deepEqual({ rivals, mtu, cut }, { rivals: ["mysql-server 8.0.36-1", "mysql-server-8.0 8.0.36-1"], mtu: 65_536, cut: [] });
    ok(names.localhost!.includes("127.0.0.1") || names.localhost!.includes("::1"), names.localhost!.join());
    deepEqual(calls, { localhost: { 9: "refused" } });
  });

  it("tells the clock as no further from ours than it is", async () => {
    const { ahead: [least, most] = [NaN, NaN] } = await look();
    ok(least <= 1 && most >= -1, `${least} to ${most}`);
  });

  it("ends soon where a resolver hangs, and says so", async () => {
    programs({ getent: "sleep 60" });
    const began = Date.now();
    const { resolver, names } = await look({ others: [{ name: "db-2", address: "127.0.0.1", ports: [] }] });
    ok(Date.now() - began < 8_000, `${Date.now() - began} ms`);
    deepEqual({ resolver, names }, { resolver: "hangs", names: { "db-2": [] } });
  });

  it("ends soon whatever hangs, also what does not let itself be ended, and tells the rest", async () => {
    const stubborn = "trap '' TERM; sleep 60; sleep 60";
    programs(Object.fromEntries(["getent", "systemctl", "timedatectl", "unattended-upgrade", "apt-config", "dpkg-query", "ss", "ping"].map((name) => [name, stubborn])));
    const began = Date.now();
    const { resolver, state, rivals, listeners, memory } = await look({ others: [{ name: "db-2", address: "127.0.0.1", ports: [9] }] });
    ok(Date.now() - began < 15_000, `${Date.now() - began} ms`);
    deepEqual({ resolver, state, rivals, listeners }, { resolver: "hangs", state: undefined, rivals: [], listeners: {} });
    ok(memory!.total > 0);
  });

  it("tells who listens on the ports, and of others whether they are there", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    try {
      const { listeners, calls } = await look({ needs: { ...galera, ports: { clients: [port], members: [] } }, others: [{ name: "db-2", address: "127.0.0.1", ports: [port, 9] }] });
      match(listeners[port]!, new RegExp(`^\\S+ \\(pid ${process.pid}\\)$`));
      deepEqual(calls, { "db-2": { [port]: "open", 9: "refused" } });
    } finally {
      server.close();
    }
  });

  it("tells which way gives no answer, and the size of packets on the member's own link", async () => {
    const quiet = `ip link add near type veth peer name far; ip link set near mtu 1450 up; ip link set far up
ip address add 198.51.100.1/24 dev near; ip neighbour add 198.51.100.2 lladdr 02:00:00:00:00:02 dev near nud permanent`;
    const { calls, mtu, cut } = await look({ member: { ...member("db-1"), address: "198.51.100.1" }, others: [{ name: "db-2", address: "198.51.100.2", ports: [4567] }, { name: "db-3", address: "203.0.113.1", ports: [4567] }] }, quiet);
    deepEqual({ calls, mtu, cut }, { calls: { "db-2": { 4567: "silent" }, "db-3": { 4567: "Network is unreachable" } }, mtu: 1450, cut: [] });
  });

  it("tells who holds apt", async () => {
    const held = `mkdir -p /run/fake; touch /run/fake/lock-frontend; mount --bind /run/fake /var/lib/dpkg
echo "1: POSIX  ADVISORY  WRITE $$ 00:29:$(stat -c %i /run/fake/lock-frontend) 0 EOF" >/run/locks; mount --bind /run/locks /proc/locks`;
    const { apter } = await look({}, held);
    equal(apter?.who, `bash (pid ${/\(pid (\d+)\)/.exec(apter?.who ?? "")?.[1]})`);
    ok(apter!.seconds < 60);
  });
});
