import { equal, match, notEqual, ok } from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import execa from "execa";
import { exec, up } from "../../devcloud";
import { Cloud, rootOnly, until } from "./cloud";

interface Server {
  id: string;
  status: string;
}

interface Named {
  id: string;
  name: string;
}

/** What a guest's machine does that a virtual one would. The tests go on from one another. */
describe("hypervisor", function () {
  this.timeout("5m");
  this.bail(true);
  const folder = mkdtempSync(join(tmpdir(), "hypervisor-"));
  const key = join(folder, "key");
  let cloud: Cloud;
  let group: string;
  let volume: string;
  const servers: Record<string, string> = {};
  const addresses: Record<string, string> = {};
  const ports: string[] = [];

  before(async function () {
    rootOnly(this);
    await up(() => undefined);
    cloud = await Cloud.connect("devcloud");
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
    await cloud.post("compute", "/os-keypairs", { keypair: { name: "hypervisor", public_key: readFileSync(`${key}.pub`, "utf8") } });
    group = (await cloud.post<{ security_group: Named }>("network", "/security-groups", { security_group: { name: "hypervisor" } })).security_group.id;
    await cloud.post("network", "/security-group-rules", {
      security_group_rule: { security_group_id: group, direction: "ingress", protocol: "tcp", port_range_min: 22, port_range_max: 22 },
    });
    await Promise.all(["left", "right"].map((name) => create(name)));
    await Promise.all(["left", "right"].map((name) => until(`SSH on ${name}`, () => ssh(name, "hostname"))));
    await Promise.all(["left", "right"].map((name) => settled(name, "ACTIVE")));
    volume = (await cloud.post<{ volume: Named }>("block-storage", "/volumes", { volume: { name: "hypervisor", size: 1 } })).volume.id;
    await volumeIs("available");
    await cloud.post("compute", `/servers/${servers["left"]}/os-volume_attachments`, { volumeAttachment: { volumeId: volume } });
    await volumeIs("in-use");
  });

  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    if (cloud) await clean();
  });

  it("gives each guest host keys of its own", async () => {
    const [left, right] = await Promise.all(["left", "right"].map((name) => ssh(name, "cat /etc/ssh/ssh_host_ed25519_key.pub")));
    match(left!, /^ssh-ed25519 /);
    notEqual(left!.split(" ")[1], right!.split(" ")[1]);
  });

  it("tells cloud-init what the server was made with", async () => {
    equal(await ssh("left", "cloud-init status --wait | tail -1"), "status: done");
    equal(await ssh("left", "cloud-init query instance_id"), servers["left"]);
  });

  it("names a file system within a second of its making", async () => {
    await ssh("left", "sudo apt-get update -q && sudo apt-get install -qy --no-install-recommends xfsprogs");
    const disk = `/dev/disk/by-id/virtio-${volume.slice(0, 20)}`;
    await ssh("left", `sudo mkfs.xfs -q ${disk} && sleep 1 && sudo ls -l /dev/disk/by-uuid/$(sudo blkid -p -s UUID -o value ${disk})`);
  });

  it("keeps network, disks and mounts over a reboot from within", async () => {
    const unit = "[Mount]\\nWhat=/dev/disk/by-uuid/%s\\nWhere=/srv/data\\nType=xfs\\n[Install]\\nWantedBy=local-fs.target\\n";
    await ssh("left", `printf '${unit}' $(ls /dev/disk/by-uuid) | sudo tee /etc/systemd/system/srv-data.mount >/dev/null
      sudo systemctl enable --now --quiet srv-data.mount && sudo touch /srv/data/file && sudo touch /run/before`);
    await ssh("left", "sudo systemctl --no-block reboot");
    await until("the boot", () => ssh("left", "[ ! -e /run/before ] && echo booted"));
    equal(await ssh("left", "findmnt --noheadings --output SOURCE /srv/data; ls /srv/data; systemctl --failed --quiet"), "/dev/vdb\nfile");
    equal((await server("left")).status, "ACTIVE");
  });

  it("holds a guest to its flavor's memory", async () => {
    equal(await ssh("right", "python3 -c 'bytearray(700 << 20)'; echo $?"), "137");
  });

  it("lets guests live while nova-compute is started again", async () => {
    const boot = await ssh("left", "cat /proc/sys/kernel/random/boot_id");
    const host = (await exec(["sh", "-c", `basename $(dirname /var/lib/devcloud/guests/*/${servers["left"]})`])).stdout;
    await exec(["supervisorctl", "-c", "/etc/devcloud/supervisord.conf", "restart", `nova-compute-${host}`]);
    equal(await ssh("left", "cat /proc/sys/kernel/random/boot_id"), boot);
    await cloud.post("compute", `/servers/${servers["left"]}/action`, { "os-stop": null });
    await settled("left", "SHUTOFF");
    await cloud.post("compute", `/servers/${servers["left"]}/action`, { "os-start": null });
    equal(await until("SSH", () => ssh("left", "ls /srv/data")), "file");
  });

  it("pulls a disk that is mounted", async () => {
    await settled("left", "ACTIVE");
    await cloud.delete("compute", `/servers/${servers["left"]}/os-volume_attachments/${volume}`);
    await volumeIs("available");
    equal(await ssh("left", "ls /dev/disk/by-id /dev/disk/by-uuid /srv/data"), "/dev/disk/by-id:\n\n/dev/disk/by-uuid:\n\n/srv/data:");
    const { stdout } = await exec(["losetup", "--noheadings", "--output", "BACK-FILE"]);
    ok(!stdout.includes(volume), stdout);
  });

  it("tells Nova of a guest that powers off", async () => {
    await ssh("right", "sudo systemctl --no-block poweroff");
    await settled("right", "SHUTOFF");
  });

  const options = () => ["-i", key, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "ConnectTimeout=3", "-o", "LogLevel=ERROR"];

  const ssh = async (name: string, command: string): Promise<string> =>
    (await execa("ssh", [...options(), `debian@${addresses[name]}`, command], { timeout: 120_000 })).stdout;

  const server = async (name: string) => (await cloud.get<{ server: Server }>("compute", `/servers/${servers[name]}`)).server;

  const settled = (name: string, wanted: string) =>
    until(`${name} to be ${wanted}`, async () => (await server(name)).status === wanted);

  const volumeIs = (wanted: string) =>
    until(`the volume to be ${wanted}`, async () =>
      (await cloud.get<{ volume: { status: string } }>("block-storage", `/volumes/${volume}`)).volume.status === wanted);

  async function create(name: string): Promise<void> {
    const [network] = (await cloud.get<{ networks: Named[] }>("network", "/networks?name=private")).networks;
    const [image] = (await cloud.get<{ images: Named[] }>("image", "/images?name=debian-12")).images;
    const { flavors } = await cloud.get<{ flavors: Named[] }>("compute", "/flavors");
    const port = { network_id: network!.id, security_groups: [group] };
    const made = await cloud.post<{ port: { id: string; fixed_ips: { ip_address: string }[] } }>("network", "/ports", { port });
    ports.push(made.port.id);
    addresses[name] = made.port.fixed_ips[0]!.ip_address;
    const flavorRef = flavors.find((flavor) => flavor.name === "m1.tiny")!.id;
    const body = { name, imageRef: image!.id, flavorRef, key_name: "hypervisor", networks: [{ port: made.port.id }] };
    servers[name] = (await cloud.post<{ server: Server }>("compute", "/servers", { server: body })).server.id;
  }

  async function clean(): Promise<void> {
    for (const id of Object.values(servers)) await cloud.delete("compute", `/servers/${id}`);
    await until("the servers to go", async () => {
      const left = (await cloud.get<{ servers: Server[] }>("compute", "/servers")).servers.map(({ id }) => id);
      return !Object.values(servers).some((id) => left.includes(id));
    });
    if (volume) await cloud.delete("block-storage", `/volumes/${volume}`);
    for (const id of ports) await cloud.delete("network", `/ports/${id}`);
    if (group) await cloud.delete("network", `/security-groups/${group}`);
    await cloud.delete("compute", "/os-keypairs/hypervisor");
  }
});
