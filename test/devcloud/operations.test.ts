import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { exec, up } from "../../devcloud";
import { inOrder } from "../inOrder";
import { rootOnly, until } from "./cloud";
import { Servers } from "./servers";

/** What a cloud does with a server that is there. The tests go on from one another. */
describe("operations on a server", function () {
  this.timeout("5m");
  inOrder(this);
  let servers: Servers;
  let disk: string;
  const one = () => servers.ids["one"]!;

  before(async function () {
    rootOnly(this);
    await up(() => undefined);
    servers = await Servers.of("operations");
    await servers.create("one", { user_data: Buffer.from("#!/bin/sh\ntouch /var/lib/told\n").toString("base64") });
    disk = await servers.attach("one");
    await servers.ssh("one", "cloud-init status --wait >/dev/null; ls /var/lib/told; sudo touch /root/kept");
  });

  after(async () => {
    if (servers) await servers.remove();
  });

  it("resizes it, with its disks and address, and keeps the new flavor when that is confirmed", async () => {
    await resized("m1.small");
    deepEqual([await memory(), await kept()], [2048, true]);
    await servers.act("one", { confirmResize: null });
    await servers.settled("one", "ACTIVE");
    deepEqual(await aside(), []);
  });

  it("takes a resize back with all that was there before it", async () => {
    await resized("m1.tiny");
    equal(await memory(), 512);
    await servers.ssh("one", "sudo rm /root/kept");
    await servers.act("one", { revertResize: null });
    await servers.settled("one", "ACTIVE");
    deepEqual([await memory(), await kept()], [2048, true]);
    deepEqual(await aside(), []);
  });

  it("refuses what a locked server is asked for by its user", async () => {
    const admin = await servers.administrator();
    await admin.post("compute", `/servers/${one()}/action`, { lock: { locked_reason: "kept" } });
    await rejects(servers.act("one", { reboot: { type: "HARD" } }), /409/);
    await admin.post("compute", `/servers/${one()}/action`, { unlock: null });
  });

  it("plugs an interface into it and pulls it again", async () => {
    const { interfaceAttachment } = await servers.cloud.post<{ interfaceAttachment: { port_id: string; mac_addr: string } }>(
      "compute", `/servers/${one()}/os-interface`, { interfaceAttachment: { net_id: await servers.network() } });
    const macs = () => servers.ssh("one", "cat /sys/class/net/*/address");
    ok((await macs()).includes(interfaceAttachment.mac_addr));
    const { port } = await until("the port to be bound", async () => {
      const found = await servers.cloud.get<{ port: { status: string } }>("network", `/ports/${interfaceAttachment.port_id}`);
      return found.port.status === "ACTIVE" && found;
    });
    equal(port.status, "ACTIVE");
    await servers.cloud.delete("compute", `/servers/${one()}/os-interface/${interfaceAttachment.port_id}`);
    await until("the interface to go", async () => !(await macs()).includes(interfaceAttachment.mac_addr));
    // Until Nova itself is done with it, it would give the port to a server that is built anew, and wait in vain for a word of it.
    await until("Nova to be done", async () => (await actions())[0]!.action === "detach_interface" && (await events((await actions())[0]!.request_id)).some(({ result }) => result === "Success"));
  });

  it("builds it anew from its image: the root disk is new, address and volumes are as before", async () => {
    const hostKey = () => servers.ssh("one", "cat /etc/ssh/ssh_host_ed25519_key.pub");
    const before = await hostKey();
    await servers.act("one", { rebuild: { imageRef: await servers.image() } });
    await servers.settled("one", "ACTIVE");
    const now = await until("SSH", hostKey);
    ok(now !== before);
    equal(await kept(), false);
  });

  it("tells what was done to it, by whom and with which end", async () => {
    const all = await actions();
    const done = all.filter(({ message }) => !message).map(({ action }) => action).reverse();
    for (const action of ["create", "resize", "confirmResize", "revertResize", "attach_interface", "rebuild"]) ok(done.includes(action), done.join());
    ok((await events(all.at(-1)!.request_id)).some(({ event, result }) => event === "compute__do_build_and_run_instance" && result === "Success"));
  });

  it("starts one from a volume, which keeps what it wrote when the server is gone", async () => {
    const root = { boot_index: 0, uuid: await servers.image(), source_type: "image", destination_type: "volume", volume_size: 2, delete_on_termination: false };
    await servers.create("two", { imageRef: undefined, block_device_mapping_v2: [root] });
    await servers.ssh("two", "sudo sh -c 'cloud-init status --wait >/dev/null; echo stays >/root/written; sync'");
    const volume = await servers.rootVolume("two");
    await servers.delete("two");
    await servers.volumeStatus(volume, "available");
    await servers.create("three", { imageRef: undefined, block_device_mapping_v2: [{ boot_index: 0, uuid: volume, source_type: "volume", destination_type: "volume", delete_on_termination: true }] });
    equal(await servers.ssh("three", "sudo cat /root/written; hostname"), "stays\nthree");
  });

  it("tells a server through its config drive all that it is to know, and cloud-init does it", async () => {
    const port = await servers.port(await servers.network());
    const told = "#cloud-config\nwrite_files: [{path: /run/said, content: by its user}]\n";
    await servers.boot("five", [port], port.address, { availability_zone: "az2", metadata: { role: "first" }, user_data: Buffer.from(told).toString("base64"), config_drive: true });
    const drive = "/var/lib/cloud/seed/config_drive";
    const read = (path: string) => servers.ssh("five", `sudo cat ${drive}/${path}`);
    const { uuid, name, hostname, availability_zone, meta, public_keys, project_id } = JSON.parse(await read("openstack/latest/meta_data.json")) as Record<string, unknown>;
    deepEqual({ uuid, name, hostname, availability_zone, meta, project_id, keys: Object.keys(public_keys as object) }, {
      uuid: servers.ids["five"], name: "five", hostname: "five.devcloud.internal", availability_zone: "az2", meta: { role: "first" }, project_id: servers.cloud.who.project.id, keys: ["operations"] });
    const { links, networks } = JSON.parse(await read("openstack/latest/network_data.json")) as { links: { ethernet_mac_address: string; mtu: number }[]; networks: { ip_address: string; type: string }[] };
    deepEqual(networks.map(({ ip_address, type }) => [ip_address, type]), [[port.address, "ipv4"]]);
    equal(await servers.ssh("five", "cat /sys/class/net/e*/address /sys/class/net/e*/mtu"), `${links[0]!.ethernet_mac_address}\n${links[0]!.mtu}`);
    equal(await read("openstack/latest/user_data"), told.trim());
    equal(await servers.ssh("five", "cloud-init status --wait >/dev/null; cat /run/said; echo; hostname --fqdn"), "by its user\nfive.devcloud.internal");
    equal(await servers.ssh("five", `sudo touch ${drive}/mine 2>&1 || true`), `touch: cannot touch '${drive}/mine': Read-only file system`);
  });

  it("starts Debian 13 as well, with everything that systemd has to start", async () => {
    await servers.create("four", { imageRef: await servers.image("debian-13") });
    equal(await servers.ssh("four", ". /etc/os-release; cloud-init status --wait >/dev/null; sudo apt-get update -q >&2; echo $VERSION_CODENAME $(systemctl is-system-running --wait)"), "trixie running");
  });

  /** What was done to it, the latest first. */
  const actions = async () => (await servers.cloud.get<{ instanceActions: { action: string; message: string | null; request_id: string }[] }>(
    "compute", `/servers/${one()}/os-instance-actions`)).instanceActions;
  const events = async (request: string) => (await servers.cloud.get<{ instanceAction: { events: { event: string; result: string | null }[] } }>(
    "compute", `/servers/${one()}/os-instance-actions/${request}`)).instanceAction.events;

  async function resized(flavor: string): Promise<void> {
    await servers.act("one", { resize: { flavorRef: await servers.flavor(flavor) } });
    await servers.settled("one", "VERIFY_RESIZE");
    await until("SSH", () => servers.ssh("one", "hostname"));
  }

  /** Of its control group: what /proc/meminfo says is this machine's. */
  const memory = async () => Number((await exec(["sh", "-c", `cat /sys/fs/cgroup/devcloud-*/${one()}/memory.max /sys/fs/cgroup/memory/devcloud-*/${one()}/memory.limit_in_bytes 2>/dev/null || true`])).stdout) / 2 ** 20;
  const kept = async () => (await until("SSH", () => servers.ssh("one", `sudo sh -c '[ ! -e /root/kept ] || echo kept; readlink -e ${disk}'`))).startsWith("kept\n/dev/vd");
  const aside = async () => (await exec(["sh", "-c", "find /var/lib/devcloud/aside -mindepth 2 || true"])).stdout.split("\n").filter(Boolean);
});
