import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { all, sight } from "./datastores/galera/model";
import { of } from "./document";
import { acts, Stack } from "./stack";

const [three, five] = [of(1, 2, 3), of(1, 2, 3, 4, 5)];
const goesOn = "the last run did not end; this one goes on from what it then sees";
const everyone = five.members.map(({ name }) => name);

describe("a grow", () => {
  let stack: Stack;
  beforeEach(() => { stack = new Stack(); });
  afterEach(() => stack.fleet.end());
  const bootstraps = () => stack.fleet.done.filter((act) => act.startsWith("bootstrap"));
  /** The join of this member fails, and leaves it as this. */
  const breakJoin = (name: string, word?: string) => {
    stack.fleet.beforeStep = (step, member) => {
      if (step !== "join" || member !== name) return;
      if (word) stack.fleet.seen[name] = sight(word, 5);
      throw new Error("no donor");
    };
  };
  const mend = () => { stack.fleet.beforeStep = () => undefined; };
  /** What is announced is done, and nothing more; then there is nothing left to do. */
  const doesAsItSaid = async (program: typeof three, preview: string[]) => {
    deepEqual(await stack.preview(program), preview);
    deepEqual(await stack.up(program), acts(preview.slice(1).filter((line) => line !== goesOn)));
    equal(stack.outs.status, "ready");
    deepEqual(stack.outs.known, program.members);
    deepEqual((await stack.preview(program)).slice(1), []);
    deepEqual(await stack.up(program), []);
  };

  describe("after a create that failed", () => {
    beforeEach(async () => {
      breakJoin("orders-2", "partial:-1");
      await rejects(stack.up(three), /join orders-2: no donor/);
      mend();
    });

    it("the same again goes on, and bootstraps nobody", async () => {
      await doesAsItSaid(three, ["create 3 members", goesOn, "join orders-2", "join orders-3", "verify orders-1 orders-2 orders-3"]);
      deepEqual(bootstraps(), ["bootstrap orders-1"]);
    });

    it("another number of members is gone on with too", () => doesAsItSaid(of(1), ["members 3 to 1", goesOn, "configure orders-1", "leave orders-2", "verify orders-1"]));
  });

  describe("from three to five", () => {
    beforeEach(() => stack.up(three));

    it("joins two members, and ends ready with all five known", async () => {
      await doesAsItSaid(five, ["members 3 to 5", "install orders-4 orders-5", "mount orders-4 orders-5", "configure orders-1 orders-2 orders-3 orders-4 orders-5",
        "join orders-4", "join orders-5", "verify orders-1 orders-2 orders-3 orders-4 orders-5"]);
      deepEqual(stack.outs.seen, all(everyone, "synced"));
      deepEqual(bootstraps(), ["bootstrap orders-1"]);
    });

    it("that was killed is taken back only after it went on to its end: a refresh sees those whom no state knows", async () => {
      stack.fleet.seen = all(everyone, "synced");
      await stack.refresh();
      await rejects(stack.preview(three), /a cluster has no members but those that are known.*set the arguments to what that run wanted, run `pulumi up` to its end, and change them then/);
      await rejects(stack.up(three), /a cluster has no members but those that are known/);
      await stack.up(five);
      await doesAsItSaid(three, ["members 5 to 3", "configure orders-1 orders-2 orders-3", "leave orders-5", "leave orders-4", "verify orders-1 orders-2 orders-3"]);
    });

    it("holds the lease of all five, under its title", async () => {
      stack.fleet.leases.length = 0;
      await stack.up(five);
      deepEqual(stack.fleet.leases, everyone.map((name) => `${name}: shop/test: members 3 to 5`));
    });

    it("that was taken back before it was begun is nothing", async () => {
      await stack.preview(five);
      deepEqual((await stack.preview(three)).slice(1), []);
    });

    describe("which failed when orders-4 joined", () => {
      beforeEach(async () => {
        breakJoin("orders-4", "partial:-1");
        await rejects(stack.up(five), /join orders-4: no donor/);
        mend();
      });

      it("keeps all five, and what was seen of them", () => {
        deepEqual([stack.outs.status, stack.outs.known], ["failed", five.members]);
        deepEqual(stack.outs.seen, stack.fleet.seen);
      });

      it("is gone on with by the same again", () => doesAsItSaid(five,
        ["members 3 to 5", goesOn, "join orders-4", "join orders-5", "verify orders-1 orders-2 orders-3 orders-4 orders-5"]));

      it("is taken back: who has data leaves, who has none is only not wanted any more", async () => {
        await doesAsItSaid(three, ["members 5 to 3", goesOn, "configure orders-1 orders-2 orders-3", "leave orders-4", "verify orders-1 orders-2 orders-3"]);
        deepEqual(Object.keys(stack.outs.seen), three.members.map(({ name }) => name));
      });

      it("is taken back for one of the two", () => doesAsItSaid(of(1, 2, 3, 5),
        ["members 5 to 4", goesOn, "configure orders-1 orders-2 orders-3 orders-5", "join orders-5", "leave orders-4", "verify orders-1 orders-2 orders-3 orders-5"]));
    });

    it("which failed when orders-5 joined is taken back: the last to come is the first to leave", async () => {
      breakJoin("orders-5", "partial:-1");
      await rejects(stack.up(five));
      mend();
      await doesAsItSaid(three, ["members 5 to 3", goesOn, "configure orders-1 orders-2 orders-3", "leave orders-5", "leave orders-4", "verify orders-1 orders-2 orders-3"]);
    });

    it("which failed before it saw anybody is no new cluster in the next preview", async () => {
      everyone.forEach((name) => stack.fleet.unreachable.add(name));
      await rejects(stack.up(five), /every member and its volume must be seen/);
      const preview = await stack.preview(five);
      ok(!preview.includes("bootstrap orders-1"), preview.join("; "));
    });
  });

  it("from one to three joins two members one after another", async () => {
    await stack.up(of(1));
    await doesAsItSaid(three, ["members 1 to 3", "install orders-2 orders-3", "mount orders-2 orders-3", "configure orders-1 orders-2 orders-3",
      "join orders-2", "join orders-3", "verify orders-1 orders-2 orders-3"]);
  });
});
