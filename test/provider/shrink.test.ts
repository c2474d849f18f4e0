import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { all, sight } from "./datastores/galera/model";
import { of } from "./document";
import { acts, Stack } from "./stack";

const [three, five] = [of(1, 2, 3), of(1, 2, 3, 4, 5)];
const named = (program: typeof three) => program.members.map(({ name }) => name);
const goesOn = "the last run did not end; this one goes on from what it then sees";

describe("a shrink", () => {
  let stack: Stack;
  beforeEach(async () => {
    stack = new Stack();
    await stack.up(five);
    for (const list of [stack.fleet.done, stack.fleet.dialled, stack.fleet.leases]) list.length = 0;
  });
  afterEach(() => stack.fleet.end());
  const breakLeave = (name: string) => {
    stack.fleet.beforeStep = (step, member) => { if (step === "leave" && member === name) throw new Error("connection lost"); };
  };
  const mend = () => { stack.fleet.beforeStep = () => undefined; };
  const doesAsItSaid = async (program: typeof three, preview: string[]) => {
    deepEqual(await stack.preview(program), preview);
    deepEqual(await stack.up(program), acts(preview.slice(1).filter((line) => line !== goesOn)));
    deepEqual([stack.outs.status, stack.outs.known], ["ready", program.members]);
    deepEqual((await stack.preview(program)).slice(1), []);
  };
  const toThree = ["members 5 to 3", "configure orders-1 orders-2 orders-3", "leave orders-5", "leave orders-4", "verify orders-1 orders-2 orders-3"];

  it("from five to three lets the last to come leave first, and forgets them once they have left", async () => {
    await doesAsItSaid(three, toThree);
    deepEqual(stack.outs.seen, all(named(three), "synced"));
  });

  it("keeps the host keys of those that stay, and of nobody else", async () => {
    await stack.up(three);
    deepEqual(stack.outs.pins, Object.fromEntries(named(three).map((name) => [`server-of-${name}`, `SHA256:of-${name}`])));
  });

  it("holds the lease also of those that leave, in the order of names", async () => {
    await stack.up(of(2, 3, 4));
    deepEqual(stack.fleet.leases, named(five).map((name) => `${name}: shop/test: members 5 to 3`));
    deepEqual([...stack.fleet.dialled].sort(), named(five));
  });

  it("without a member in the middle lets that one leave", () => doesAsItSaid(of(1, 3, 5),
    ["members 5 to 3", "configure orders-1 orders-3 orders-5", "leave orders-4", "leave orders-2", "verify orders-1 orders-3 orders-5"]));

  it("by one for another joins the new one first", () => doesAsItSaid(of(1, 2, 3, 4, 6), ["orders-6 for orders-5", "install orders-6", "mount orders-6",
    "configure orders-1 orders-2 orders-3 orders-4 orders-6", "join orders-6", "leave orders-5", "verify orders-1 orders-2 orders-3 orders-4 orders-6"]));

  it("to one goes by way of two", () => doesAsItSaid(of(1), ["members 5 to 1", "configure orders-1", "leave orders-5", "leave orders-4", "leave orders-3", "leave orders-2", "verify orders-1"]));

  describe("that was cut when orders-4 left", () => {
    beforeEach(async () => {
      breakLeave("orders-4");
      await rejects(stack.up(three), /leave orders-4: connection lost/);
      mend();
    });

    it("keeps all five, and what was seen of them", () => {
      deepEqual([stack.outs.status, stack.outs.members, stack.outs.known], ["failed", three.members, five.members]);
      deepEqual(stack.outs.seen["orders-5"], sight("whole:9,left,unconfigured", 5));
      ok(["orders-1", "orders-4"].every((name) => (stack.outs.seen[name] as { size: number }).size === 4));
    });

    it("is gone on with by the same again", () => doesAsItSaid(three, ["members 5 to 3", goesOn, "leave orders-4", "verify orders-1 orders-2 orders-3"]));

    it("is taken back: who left joins again", async () => {
      const preview = ["members 3 to 5", goesOn, "configure orders-1 orders-2 orders-3 orders-4 orders-5", "join orders-5", "verify orders-1 orders-2 orders-3 orders-4 orders-5"];
      deepEqual(await stack.preview(five), preview);
      deepEqual((await stack.up(five)).filter((act) => !act.startsWith("configure")), acts(preview.slice(3)));
      deepEqual([stack.outs.status, stack.outs.known], ["ready", five.members]);
      deepEqual(stack.outs.seen, all(named(five), "synced"));
    });

    it("looks at the leaving ones in a refresh, too", async () => {
      stack.fleet.unreachable.add("orders-4");
      stack.fleet.seen["orders-5"] = sight("whole:12,left", 5);
      await stack.refresh();
      deepEqual(stack.outs.seen["orders-5"], sight("whole:12,left,unconfigured", 5));
      equal((stack.outs.seen["orders-4"] as { is: string }).is, "up");
      equal(stack.outs.known.length, 5);
    });

    it("is refused in the preview when a refresh saw orders-4 with another history", async () => {
      stack.fleet.seen["orders-4"] = sight("whole@B:9", 5);
      await stack.refresh();
      await rejects(stack.preview(three), /orders: refused: a member with another history.*run `pulumi refresh`/);
    });
  });

  describe("by a member that cannot be reached", () => {
    const four = of(1, 2, 3, 4);
    const forget = (...members: string[]) => ({ ...four, forget: members });
    beforeEach(() => {
      stack.fleet.unreachable.add("orders-5");
      stack.fleet.seen = { ...all(named(four), "synced"), "orders-5": sight("split", 5) };
    });

    it("is refused, and says how it is forgotten", async () => {
      await rejects(stack.up(four), /every member and its volume must be seen.*orders-5 cannot be seen.*A leaving member that is gone for ever is named in forget: \["orders-5"\]/s);
      deepEqual(stack.fleet.done, []);
      deepEqual(stack.outs.known, five.members);
    });

    it("succeeds once that is forgotten, with nobody leaving, and waits for it 20 s and for the others as ever", async () => {
      await rejects(stack.up(four));
      deepEqual(stack.fleet.patience, Object.fromEntries(named(five).map((name) => [name, undefined])));
      await stack.up(forget("orders-5"));
      deepEqual(stack.fleet.patience, { ...Object.fromEntries(named(four).map((name) => [name, undefined])), "orders-5": 20 });
      deepEqual(stack.fleet.done.filter((act) => !/^(configure|verify) /.test(act)), []);
      deepEqual([stack.outs.status, stack.outs.known, Object.keys(stack.outs.seen)], ["ready", four.members, named(four)]);
    });

    it("is refused while the cluster still counts it", async () => {
      stack.fleet.seen = { ...stack.fleet.seen, ...Object.fromEntries(named(four).map((name) => [name, sight("synced/5", 5)])) };
      await rejects(stack.up(forget("orders-5")), /the cluster still counts a member that cannot be seen: power off orders-5/);
      deepEqual(stack.fleet.done, []);
    });

    it("can be forgotten also when what was last seen of it is what was refused", async () => {
      stack.fleet.seen["orders-5"] = sight("whole@B:9", 5);
      stack.fleet.unreachable.clear();
      await rejects(stack.up(four), /a member with another history/);
      stack.fleet.unreachable.add("orders-5");
      await stack.refresh();
      await rejects(stack.preview(four), /a member with another history/);
      deepEqual((await stack.preview(forget("orders-5"))).filter((line) => line.startsWith("leave")), []);
      await stack.up(forget("orders-5"));
      deepEqual([stack.outs.status, stack.outs.known], ["ready", four.members]);
    });

    it("is as any other when that answers after all", async () => {
      stack.fleet.unreachable.clear();
      stack.fleet.seen = all(named(five), "synced");
      ok((await stack.up(forget("orders-5"))).includes("leave orders-5"));
    });
  });

  it("is refused while the cluster has a member that no state knows", async () => {
    const four = stack.outs.known.slice(0, 4);
    stack.outs = { ...stack.outs, members: four, known: four };
    await rejects(stack.up(three), /a cluster has no members but those that are known/);
    deepEqual(stack.fleet.done, []);
  });
});
