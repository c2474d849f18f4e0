import { deepEqual, equal, rejects } from "node:assert/strict";
import { all, sight } from "./datastores/galera/model";
import { of } from "./document";
import { acts, Stack } from "./stack";

const three = of(1, 2, 3);
const names = three.members.map(({ name }) => name);
const madeAgain = { ...three, members: three.members.map((each) => (each.name === "orders-2" ? { ...each, server: "another" } : each)) };
const replaced = { ...madeAgain, replace: ["orders-2"] };
const preview = ["replace orders-2", "install orders-2", "mount orders-2", "configure orders-2", "join orders-2", "verify orders-1 orders-2 orders-3"];

describe("a replacement", () => {
  let stack: Stack;
  beforeEach(async () => {
    stack = new Stack();
    await stack.up(three);
  });
  afterEach(() => stack.fleet.end());
  /** A new server under the old volume, and the cluster without it. */
  const makeServer = () => {
    stack.fleet.seen = { ...all(names, "synced/2"), "orders-2": sight("whole:9,uninstalled,unmounted,unconfigured", 3) };
  };

  it("does what its preview said, and pins the new server's host key in place of the old one's", async () => {
    deepEqual(await stack.preview(replaced), preview);
    makeServer();
    deepEqual(await stack.up(replaced), acts(preview.slice(1)));
    deepEqual([stack.outs.status, stack.outs.known], ["ready", replaced.members]);
    deepEqual(Object.keys(stack.outs.pins).sort(), ["another", "server-of-orders-1", "server-of-orders-3"]);
  });

  it("is over once it is done, whether it stays named or not", async () => {
    makeServer();
    await stack.up(replaced);
    deepEqual((await stack.preview(replaced)).slice(1), []);
    deepEqual((await stack.preview(madeAgain)).slice(1), []);
    deepEqual(await stack.up(madeAgain), []);
    equal(stack.outs.replace, undefined);
  });

  it("that failed is gone on with by the same again", async () => {
    makeServer();
    stack.fleet.beforeStep = (step) => { if (step === "join") throw new Error("no donor"); };
    await rejects(stack.up(replaced), /join orders-2: no donor/);
    stack.fleet.beforeStep = () => undefined;
    deepEqual((await stack.preview(replaced)).slice(2), ["join orders-2", "verify orders-1 orders-2 orders-3"]);
    deepEqual(await stack.up(replaced), acts(["join orders-2", "verify orders-1 orders-2 orders-3"]));
  });

  it("is refused before the server goes while another member is known to be down", async () => {
    stack.fleet.seen = { ...all(names, "synced/2"), "orders-3": sight("whole:9", 3) };
    await stack.refresh();
    await rejects(stack.preview(replaced), /orders: refused: a member's server is taken away only while all others run.*bring orders-3 back first/);
  });

  it("also mends a member that went down after the preview: by then the server is gone", async () => {
    await stack.preview(replaced);
    stack.fleet.seen = { "orders-1": sight("synced/1", 3), "orders-2": sight("whole:9,uninstalled,unmounted,unconfigured", 3), "orders-3": sight("whole:9", 3) };
    await stack.up(replaced);
    deepEqual(stack.fleet.done.filter((act) => act.startsWith("join")).slice(-2), ["join orders-2", "join orders-3"]);
  });

  it("that nobody asked for, of a server that was deleted, is planned the same", async () => {
    deepEqual(await stack.preview(madeAgain), preview);
    makeServer();
    deepEqual(await stack.up(madeAgain), acts(preview.slice(1)));
  });
});
