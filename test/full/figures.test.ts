import { ok } from "node:assert/strict";
import { down, status, up } from "../../devcloud";
import { guestImage, images } from "../../devcloud/image";
import { controlPlaneTree } from "../../devcloud/tree";
import { inOrder } from "../inOrder";
import { rootOnly } from "../devcloud/cloud";
import { Servers } from "../devcloud/servers";

/** What a devcloud costs, and how long one waits for it. Each bound is far above what a machine with two processors needs. */
describe("a devcloud's figures", function () {
  this.timeout("15m");
  inOrder(this);
  let servers: Servers;

  before(async function () {
    rootOnly(this);
    await Promise.all([controlPlaneTree(() => undefined), ...Object.keys(images).map((name) => guestImage(name, () => undefined))]);
    await down(() => undefined);
  });

  after(() => servers?.remove());

  it("starts", async () => {
    const seconds = await timed(() => up(() => undefined));
    console.log(`      up with all in the cache: ${seconds.toFixed(0)} s`);
    ok(seconds < 300);
    console.log(`      memory of the control plane: ${(await status())!.mebibytes} MiB`);
  });

  for (const names of [["first"], ["one", "two", "three"]])
    it(`makes ${names.length === 1 ? "a server" : `${names.length} servers at once`}`, async () => {
      servers ??= await Servers.of("figures");
      const seconds = await timed(() => Promise.all(names.map((name) => servers.create(name))));
      console.log(`      from the first request to SSH on ${names.length}: ${seconds.toFixed(1)} s`);
      ok(seconds < 40);
    });

  it("holds idle ones in little memory", async () => {
    const found = (await status())!;
    const used = found.servers.map(({ mebibytes }) => mebibytes);
    console.log(`      memory of the control plane: ${found.mebibytes} MiB, of each idle server: ${used.join(", ")} MiB`);
    ok(used.length === 4 && used.every((mebibytes) => mebibytes > 0 && mebibytes < 200));
  });

  async function timed(act: () => Promise<unknown>): Promise<number> {
    const began = Date.now();
    await act();
    return (Date.now() - began) / 1000;
  }
});
