import { deepEqual, equal, match, ok } from "node:assert/strict";
import { join } from "node:path";
import execa from "execa";
import { up } from "../../devcloud";
import { inOrder } from "../inOrder";
import { rootOnly, until } from "../devcloud/cloud";
import { sshTo } from "../devcloud/servers";
import { Clients } from "./clients";

/** Every kind of resource by the command line that operators use. The tests go on from one another. */
describe("python-openstackclient", function () {
  this.timeout("15m");
  inOrder(this);
  let clients: Clients;
  let untouched: unknown;
  let address: string;

  before(async function () {
    rootOnly(this);
    await up(() => undefined);
    clients = await Clients.ready();
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(clients.folder, "key")]);
    untouched = await everything();
  });

  after(() => clients?.remove());

  it("makes a key pair, a security group and its rules", async () => {
    match((await ask<Shown>("keypair create --public-key /work/key.pub client"))["fingerprint"] as string, /^([0-9a-f]{2}:){15}/);
    await ask("security group create client");
    for (const rule of ["--protocol tcp --dst-port 22", "--protocol icmp", "--remote-group client"]) await ask(`security group rule create ${rule} client`);
    equal((await ask<Shown[]>("security group rule list --ingress client")).length, 3);
  });

  it("makes a network behind a router, a port in it and a floating IP for that", async () => {
    await ask("network create client");
    await ask("subnet create --network client --subnet-range 198.18.240.0/24 client");
    await ask("router create client");
    await client("router set --external-gateway public client");
    await client("router add subnet client client");
    await ask("port create --network client --security-group client client");
    const floating = await ask<Shown>("floating ip create --port client public");
    address = floating["floating_ip_address"] as string;
    deepEqual((await ask<Shown[]>("floating ip list")).map((each) => each["Floating IP Address"]), [address]);
  });

  it("makes a server in a group, which answers at the floating IP", async () => {
    await ask("server group create --policy anti-affinity client");
    const group = (await ask<Shown>("server group show client"))["id"] as string;
    const server = await ask<Shown>(`server create --flavor m1.tiny --image debian-12 --port client --key-name client --hint group=${group} --property role=first --wait client`);
    deepEqual([server["status"], server["properties"]], ["ACTIVE", { role: "first" }]);
    await until("SSH", () => ssh("true").then(() => true));
    match(await client("console log show client"), /login:|cloud-init/i);
  });

  it("gives it a volume, a snapshot of that, and more room while it is in use", async () => {
    await ask("volume create --size 1 --type fast client");
    await until("the volume", async () => (await ask<Shown>("volume show client"))["status"] === "available");
    await client("server add volume client client");
    await until("the volume to be in use", async () => (await ask<Shown>("volume show client"))["status"] === "in-use");
    await ask("volume snapshot create --volume client --force client");
    await until("the snapshot", async () => (await ask<Shown>("volume snapshot show client"))["status"] === "available");
    await client("--os-volume-api-version 3.42 volume set --size 2 client");
    await until("the server to see it", async () => (await ssh("lsblk --noheadings --output SIZE /dev/vdb")).trim() === "2G");
  });

  it("resizes, stops, starts, reboots, locks and rebuilds it", async () => {
    await client("server resize --flavor m1.small --wait client");
    await client("server resize confirm client");
    await is("ACTIVE");
    await client("server stop client");
    await is("SHUTOFF");
    await client("server start client");
    await is("ACTIVE");
    await client("server reboot --hard --wait client");
    await client("server lock client");
    await client("server unlock client");
    await client("server rebuild --image debian-13 --wait client");
    await is("ACTIVE");
    equal(await until("SSH", () => ssh(". /etc/os-release; echo $VERSION_CODENAME")), "trixie");
    const events = (await ask<Shown[]>("server event list client")).map((each) => each["Action"]);
    for (const event of ["create", "attach_volume", "resize", "confirmResize", "stop", "start", "reboot", "rebuild"]) ok(events.includes(event), events.join());
  });

  it("makes an application credential", async () => {
    const made = await ask<Shown>("application credential create --role member client");
    deepEqual([made["name"], made["roles"]], ["client", "member"]);
  });

  it("shows what a project may have, and where", async () => {
    ok((await ask<Shown[]>("limits show --absolute")).some((each) => each["Name"] === "maxTotalInstances"));
    deepEqual((await ask<Shown[]>("availability zone list --compute")).map((each) => each["Zone Name"]).sort(), ["az1", "az2", "az3"]);
    deepEqual((await ask<Shown[]>("image list")).map((each) => each["Name"]).sort(), ["debian-12", "debian-13"]);
  });

  it("shows the administrator hosts, services and agents, all up", async () => {
    const up = async (what: string, column: string) => [...new Set((await admin<Shown[]>(what)).map((each) => each[column]))];
    deepEqual(await up("compute service list", "State"), ["up"]);
    deepEqual(await up("volume service list", "State"), ["up"]);
    deepEqual(await up("network agent list", "Alive"), [true]);
    deepEqual((await admin<Shown[]>("hypervisor list")).map((each) => each["Hypervisor Hostname"]).sort(), ["host1", "host2", "host3", "host4", "host5"]);
  });

  it("removes all of it", async () => {
    await client("server remove volume client client");
    await until("the volume to be free", async () => (await ask<Shown>("volume show client"))["status"] === "available");
    await client("server delete --wait client");
    await client("server group delete client");
    await client("volume snapshot delete client");
    await until("the snapshot to go", async () => (await ask<Shown[]>("volume snapshot list")).length === 0);
    await client("volume delete client");
    await client(`floating ip delete ${address}`);
    await client("port delete client");
    await client("router remove subnet client client");
    for (const what of ["router", "network", "security group", "keypair", "application credential"]) await client(`${what} delete client`);
    await until("the volume to go", async () => (await ask<Shown[]>("volume list")).length === 0);
    deepEqual(await everything(), untouched);
  });

  type Shown = Record<string, unknown>;

  const client = (words: string) => clients.openstack("devcloud", words);
  const ask = async <T = Shown>(words: string) => JSON.parse(await client(`${words} --format json`)) as T;
  const admin = async <T>(words: string) => JSON.parse(await clients.openstack("devcloud-admin", `${words} --format json`)) as T;

  async function everything(): Promise<unknown> {
    const kinds = ["server", "server group", "keypair", "volume", "volume snapshot", "network", "subnet", "router", "port", "floating ip", "security group", "application credential"];
    const lists: Record<string, Shown[]> = {};
    for (const kind of kinds) lists[kind] = await ask<Shown[]>(`${kind} list`);
    return lists;
  }

  const is = (wanted: string) => until(`the server to be ${wanted}`, async () => (await ask<Shown>("server show client"))["status"] === wanted);

  const ssh = async (command: string) => (await sshTo(address, join(clients.folder, "key"), command)).stdout;
});
