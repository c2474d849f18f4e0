import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import type { ExecaError } from "execa";
import { cutNetwork, fillDisk, freeze, front, hinderBoots, mendNetwork, powerCut, powerOn, startService, stopService, thaw, up } from "../../devcloud";
import { inOrder } from "../inOrder";
import { Cloud, rootOnly, until } from "./cloud";
import { Servers } from "./servers";

const both = ["left", "right"];

/** What befalls machines, and what their volumes hold after it. The tests go on from one another. */
describe("faults", function () {
  this.timeout("5m");
  inOrder(this);
  const disks: Record<string, string> = {};
  let servers: Servers;

  before(async function () {
    rootOnly(this);
    await up(() => undefined);
    servers = await Servers.of("faults");
    await Promise.all(both.map(async (name) => {
      await servers.create(name);
      disks[name] = await servers.attach(name);
      await servers.ssh(name, "sudo apt-get update -q && sudo apt-get install -qy --no-install-recommends xfsprogs");
      const unit = `[Mount]\\nWhat=${disks[name]}\\nWhere=/srv/data\\nType=xfs\\n[Install]\\nWantedBy=local-fs.target\\n`;
      await servers.ssh(name, `sudo mkfs.xfs -q ${disks[name]} && printf '${unit}' | sudo tee /etc/systemd/system/srv-data.mount >/dev/null
        sudo systemctl enable --now --quiet srv-data.mount && sudo chmod 1777 /srv/data && sync`);
    }));
  });

  after(async () => {
    if (servers) await servers.remove();
  });

  it("a power cut takes what was not synced and leaves what was", async () => {
    const synced = await write("left", "one");
    await powerCut(["left"]);
    equal(await servers.status("left"), "SHUTOFF");
    await powerOn(["left"]);
    equal(await servers.status("left"), "ACTIVE");
    deepEqual(await files("left"), [synced]);
  });

  it("a power cut takes two servers at once", async () => {
    const synced = await Promise.all(both.map((name) => write(name, "two")));
    await powerCut(both);
    await powerOn(both);
    equal((await files("left")).length, 2);
    deepEqual([(await files("left"))[1], ...(await files("right"))], synced);
  });

  it("a kill takes nothing", async () => {
    const synced = await write("right", "three");
    await servers.ssh("right", "sudo touch /run/before");
    await servers.act("right", { reboot: { type: "HARD" } });
    await until("the boot", () => servers.ssh("right", "[ ! -e /run/before ] && echo booted"));
    const found = await files("right");
    equal(found.length, 3);
    ok(found.includes(synced));
    ok(found.some((file) => file.endsWith("three-plain")));
  });

  it("a power cut leaves what was acknowledged, and a whole file system, also of a server that writes without end", async () => {
    const load = "while true; do rm -rf /srv/data/load; cp -r /usr/lib/python3 /srv/data/load; done";
    const count = "n=0; while n=$((n+1)); do echo $n >>/srv/data/count; sync /srv/data/count; echo $n; done";
    const counting = servers.start("left", `(${load}) & ${count}`);
    await new Promise<void>((resolve, reject) => {
      counting.stdout!.on("data", (text: Buffer) => { if (/^3\d\d$/m.test(String(text))) resolve(); });
      counting.catch(reject);
    });
    await powerCut(["left"]);
    counting.kill("SIGKILL");
    const acknowledged = (await counting.catch((error: ExecaError) => error)).stdout.trim().split("\n");
    await powerOn(["left"]);
    const found = await until("SSH", () => servers.ssh("left", "cat /srv/data/count"));
    deepEqual(found.split("\n").slice(0, acknowledged.length), acknowledged);
    await servers.ssh("left", `sudo systemctl stop srv-data.mount && sudo xfs_repair -n ${disks["left"]}`);
  });

  it("a frozen server answers nobody until it thaws, and Nova does not know", async () => {
    const boot = await servers.ssh("right", "cat /proc/sys/kernel/random/boot_id");
    await freeze(["right"]);
    await rejects(servers.ssh("right", "true"));
    equal(await servers.status("right"), "ACTIVE");
    await thaw(["right"]);
    equal(await servers.ssh("right", "cat /proc/sys/kernel/random/boot_id"), boot);
  });

  it("a name that no server has is refused, and nothing happens to the others", async () => {
    await rejects(powerCut(["right", "middle"]), /no server is called middle/);
    equal(await servers.ssh("right", "hostname"), "right");
  });

  it("fills a disk, and no other", async () => {
    await fillDisk("right", "/srv/data");
    const writes = (name: string) => servers.ssh(name, "head -c 1M /dev/zero 2>&1 >/srv/data/more; sync /srv/data/more; true");
    match(await servers.ssh("right", "head -c 1M /dev/zero 2>&1 >/srv/data/more || true"), /No space left on device/);
    equal(await servers.ssh("right", "head -c 1M /dev/zero >/tmp/more && echo written"), "written");
    await servers.ssh("right", "sudo rm /srv/data/filler");
    equal(await writes("right"), "");
    await rejects(fillDisk("right", "/tmp"), /no volume is mounted on \/tmp: there are \/srv\/data/);
  });

  it("cuts the network between two in one direction, and mends it", async () => {
    const heard = async (by: string, from: string) => {
      const heard = servers.ssh(by, "timeout 4 python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind((\"\", 7777)); print(s.recv(9).decode())' || echo nothing");
      const to = servers.addresses[by]!;
      await servers.ssh(from, `for i in 1 2 3 4 5 6; do sleep 0.4; echo -n word >/dev/udp/${to}/7777; done`).catch(() => undefined);
      return heard;
    };
    await servers.open({ protocol: "udp", port_range_min: 7777, port_range_max: 7777 });
    await until("the rule to hold", async () => (await heard("left", "right")) === "word");
    await cutNetwork(["right"], ["left"]);
    deepEqual([await heard("left", "right"), await heard("right", "left")], ["nothing", "word"]);
    await mendNetwork(["right"], ["left"]);
    equal(await heard("left", "right"), "word");
  });

  it("makes a boot slow, or endless", async () => {
    await hinderBoots("never");
    await servers.act("right", { reboot: { type: "HARD" } });
    await servers.settled("right", "ACTIVE");
    await rejects(until("SSH", () => servers.ssh("right", "hostname"), 15));
    await hinderBoots(8);
    await servers.act("right", { reboot: { type: "HARD" } });
    await until("SSH", () => servers.ssh("right", "hostname"), 40);
    ok(Number(await servers.ssh("right", "systemctl show -P ActiveEnterTimestampMonotonic sysinit.target")) - Number(await servers.ssh("right", "systemctl show -P UserspaceTimestampMonotonic")) > 8e6);
    await hinderBoots(0);
  });

  it("stops a service and starts it again; no other is touched", async () => {
    const proxy = await front();
    const through = await Cloud.connect("devcloud", proxy.cloudsYaml);
    await stopService("cinder-api");
    await rejects(servers.cloud.get("block-storage", "/volumes"));
    await rejects(through.get("block-storage", "/volumes"), /503/);
    await servers.cloud.get("compute", "/servers");
    proxy.close();
    await startService("cinder-api");
    await until("cinder-api", () => servers.cloud.get("block-storage", "/volumes"));
  });

  it("fails and delays requests by method, path and count", async () => {
    const proxy = await front();
    try {
      const cloud = await Cloud.connect("devcloud", proxy.cloudsYaml);
      const list = () => cloud.get<{ servers: unknown[] }>("compute", "/servers");
      proxy.interfere({ method: "GET", path: /^\/v2\.1\/servers$/, times: 2, answer: 503 });
      await rejects(list(), /503/);
      await rejects(list(), /503/);
      equal((await list()).servers.length, 2);
      proxy.interfere({ method: "GET", path: /servers/, times: 1, seconds: 2 });
      const began = Date.now();
      await list();
      ok(Date.now() - began >= 2000);
      proxy.interfere({ method: "GET", path: /servers/, times: 1, answer: "none" });
      await rejects(list(), /fetch failed/);
      ok(proxy.requests.includes("POST /v3/auth/tokens"));
      equal(statSync(proxy.cloudsYaml).mode & 0o077, 0);
    } finally {
      proxy.close();
    }
    ok(!existsSync(proxy.cloudsYaml));
  });

  /** Writes a file that is synced, then one that is not. Returns the line that `files` has for the first. */
  const write = (name: string, what: string): Promise<string> => servers.ssh(name, `cd /srv/data
    head -c 4M /dev/urandom >${what}-synced && sync ${what}-synced && sha256sum ${what}-synced
    head -c 4M /dev/urandom >${what}-plain`);

  /** Every file with its sum, also one of which only the name is left. */
  const files = async (name: string): Promise<string[]> =>
    (await until(`SSH on ${name}`, () => servers.ssh(name, "cd /srv/data && sha256sum *"))).split("\n");
});
