import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import type { ExecaError } from "execa";
import { freeze, powerCut, powerOn, thaw, up } from "../../devcloud";
import { inOrder } from "../inOrder";
import { rootOnly, until } from "./cloud";
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

  /** Writes a file that is synced, then one that is not. Returns the line that `files` has for the first. */
  const write = (name: string, what: string): Promise<string> => servers.ssh(name, `cd /srv/data
    head -c 4M /dev/urandom >${what}-synced && sync ${what}-synced && sha256sum ${what}-synced
    head -c 4M /dev/urandom >${what}-plain`);

  /** Every file with its sum, also one of which only the name is left. */
  const files = async (name: string): Promise<string[]> =>
    (await until(`SSH on ${name}`, () => servers.ssh(name, "cd /srv/data && sha256sum *"))).split("\n");
});
