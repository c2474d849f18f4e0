import { deepEqual, match, rejects } from "node:assert/strict";
import { news } from "./document";
import { all, sight } from "./datastores/galera/model";
import { acts, Stack } from "./stack";

describe("a Galera cluster from whose histories a person chooses", () => {
  let stack: Stack;
  const names = ["orders-1", "orders-2", "orders-3"];
  /** One ran alone and wrote, and so did another. */
  const diverged = () => ({ "orders-1": sight("whole@A:95", 3), "orders-2": sight("whole@B:93", 3), "orders-3": sight("whole@A:90", 3) });
  const recovery = (evidence: string, from = "orders-2") => ({ ...news, recovery: { from, evidence } }) as typeof news;
  const steps = ["recover orders-2", "clean orders-1 orders-3 (what is there is kept aside)", "join orders-1", "join orders-3", `verify ${names.join(" ")}`];
  const done = acts([steps[0]!, "clean orders-1 orders-3", ...steps.slice(2)]);

  beforeEach(async () => {
    stack = new Stack();
    await stack.up(news);
    stack.fleet.seen = diverged();
  });
  afterEach(() => stack.fleet.end());

  /** What a preview refuses, and the hash that it prints. */
  const printed = async (program = news): Promise<string> => {
    const refusal = await stack.preview(program).then(() => "nothing", (error: Error) => error.message);
    const [, hash] = /recovery: \{ from: "orders-\d", evidence: "([0-9a-f]{12})" \}/.exec(refusal) ?? [];
    if (hash === undefined) throw new Error(refusal);
    stack.fleet.printed.length = 0;
    return hash;
  };

  it("refuses, says how to choose, and does what was chosen as its preview says; then it is of no account", async () => {
    await stack.refresh();
    const evidence = await printed();
    deepEqual(await stack.preview(recovery(evidence)), ["recover from orders-2", ...steps]);
    deepEqual(await stack.up(recovery(evidence)), done);
    deepEqual(stack.outs.seen, all(names, "synced@B"));
    deepEqual(await stack.up(recovery(evidence)), []);
    deepEqual((await stack.preview(recovery(evidence))).slice(1), []);
    deepEqual(await stack.up(news), []);
  });

  it("is refused on what was seen before, by a preview and by a run whose look sees more than the last", async () => {
    await stack.refresh();
    const evidence = await printed();
    await rejects(stack.preview(recovery("000000000000")), new RegExp(`a decision counts only for what was seen when it was made.*in short ${evidence}`));
    stack.fleet.seen["orders-1"] = sight("whole@A:96", 3);
    const begun = stack.fleet.done.length;
    await rejects(stack.up(recovery(evidence)), /a decision counts only for what was seen when it was made.*orders-1 is down with whole data A:96/);
    deepEqual(stack.fleet.done.slice(begun), []);
    await stack.refresh();
    match((await stack.preview(recovery(await printed()))).join(), /recover orders-2/);
  });

  for (const at of ["recover orders-2", "clean orders-1", "clean orders-3", "join orders-1", "join orders-3", "verify orders-1"])
    it(`goes on with the same arguments where ${at} failed, and no other member is started`, async () => {
      await stack.refresh();
      const evidence = await printed();
      stack.fleet.beforeStep = (what, name) => { if (`${what} ${name}` === at) throw new Error("cut"); };
      const begun = stack.fleet.done.length;
      await rejects(stack.up(recovery(evidence)), /cut/);
      stack.fleet.beforeStep = () => undefined;
      await stack.up(recovery(evidence));
      const ran = stack.fleet.done.slice(begun);
      deepEqual(ran.filter((act) => /^(bootstrap|recover|clean)/.test(act)).sort(), ["clean orders-1", "clean orders-3", "recover orders-2"]);
      deepEqual(stack.outs.seen, all(names, "synced@B"));
      deepEqual((await stack.preview(recovery(evidence))).slice(1), []);
    });
});
