import { deepEqual, equal, match } from "node:assert/strict";
import { up } from "../../devcloud";
import { inOrder } from "../inOrder";
import type { Cloud} from "./cloud";
import { rootOnly, until } from "./cloud";
import { Servers } from "./servers";

interface Server {
  id: string;
  status: string;
  fault?: { message: string };
  "OS-EXT-SRV-ATTR:host": string;
}

/** Where servers are put: five hosts in three zones. Nothing boots, so the tests are quick. */
describe("the scheduler", function () {
  this.timeout("5m");
  inOrder(this);
  let servers: Servers;
  let admin: Cloud;
  const groups: string[] = [];
  const made: string[] = [];

  before(async function () {
    rootOnly(this);
    await up(() => undefined);
    servers = await Servers.of("scheduler");
    admin = await servers.administrator();
  });

  after(async () => {
    if (!servers) return;
    for (const id of made) await servers.cloud.delete("compute", `/servers/${id}`);
    for (const id of groups) await servers.cloud.delete("compute", `/os-server-groups/${id}`);
    await servers.remove();
  });

  it("puts the members of a strict group on hosts of their own, and says when there are no more", async () => {
    const group = await make("anti-affinity");
    // One after another: of those that are asked for at once some meet on one host, and Nova gives up on one that did so three times.
    const five: Server[] = [];
    for (let count = 0; count < 5; count++) five.push(await create({ group }));
    equal(new Set(five.map((each) => each["OS-EXT-SRV-ATTR:host"])).size, 5);
    const sixth = await create({ group });
    equal(sixth.status, "ERROR");
    match(sixth.fault!.message, /No valid host/);
  });

  it("spreads a soft group, and puts more than it has hosts", async () => {
    const group = await make("soft-anti-affinity");
    const six: Server[] = [];
    for (let count = 0; count < 6; count++) six.push(await create({ group }));
    deepEqual(six.map(({ status }) => status), Array(6).fill("ACTIVE"));
    equal(new Set(six.map((each) => each["OS-EXT-SRV-ATTR:host"])).size, 5);
  });

  it("keeps an affinity group on one host", async () => {
    const group = await make("affinity");
    const hosts = new Set<string>();
    for (let count = 0; count < 3; count++) hosts.add((await create({ group }))["OS-EXT-SRV-ATTR:host"]);
    equal(hosts.size, 1);
  });

  it("keeps to zones, and refuses one that there is not", async () => {
    const hosts = await Promise.all([1, 2, 3, 4].map(() => create({}, "az2")));
    for (const host of hosts) match(host["OS-EXT-SRV-ATTR:host"], /^host[34]$/);
    equal((await create({}, "az3"))["OS-EXT-SRV-ATTR:host"], "host5");
    const refused: Error = await create({}, "az9").then(() => new Error("it was made"), (error: Error) => error);
    match(`${refused.message} ${String(refused.cause)}`, /400.*availability zone/);
  });

  async function make(policy: string): Promise<string> {
    const { server_group } = await servers.cloud.post<{ server_group: { id: string } }>("compute", "/os-server-groups", { server_group: { name: "scheduler", policy } });
    groups.push(server_group.id);
    return server_group.id;
  }

  async function create(hints: object, zone?: string): Promise<Server> {
    const server = { name: "scheduler", imageRef: await servers.image(), flavorRef: await servers.flavor("m1.none"), networks: [{ uuid: await servers.network() }], ...(zone && { availability_zone: zone }) };
    const { id } = (await servers.cloud.post<{ server: Server }>("compute", "/servers", { server, "os:scheduler_hints": hints })).server;
    made.push(id);
    return until("the server to be settled", async () => {
      const { server } = await admin.get<{ server: Server }>("compute", `/servers/${id}`);
      return server.status !== "BUILD" && server;
    });
  }
});
