import { deepEqual, equal, ok, rejects } from "node:assert/strict";
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

  it("in a cluster of one is recovered from the volume, as its preview said; with another volume it would be new", async () => {
    stack.fleet.end();
    stack = new Stack();
    const one = of(1);
    await stack.up(one);
    const again = { ...one, replace: ["orders-1"], members: [{ ...one.members[0]!, server: "another" }] };
    const said = await stack.preview(again);
    deepEqual(said.slice(1), ["install orders-1", "mount orders-1", "configure orders-1", "recover orders-1", "verify orders-1"]);
    const anew = { ...again, members: [{ ...again.members[0]!, volume: "another" }] };
    deepEqual((await stack.preview({ ...anew, replace: undefined }))[4], "bootstrap orders-1");
    await rejects(stack.preview(anew), /a volume is made again only while another member has its data. Seen: orders-1 is the only one/);
    stack.fleet.seen["orders-1"] = sight("whole:9,uninstalled,unmounted,unconfigured", 1);
    deepEqual(await stack.up(again), acts(said.slice(1)));
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

  it("is refused before the server goes while another member was not reached, whatever was seen of it before; the way out that is named leads out", async () => {
    stack.fleet.unreachable.add("orders-3");
    await stack.refresh();
    ok(stack.fleet.printed.includes("[orders] orders-3 cannot be seen (waited 20 s for SSH to orders-3 (198.18.0.13); last seen: connect ECONNREFUSED); what was seen of it before is kept"));
    await rejects(stack.preview(replaced), /every member and its volume must be seen.*orders-3 cannot be seen.*deleted with `openstack server delete`; after `pulumi refresh`/);
    stack.fleet.unreachable.clear();
    stack.fleet.seen = { ...all(names, "synced/2"), "orders-3": sight("whole:9,uninstalled,unmounted,unconfigured", 3) };
    const third = { ...three, members: three.members.map((each) => (each.name === "orders-3" ? { ...each, server: "third" } : each)) };
    await stack.up(third);
    deepEqual(await stack.preview({ ...third, members: third.members.map((each) => (each.name === "orders-2" ? { ...each, server: "another" } : each)), replace: ["orders-2"] }), preview);
  });

  it("is refused while the server that was made again was never seen: what was seen of the old one says nothing", async () => {
    stack.fleet.unreachable.add("orders-2");
    await rejects(stack.up(madeAgain), /orders-2 cannot be seen/);
    equal((stack.outs.seen["orders-2"] as { is: string }).is, "unreachable");
    deepEqual((await stack.preview(madeAgain)).slice(2), preview.slice(1));
    const third = madeAgain.members.map((each) => (each.name === "orders-3" ? { ...each, server: "third" } : each));
    await rejects(stack.preview({ ...madeAgain, members: third, replace: ["orders-3"] }), /orders-2 cannot be seen/);
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
