import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { all, sight } from "./datastores/galera/model";
import { of } from "./document";
import { Stack } from "./stack";

const [three, five] = [of(1, 2, 3), of(1, 2, 3, 4, 5)];
const members = three.members.map(({ name }) => name);
const everyone = five.members.map(({ name }) => name);
/** An error of a machine that is new, and warnings of any. */
const full = { space: "204800 /", swappiness: "60", SwapTotal: "2097152" };
const swaps = (...names: string[]) => `warning: a database's memory is not swapped out while there is other. Seen: ${names.join(", ")}: 2048 MiB of swap, vm.swappiness = 60. Way forward: \`echo vm.swappiness = 1 | sudo tee /etc/sysctl.d/99-swappiness.conf\`, then \`sudo sysctl --system\`.`;

describe("a preflight", () => {
  let stack: Stack;
  beforeEach(() => { stack = new Stack(); });
  afterEach(() => stack.fleet.end());
  const warnings = () => stack.said.filter((line) => line.startsWith("warning: "));
  const failure = async (program: typeof three): Promise<string[]> =>
    stack.up(program).then(() => { throw new Error("it should have failed"); }, (error) => (error as { reasons: string[] }).reasons);

  it("of machines that are well says nothing, and looks at each once", async () => {
    await stack.up(three);
    deepEqual([stack.fleet.inspected.sort(), warnings(), stack.outs.status], [members, [], "ready"]);
  });

  it("holds a create up before its first act, with all that was found of all; mended, the same `up` goes on", async () => {
    stack.fleet.machines["orders-1"] = full;
    stack.fleet.machines["orders-3"] = { ...full, xfs: "no" };
    const reasons = await failure(three);
    deepEqual(reasons.map((reason) => reason.replace(/ Way forward.*/, "")), [
      "refused: a member's kernel knows xfs. Seen: orders-3: neither built in nor a module.",
      "refused: a member's root file system has 700 MiB free. Seen: orders-1, orders-3: 200 MiB on /.",
    ]);
    deepEqual([warnings(), stack.fleet.done, stack.outs.status], [[swaps("orders-1", "orders-3")], [], "failed"]);
    delete stack.fleet.machines["orders-1"];
    delete stack.fleet.machines["orders-3"];
    await stack.up(three);
    equal(stack.outs.status, "ready");
  });

  it("warns of what is no error, and the run goes on", async () => {
    stack.fleet.machines["orders-2"] = { SwapTotal: "2097152" };
    await stack.up(three);
    deepEqual([warnings(), stack.outs.status], [[swaps("orders-2")], "ready"]);
    ok(stack.said.indexOf(swaps("orders-2")) < stack.said.findIndex((line) => line.startsWith("step 1/")), stack.said.join("\n"));
  });

  it("previews and refreshes ask no machine", async () => {
    await stack.preview(three);
    await stack.up(three);
    stack.fleet.inspected.length = 0;
    await stack.preview(five);
    await stack.refresh();
    deepEqual(stack.fleet.inspected, []);
  });

  it("compares a volume with the size that was asked for", async () => {
    stack.fleet.machines["orders-2"] = { volume: "5368709120 0" };
    deepEqual((await failure(three)).map((reason) => reason.replace(/ Way forward.*/, "")), ["refused: a member's volume is as large as `volume.size` asked for. Seen: orders-2: 5120 MiB of 10240."]);
  });

  it("of a machine that cannot be looked at says so, and the run goes on", async () => {
    stack.fleet.machines["orders-2"] = new Proxy({}, { ownKeys: () => { throw new Error("no route"); } });
    await stack.up(three);
    deepEqual([warnings(), stack.outs.status], [["warning: the machine of orders-2 could not be looked at: no route"], "ready"]);
  });

  it("is no hindrance once a member's first package was begun: the step that fails says why", async () => {
    stack.fleet.beforeStep = (step) => { if (step === "install") throw new Error("no mirror"); };
    await rejects(stack.up(three), /install orders-1: no mirror/);
    stack.fleet.beforeStep = () => undefined;
    for (const name of members) stack.fleet.machines[name] = { ...full, begun: "/usr/local/lib/datastores/may-start" };
    await stack.up(three);
    equal(stack.outs.status, "ready");
    equal(warnings().length, 2);
  });

  describe("of a cluster that runs", () => {
    beforeEach(async () => {
      await stack.up(three);
      stack.fleet.inspected.length = 0;
    });

    it("warns of members that run, and holds up what would make a new one of a machine that cannot be one", async () => {
      for (const name of everyone) stack.fleet.machines[name] = full;
      deepEqual((await failure(five)).map((reason) => reason.replace(/ Way forward.*/, "")), ["refused: a member's root file system has 700 MiB free. Seen: orders-4, orders-5: 200 MiB on /."]);
      deepEqual(warnings().map((line) => line.replace(/ Way forward.*/, "")), [
        "warning: a member's root file system has 500 MiB free. Seen: orders-1, orders-2, orders-3: 200 MiB on /.",
        swaps(...everyone).replace(/ Way forward.*/, ""),
      ]);
      deepEqual(stack.fleet.inspected.sort(), everyone);
    });

    it("does not keep it from growing, whatever is found of those that run", async () => {
      for (const name of members) stack.fleet.machines[name] = { ...full, xfs: "no", apt: "", state: "stopping", readonly: "/etc" };
      await stack.up(five);
      equal(stack.outs.status, "ready");
    });

    it("asks nobody when nobody is new: not for a shrink, and not for members that come back", async () => {
      await stack.up(five);
      stack.fleet.inspected.length = 0;
      await stack.up(three);
      stack.fleet.seen = { ...stack.fleet.seen, "orders-2": sight("whole:9", 3) };
      await stack.refresh();
      await stack.up(three);
      deepEqual(stack.fleet.inspected, []);
    });

    it("only warns of a new server below data", async () => {
      const replaced = { ...three, members: three.members.map((each) => (each.name === "orders-2" ? { ...each, server: "another" } : each)) };
      stack.fleet.seen = { ...all(members, "synced/2"), "orders-2": sight("whole:9,uninstalled,unmounted,unconfigured", 3) };
      stack.fleet.machines["orders-2"] = full;
      await stack.up(replaced);
      deepEqual([stack.outs.status, warnings().length], ["ready", 2]);
    });

    it("asks nobody in a recovery, though a server is new and its volume too", async () => {
      stack.fleet.seen = { ...all(members, "whole:9"), "orders-3": sight("blank", 3) };
      stack.fleet.machines["orders-3"] = full;
      await stack.refresh();
      await stack.preview(three);
      const done = await stack.up(three);
      ok(done.includes("recover orders-1"), done.join());
      deepEqual(stack.fleet.inspected, []);
    });
  });
});
