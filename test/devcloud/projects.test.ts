import { equal, match, ok, rejects } from "node:assert/strict";
import { up } from "../../devcloud";
import { inOrder } from "../inOrder";
import { Cloud, rootOnly, until } from "./cloud";

interface Made {
  id: string;
}

/** Who may do how much. The tests go on from one another. */
describe("projects", function () {
  this.timeout("5m");
  inOrder(this);
  let admin: Cloud;
  let other: Cloud;
  let network: string;
  const made: [service: string, path: string][] = [];

  before(async function () {
    rootOnly(this);
    await up(() => undefined);
    [admin, other] = await Promise.all([Cloud.connect("devcloud-admin"), Cloud.connect("devcloud-other")]);
    network = await make("network", "networks", { network: { name: "other" } });
    await make("network", "subnets", { subnet: { network_id: network, ip_version: 4, cidr: "198.18.251.0/24", enable_dhcp: false } });
  });

  after(async () => {
    if (!other) return;
    await limit(-1);
    for (const [service, path] of made.filter(([service]) => service === "compute")) await gone(service, path);
    for (const [service, path] of made.filter(([service]) => service !== "compute").reverse()) await other.delete(service, path).catch(() => undefined);
  });

  it("keeps what is one project's from another", async () => {
    const server = await make("compute", "servers", { server: { name: "theirs", ...(await pretended()) } });
    const devcloud = await Cloud.connect("devcloud");
    await rejects(devcloud.get("compute", `/servers/${server}`), /403/);
    await rejects(devcloud.get("network", `/networks/${network}`), /404/);
    await gone("compute", `/servers/${server}`);
  });

  for (const [quota, service, path, wanted] of [
    ["instances", "compute", "/servers", async () => ({ server: { name: "one", ...(await pretended()) } })],
    ["cores", "compute", "/servers", async () => ({ server: { name: "one", ...(await pretended()) } })],
    ["ram", "compute", "/servers", async () => ({ server: { name: "one", ...(await pretended()) } })],
    ["server_groups", "compute", "/os-server-groups", () => ({ server_group: { name: "one", policy: "anti-affinity" } })],
    ["volumes", "block-storage", "/volumes", () => ({ volume: { size: 1 } })],
    ["gigabytes", "block-storage", "/volumes", () => ({ volume: { size: 1 } })],
    ["port", "network", "/ports", () => ({ port: { network_id: network } })],
    ["security_group", "network", "/security-groups", () => ({ security_group: { name: "one" } })],
    ["floatingip", "network", "/floatingips", async () => ({ floatingip: { floating_network_id: (await other.get<{ networks: Made[] }>("network", "/networks?name=public")).networks[0]!.id } })],
  ] as const)
    it(`says that the quota of ${quota} ran out`, async () => {
      await limit(0, quota);
      const refused: Error = await other.post(service, path, await wanted()).then(() => new Error("it was made"), (error: Error) => error);
      match(refused.message, /403|409|413/);
      match(String(refused.cause), /quota/i);
      await limit(-1, quota);
    });

  it("lets in who has an application credential, until it is taken back", async () => {
    const credentials = `/users/${other.who.user.id}/application_credentials`;
    type Credential = { application_credential: { id: string; secret: string } };
    const { application_credential: { id, secret } } = await other.post<Credential>("identity", credentials, { application_credential: { name: "pipeline" } });
    const signIn = () => Cloud.signIn(other.urls.get("identity")!, { identity: { methods: ["application_credential"], application_credential: { id, secret } } });
    equal((await signIn()).who.project.id, other.who.project.id);
    ok((await (await signIn()).get<{ networks: Made[] }>("network", `/networks?id=${network}`)).networks.length);
    await other.delete("identity", `${credentials}/${id}`);
    await rejects(signIn(), /404/);
  });

  /** Of one quota, or of all. */
  async function limit(count: number, quota?: string): Promise<void> {
    const project = other.who.project.id;
    const sets = { compute: ["instances", "cores", "ram", "server_groups"], "block-storage": ["volumes", "gigabytes"] };
    for (const [service, names] of Object.entries(sets)) {
      const wanted = names.filter((name) => !quota || name === quota);
      if (wanted.length > 0) await admin.put(service, `/os-quota-sets/${project}`, { quota_set: Object.fromEntries(wanted.map((name) => [name, count])) });
    }
    const wanted = ["port", "security_group", "floatingip"].filter((name) => !quota || name === quota);
    if (wanted.length > 0) await admin.put("network", `/quotas/${project}`, { quota: Object.fromEntries(wanted.map((name) => [name, count])) });
  }

  async function pretended(): Promise<object> {
    const [image] = (await other.get<{ images: Made[] }>("image", "/images?name=debian-12")).images;
    const { flavors } = await other.get<{ flavors: (Made & { name: string })[] }>("compute", "/flavors");
    return { imageRef: image!.id, flavorRef: flavors.find(({ name }) => name === "m1.none")!.id, networks: [{ uuid: network }] };
  }

  async function make(service: string, path: string, body: Record<string, object>): Promise<string> {
    const { id } = Object.values(await other.post<Record<string, Made>>(service, `/${path}`, body))[0]!;
    made.push([service, `/${path}/${id}`]);
    return id;
  }

  async function gone(service: string, path: string): Promise<void> {
    await other.delete(service, path).catch(() => undefined);
    await until(`${path} to go`, () => other.get(service, path).then(() => false, () => true));
  }
});
