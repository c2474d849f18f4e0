import { equal, match, notEqual, ok } from "node:assert/strict";
import { exec, up } from "../../devcloud";
import { inOrder } from "../inOrder";
import { rootOnly, until } from "./cloud";
import { Servers } from "./servers";

/** What a guest's machine does that a virtual one would. The tests go on from one another. */
describe("hypervisor", function () {
  this.timeout("5m");
  inOrder(this);
  let servers: Servers;
  let disk: string;

  before(async function () {
    rootOnly(this);
    await up(() => undefined);
    servers = await Servers.of("hypervisor");
    await Promise.all(["left", "right"].map((name) => servers.create(name)));
    disk = await servers.attach("left");
  });

  after(async () => {
    if (servers) await servers.remove();
  });

  it("gives each guest host keys of its own", async () => {
    const [left, right] = await Promise.all(["left", "right"].map((name) => servers.ssh(name, "cat /etc/ssh/ssh_host_ed25519_key.pub")));
    match(left!, /^ssh-ed25519 /);
    notEqual(left!.split(" ")[1], right!.split(" ")[1]);
  });

  it("tells cloud-init what the server was made with", async () => {
    equal(await servers.ssh("left", "cloud-init status --wait | tail -1"), "status: done");
    equal(await servers.ssh("left", "cloud-init query instance_id"), servers.ids["left"]);
  });

  it("answers guests for their gateway from one hardware address", async () => {
    const asked = await servers.ssh("right", "sudo apt-get update -q && sudo apt-get install -qy --no-install-recommends arping && sudo arping -c 3 -i ens3 $(ip -4 route show default | cut -d' ' -f3)");
    equal(new Set(asked.match(/from (([0-9a-f]{2}:){5}[0-9a-f]{2})/g)).size, 1, asked);
  });

  it("names a file system within a second of its making", async () => {
    await servers.ssh("left", "sudo apt-get update -q && sudo apt-get install -qy --no-install-recommends xfsprogs");
    await servers.ssh("left", `sudo mkfs.xfs -q ${disk} && sleep 1 && sudo ls -l /dev/disk/by-uuid/$(sudo blkid -p -s UUID -o value ${disk})`);
  });

  it("keeps network, disks and mounts over a reboot from within", async () => {
    const unit = "[Mount]\\nWhat=/dev/disk/by-uuid/%s\\nWhere=/srv/data\\nType=xfs\\n[Install]\\nWantedBy=local-fs.target\\n";
    await servers.ssh("left", `printf '${unit}' $(ls /dev/disk/by-uuid) | sudo tee /etc/systemd/system/srv-data.mount >/dev/null
      sudo systemctl enable --now --quiet srv-data.mount && sudo touch /srv/data/file && sudo touch /run/before`);
    await servers.ssh("left", "sudo systemctl --no-block reboot");
    await until("the boot", () => servers.ssh("left", "[ ! -e /run/before ] && echo booted"));
    equal(await servers.ssh("left", "findmnt --noheadings --output SOURCE /srv/data; ls /srv/data; systemctl --failed --quiet"), "/dev/vdb\nfile");
    equal(await servers.status("left"), "ACTIVE");
  });

  it("holds a guest to its flavor's memory", async () => {
    equal(await servers.ssh("right", "python3 -c 'bytearray(700 << 20)'; echo $?"), "137");
  });

  it("lets guests live while nova-compute is started again", async () => {
    const boot = await servers.ssh("left", "cat /proc/sys/kernel/random/boot_id");
    await exec(["supervisorctl", "-c", "/etc/devcloud/supervisord.conf", "restart", "nova-compute"]);
    equal(await servers.ssh("left", "cat /proc/sys/kernel/random/boot_id"), boot);
    await servers.act("left", { "os-stop": null });
    await servers.settled("left", "SHUTOFF");
    await servers.act("left", { "os-start": null });
    equal(await until("SSH", () => servers.ssh("left", "ls /srv/data")), "file");
  });

  it("pulls a disk that is mounted", async () => {
    await servers.settled("left", "ACTIVE");
    await servers.cloud.delete("compute", `/servers/${servers.ids["left"]}/os-volume_attachments/${servers.volumes["left"]}`);
    await servers.volumeIs("left", "available");
    equal(await servers.ssh("left", "ls /dev/disk/by-id /dev/disk/by-uuid /srv/data"), "/dev/disk/by-id:\n\n/dev/disk/by-uuid:\n\n/srv/data:");
    const { stdout } = await exec(["losetup", "--noheadings", "--output", "BACK-FILE"]);
    ok(!stdout.includes(servers.volumes["left"]!), stdout);
  });

  it("tells Nova of a guest that powers off", async () => {
    await servers.ssh("right", "sudo systemctl --no-block poweroff");
    await servers.settled("right", "SHUTOFF");
  });
});
