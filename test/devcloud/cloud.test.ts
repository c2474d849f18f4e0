import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import execa from "execa";
import { cloudsYaml, exec, status, up } from "../../devcloud";
import { inOrder } from "../inOrder";
import { Cloud, rootOnly, until } from "./cloud";

interface Server {
  id: string;
  status: string;
  fault?: { message: string };
  addresses: Record<string, { addr: string }[]>;
  "OS-EXT-AZ:availability_zone": string;
}

interface Named {
  id: string;
  name: string;
}

/** What an ordinary member can do, through OpenStack's APIs, and what guests then are. The tests go on from one another. */
describe("devcloud", function () {
  this.timeout("10m");
  inOrder(this);
  const folder = mkdtempSync(join(tmpdir(), "devcloud-"));
  const key = join(folder, "key");
  const me = `try-${process.pid}`;
  let cloud: Cloud;
  let group: string;
  let volume: string;
  const servers: Record<string, string> = {};
  const ports: string[] = [];
  const addresses: Record<string, string> = {};

  before(async function () {
    rootOnly(this);
    await up(() => undefined);
    cloud = await Cloud.connect("devcloud");
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", key]);
    await cloud.post("compute", "/os-keypairs", { keypair: { name: me, public_key: readFileSync(`${key}.pub`, "utf8") } });
    group = (await cloud.post<{ security_group: Named }>("network", "/security-groups", { security_group: { name: me } })).security_group.id;
    await open(22);
  });

  after(async () => {
    rmSync(folder, { recursive: true, force: true });
    if (group) await removeAll();
  });

  it("is up in a moment when it is up", async () => {
    const start = Date.now();
    await up(() => undefined);
    ok(Date.now() - start < 10_000);
  });

  it("keeps its passwords in files of root's, out of its logs and of what processes were started with", async () => {
    const home = dirname(cloudsYaml);
    const passwords = Object.values(JSON.parse(readFileSync(join(home, "etc/secrets.json"), "utf8")) as Record<string, string>);
    const { stdout } = await execa("grep", ["-rlF", "-f", "-", "etc", "log", "clouds.yaml", "container.json"], { cwd: home, input: passwords.join("\n") });
    const files = stdout.split("\n");
    ok(files.includes("clouds.yaml") && files.includes("etc/nova.conf"), stdout);
    deepEqual(files.filter((file) => file.startsWith("log/") || statSync(join(home, file)).mode & 0o077), []);
    const { stdout: processes } = await execa("ps", ["-eo", "args"]);
    ok(processes.includes("nova-conductor"));
    deepEqual(passwords.filter((password) => processes.includes(password)), []);
  });

  it("runs every service", async () => {
    const found = await status();
    deepEqual(found?.services.filter(({ running }) => !running), []);
  });

  it("makes servers in the zones asked for, and each answers SSH", async () => {
    await Promise.all(Object.entries({ one: "az1", three: "az3" }).map(async ([name, zone]) => {
      servers[name] = await create(name, { availability_zone: zone });
      addresses[name] = (await settled(servers[name], "ACTIVE")).addresses["private"]![0]!.addr;
      equal(await until(`SSH on ${name}`, () => ssh(name, "hostname")), name);
      equal((await server(servers[name]))["OS-EXT-AZ:availability_zone"], zone);
    }));
  });

  it("lets each count its uptime from its own boot", async () => {
    ok(Number(await ssh("one", "cut -d. -f1 /proc/uptime")) < 100);
    ok(Number(await ssh("one", "systemctl show -P UserspaceTimestampMonotonic")) < 10e6);
  });

  it("lets the user of the image become root, and nobody else in", async () => {
    equal(await ssh("one", "sudo id -un"), "root");
    await rejects(execa("ssh", [...options(), "-o", "IdentitiesOnly=yes", "-i", "/dev/null", `debian@${addresses["one"]}`, "true"]), /Permission denied/);
  });

  it("answers at once for a name that nobody knows", async () => {
    const asked = await ssh("one", "time -p getent hosts nobody.example || true", { all: true });
    ok(Number(/real ([\d.]+)/.exec(asked)?.[1]) < 1, asked);
  });

  it("gives guests Debian's packages", async () => {
    await ssh("one", "sudo apt-get update -q && sudo DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends hello");
    equal(await ssh("one", "hello"), "Hello, world!");
  });

  it("shows an attached volume under the name that KVM would give it", async () => {
    volume = (await cloud.post<{ volume: Named }>("block-storage", "/volumes", { volume: { name: me, size: 1, availability_zone: "az1" } })).volume.id;
    await volumeIs("available");
    await cloud.post("compute", `/servers/${servers["one"]}/os-volume_attachments`, { volumeAttachment: { volumeId: volume } });
    await volumeIs("in-use");
    const link = `/dev/disk/by-id/virtio-${volume.slice(0, 20)}`;
    equal(await until("the disk", () => ssh("one", `lsblk --noheadings --raw --output SIZE "$(readlink -e ${link})"`)), "1G");
  });

  it("opens a port to guests and host only by a rule", async () => {
    await ssh("one", "sudo systemd-run --quiet python3 -m http.server 8080");
    await until("the web server", () => ssh("one", "curl -sf -o /dev/null http://127.0.0.1:8080 && echo served"));
    const fromGuest = () => ssh("three", `curl -sf -m 3 -o /dev/null http://${addresses["one"]}:8080 && echo reached || echo blocked`);
    const fromHost = () => execa("curl", ["-sf", "-m", "3", "-o", "/dev/null", `http://${addresses["one"]}:8080`], { reject: false });
    equal(await fromGuest(), "blocked");
    equal((await fromHost()).exitCode, 28);
    await open(8080);
    await until("the guest to reach it", async () => (await fromGuest()) === "reached");
    await until("the host to reach it", async () => (await fromHost()).exitCode === 0);
  });

  it("stops and starts a server", async () => {
    await act("one", { "os-stop": null });
    await settled(servers["one"]!, "SHUTOFF");
    await rejects(ssh("one", "true"));
    await act("one", { "os-start": null });
    await settled(servers["one"]!, "ACTIVE");
    equal(await until("SSH", () => ssh("one", "hostname")), "one");
  });

  for (const type of ["SOFT", "HARD"])
    it(`reboots a server ${type.toLowerCase()}, with its disk`, async () => {
      await ssh("one", "touch /tmp/before; sudo touch /run/before");
      await act("one", { reboot: { type } });
      await until("the boot", () => ssh("one", "[ ! -e /run/before ] && echo booted"));
      ok(await until("the disk", () => ssh("one", `readlink -e /dev/disk/by-id/virtio-${volume.slice(0, 20)}`)));
      await settled(servers["one"]!, "ACTIVE");
    });

  it("shows the console, with the host keys that cloud-init prints", async () => {
    const { output } = await cloud.post<{ output: string }>("compute", `/servers/${servers["one"]}/action`, { "os-getConsoleOutput": {} });
    const hostKey = (await ssh("one", "cat /etc/ssh/ssh_host_ed25519_key.pub")).split(" ")[1]!;
    ok(output.includes(hostKey), output.slice(-2000));
  });

  it("puts a server that fits no host into ERROR, with its fault", async () => {
    const admin = await Cloud.connect("devcloud-admin");
    const flavor = { name: "huge", vcpus: 1, ram: 900_000, disk: 1 };
    const { id } = (await admin.post<{ flavor: Named }>("compute", "/flavors", { flavor })).flavor;
    servers["huge"] = await create("huge", { flavorRef: id });
    match((await settled(servers["huge"], "ERROR")).fault!.message, /No valid host/);
    await admin.delete("compute", `/flavors/${id}`);
  });

  it("leaves nothing of what was deleted", async () => {
    await removeAll();
    const gone = [...Object.values(servers), volume].flatMap((id) => ["-o", "-name", id]).slice(1);
    equal((await exec(["find", "/var/lib/devcloud", ...gone])).stdout, "");
    const links = (await exec(["ls", "/sys/class/net"])).stdout;
    for (const id of ports) ok(!links.includes(`tap${id.slice(0, 11)}`), links);
    group = "";
  });

  async function removeAll(): Promise<void> {
    await Promise.all(Object.values(servers).map((id) => remove("compute", `/servers/${id}`)));
    if (volume) {
      await volumeIs("available");
      await remove("block-storage", `/volumes/${volume}`);
    }
    for (const id of ports) await remove("network", `/ports/${id}`);
    await remove("network", `/security-groups/${group}`);
    await cloud.delete("compute", `/os-keypairs/${me}`);
  }

  const remove = async (service: string, path: string) => {
    await cloud.delete(service, path);
    await until(`${path} to go`, async () => (await cloud.get(service, path).catch((error: Error) => error.message)) === `GET ${path}: 404`);
  };

  const options = () => ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "ConnectTimeout=3", "-o", "LogLevel=ERROR"];

  const ssh = async (name: string, command: string, { all = false } = {}): Promise<string> => {
    const done = await execa("ssh", [...options(), "-i", key, `debian@${addresses[name]}`, command], { all, timeout: 120_000 });
    return all ? done.all! : done.stdout;
  };

  const server = async (id: string) => (await cloud.get<{ server: Server }>("compute", `/servers/${id}`)).server;
  const act = (name: string, action: object) => cloud.post("compute", `/servers/${servers[name]}/action`, action);

  const settled = (id: string, wanted: string) =>
    until(`the server to be ${wanted}`, async () => {
      const found = await server(id);
      return found.status === wanted && found;
    });

  const volumeIs = (wanted: string) =>
    until(`the volume to be ${wanted}`, async () =>
      (await cloud.get<{ volume: { status: string } }>("block-storage", `/volumes/${volume}`)).volume.status === wanted);

  const open = (port: number) =>
    cloud.post("network", "/security-group-rules", {
      security_group_rule: { security_group_id: group, direction: "ingress", protocol: "tcp", port_range_min: port, port_range_max: port },
    });

  async function create(name: string, more: object): Promise<string> {
    const [network] = (await cloud.get<{ networks: Named[] }>("network", "/networks?name=private")).networks;
    const [image] = (await cloud.get<{ images: Named[] }>("image", "/images?name=debian-12")).images;
    const { flavors } = await cloud.get<{ flavors: Named[] }>("compute", "/flavors");
    const port = { network_id: network!.id, security_groups: [group] };
    const made = await cloud.post<{ port: Named }>("network", "/ports", { port });
    ports.push(made.port.id);
    const flavorRef = flavors.find((flavor) => flavor.name === "m1.tiny")!.id;
    const body = { name, imageRef: image!.id, flavorRef, key_name: me, networks: [{ port: made.port.id }], ...more };
    return (await cloud.post<{ server: Server }>("compute", "/servers", { server: body })).server.id;
  }
});
