import { deepEqual, equal } from "node:assert/strict";
import { up } from "../../devcloud";
import { inOrder } from "../inOrder";
import { Cloud, rootOnly, until } from "../devcloud/cloud";
import { Servers } from "../devcloud/servers";

/** What a devcloud bears. */
describe("a devcloud with many servers", function () {
  this.timeout("20m");
  inOrder(this);
  let cloud: Cloud;
  let servers: Servers;

  before(async function () {
    rootOnly(this);
    await up(() => undefined);
    cloud = await Cloud.connect("devcloud");
    servers = await Servers.of("many");
  });

  after(() => servers?.remove());

  it("pretends a hundred of a flavor that boots nothing, spread over its hosts", async () => {
    const began = Date.now();
    await cloud.post("compute", "/servers", { server: {
      name: "many", imageRef: await servers.image(), flavorRef: await servers.flavor("m1.none"), networks: [{ uuid: await servers.network() }], min_count: 100, max_count: 100,
    } });
    const all = async () => (await cloud.get<{ servers: { id: string; status: string; hostId: string }[] }>("compute", "/servers/detail?name=many")).servers;
    const active = async () => (await all()).filter(({ status }) => status === "ACTIVE");
    await until("all to be ACTIVE", async () => (await active()).length === 100, 480);
    console.log(`      a hundred servers in ${((Date.now() - began) / 1000).toFixed(0)} s`);
    const made = await all();
    equal(new Set(made.map(({ hostId }) => hostId)).size, 5);
    for (const { id } of made) await cloud.delete("compute", `/servers/${id}`);
    await until("all to go", async () => (await all()).length === 0, 480);
    deepEqual(await all(), []);
  });
});
