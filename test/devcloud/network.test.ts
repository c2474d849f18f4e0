import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import execa from "execa";
import { cutNetwork, up } from "../../devcloud";
import { inOrder } from "../inOrder";
import { rootOnly, until } from "./cloud";
import { Servers } from "./servers";

interface Made {
  id: string;
}

/** Networks of a user's own, and who reaches whom in them. The tests go on from one another. */
describe("networks", function () {
  this.timeout("5m");
  inOrder(this);
  let servers: Servers;
  let own: string;
  let subnet: string;
  let router: string;
  let floating: { id: string; floating_ip_address: string };

  before(async function () {
    rootOnly(this);
    await up(() => undefined);
    servers = await Servers.of("networks");
  });

  after(async () => {
    if (!servers) return;
    if (floating) await servers.cloud.delete("network", `/floatingips/${floating.id}`);
    await servers.remove();
    if (router) {
      // It has none where its test failed early.
      await servers.cloud.put("network", `/routers/${router}/remove_router_interface`, { subnet_id: subnet }).catch(() => undefined);
      await servers.cloud.delete("network", `/routers/${router}`);
    }
    if (own) await servers.cloud.delete("network", `/networks/${own}`);
  });

  it("gives a server a foot in each of two networks", async () => {
    own = await make("network", { name: "own" });
    subnet = await make("subnet", { network_id: own, ip_version: 4, cidr: "198.18.250.0/24", gateway_ip: null, allocation_pools: [{ start: "198.18.250.10", end: "198.18.250.99" }], enable_dhcp: false });
    await servers.create("both", {}, [await servers.network(), own]);
    const addresses = (await servers.ssh("both", "hostname --all-ip-addresses")).trim().split(" ");
    equal(addresses.length, 2, addresses.join());
    ok(addresses.some((address) => address.startsWith("198.18.250.")), addresses.join());
  });

  it("reaches a server of that network from here by a floating IP, and lets it out", async () => {
    const external = (await servers.cloud.get<{ networks: Made[] }>("network", "/networks?router:external=true")).networks[0]!.id;
    router = await make("router", { name: "own", external_gateway_info: { network_id: external } });
    await servers.cloud.put("network", `/subnets/${subnet}`, { subnet: { gateway_ip: "198.18.250.1" } });
    await servers.cloud.put("network", `/routers/${router}/add_router_interface`, { subnet_id: subnet });
    const port = await servers.port(own);
    floating = (await servers.cloud.post<{ floatingip: typeof floating }>("network", "/floatingips", { floatingip: { floating_network_id: external, port_id: port.id } })).floatingip;
    await servers.boot("inner", [port], floating.floating_ip_address);
    await servers.ssh("inner", "sudo apt-get update -q >&2");
    equal(await servers.ssh("inner", "hostname"), "inner");
  });

  it("lets a group's members reach each other where a rule names the group, and nobody else", async () => {
    const [address] = (await servers.ssh("inner", "hostname --all-ip-addresses")).split(" ");
    const [outer] = (await servers.ssh("both", "hostname --all-ip-addresses")).split(" ").filter((each) => !each.startsWith("198.18.250."));
    for (const name of ["inner", "both"]) await servers.ssh(name, "sudo systemd-run --quiet python3 -m http.server 8080");
    const fromBoth = () => servers.ssh("both", `curl -s -m 2 -o /dev/null http://${address}:8080 && echo reached || echo blocked`);
    const fromHere = async () => (await execa("curl", ["-s", "-m", "2", "-o", "/dev/null", `http://${outer}:8080`], { reject: false })).exitCode === 0 ? "reached" : "blocked";
    await until("the web server", () => servers.ssh("inner", "curl -s -o /dev/null http://127.0.0.1:8080 && echo served"));
    deepEqual([await fromBoth(), await fromHere()], ["blocked", "blocked"]);
    await servers.open({ port_range_min: 8080, port_range_max: 8080, remote_group_id: servers.group });
    await until("the member to reach it", async () => (await fromBoth()) === "reached");
    equal(await fromHere(), "blocked");
    await servers.open({ port_range_min: 8080, port_range_max: 8080, remote_ip_prefix: "198.18.250.0/24" });
    equal(await fromHere(), "blocked");
    await servers.open({ port_range_min: 8080, port_range_max: 8080, remote_ip_prefix: "198.19.0.0/16" });
    await until("this machine to reach it", async () => (await fromHere()) === "reached");
  });

  it("knows servers by their names, for as long as they are there", async () => {
    const [address] = (await servers.ssh("both", "hostname --all-ip-addresses")).split(" ");
    const asked = (name: string) => servers.ssh("inner", `getent ahostsv4 ${name} | cut -d' ' -f1 | sort -u`);
    equal(await asked("both.devcloud.internal"), address);
    equal(await asked("nobody.devcloud.internal || true"), "");
    await servers.delete("both");
    await until("the name to go", async () => (await asked("both.devcloud.internal || true")) === "");
  });

  it("refuses to cut between servers that share no network, where nothing would be cut", async () => {
    const far = { name: "far", imageRef: await servers.image(), flavorRef: await servers.flavor("m1.none"), networks: [{ uuid: await servers.network() }] };
    servers.ids["far"] = (await servers.cloud.post<{ server: Made }>("compute", "/servers", { server: far })).server.id;
    await servers.settled("far", "ACTIVE");
    await rejects(cutNetwork(["inner"], ["far"]), /inner and far share no network/);
  });

  const make = async (what: string, wanted: object): Promise<string> =>
    (await servers.cloud.post<Record<string, Made>>("network", `/${what}s`, { [what]: wanted }))[what]!.id;
});
