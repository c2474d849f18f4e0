import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import timers from "node:timers";
import { setTimeout as sleep } from "node:timers/promises";
import execa from "execa";
import { holder, lease } from "../../../provider/guest/lease";
import { Box, needsRoot } from "./box";

describe("lease", () => {
  before(needsRoot);
  let box: Box;
  let renew: () => void = () => undefined;
  const { setInterval, clearInterval } = timers;
  const now = Date.now;
  beforeEach(() => {
    box = new Box();
    // The renewal comes when the test says so, not every 10 s.
    Object.assign(timers, { setInterval: (act: () => void) => { renew = act; }, clearInterval: () => { renew = () => undefined; } });
  });
  afterEach(() => {
    Object.assign(timers, { setInterval, clearInterval });
    Date.now = now;
    box.end();
  });
  const until = async (holds: () => boolean) => {
    for (let waited = 0; waited < 500 && !holds(); waited++) await sleep(10);
  };

  it("a run that holds it may change a guest, another may only look", async () => {
    const [first, second] = [box.guest("run-1"), box.guest("run-2")];
    await rejects(first.run("true"), /this run no longer holds the lease/);
    await lease([first], "run-1", "shop/test: create 3 members");
    equal(await first.run("echo done"), "done\n");
    equal(await second.look("echo seen"), "seen\n");
    await rejects(second.run("touch /run/changed"), /this run no longer holds the lease/);
    deepEqual(readdirSync(`${box.folder}/run`), ["datastores"]);
  });

  it("says whose it is, what that run does, on which host, and since when", async () => {
    await lease([box.guest("run-1")], "run-1", "shop/test: create 3 members");
    const [run, until, title] = box.held;
    equal(run, "run-1");
    ok(Number(until) > 0);
    match(title!, /^shop\/test: create 3 members, on \S+, since \d{4}-\d\d-\d\dT/);
  });

  it("tells who only looks whose it is, for as long as that run lives", async () => {
    const guest = box.guest("run-2");
    equal(await holder(guest), "");
    deepEqual(readdirSync(`${box.folder}/run`), []);
    box.hold("run-1", 20);
    equal(await holder(guest), "shop/test: create 3 members, on laptop");
    box.hold("run-1", -1);
    equal(await holder(guest), "");
  });

  it("is free after its release, and may be released twice", async () => {
    const said: string[] = [];
    const held = await lease([box.guest("run-1", said)], "run-1", "first");
    await held.release();
    await held.release();
    renew();
    await sleep(300);
    deepEqual([box.held, said], [[], []]);
    await lease([box.guest("run-2")], "run-2", "second");
    equal(box.held[0], "run-2");
  });

  it("a run that comes second is told whose turn it is, waits, and is refused when that run lives", async () => {
    const said: string[] = [];
    box.hold("run-1", 30);
    const taken = lease([box.guest("run-2", said)], "run-2", "second");
    const untilTold = setInterval(() => { if (said.length > 0) Date.now = () => now() + 60_000; }, 20);
    await rejects(taken, { name: "Refused", message: /one run at a time changes a cluster.*db-1 is held by: shop\/test: create 3 members, on laptop.*Way forward: wait until that run ends/ }).finally(() => clearInterval(untilTold));
    equal(said.length, 1);
    match(said[0]!, /held by another run \(shop\/test: create 3 members, on laptop\); its lease ends in (30|29) s unless it is alive/);
    equal(box.held[0], "run-1");
  });

  it("that of a dead run ends by itself", async () => {
    box.hold("run-1", 1);
    await lease([box.guest("run-2")], "run-2", "second");
    equal(box.held[0], "run-2");
  });

  it("is renewed while the run lives", async () => {
    await lease([box.guest("run-1")], "run-1", "first");
    box.hold("run-1", 3);
    const [, before] = box.held;
    renew();
    await until(() => box.held[1] !== before);
    ok(Number(box.held[1]) > Number(before) + 20);
  });

  it("once lost stays lost: it is not renewed, nor taken again when the other run has ended", async () => {
    const said: string[] = [];
    const guest = box.guest("run-1", said);
    await lease([guest], "run-1", "first");
    box.hold("run-2", 30);
    await rejects(guest.run("touch /run/changed"), /this run no longer holds the lease/);
    renew();
    await until(() => said.length > 0);
    equal(box.held[0], "run-2");
    box.letGo();
    renew();
    await until(() => said.length > 1);
    deepEqual(box.held, []);
    await rejects(guest.run("touch /run/changed"), /this run no longer holds the lease/);
    match(said[0]!, /lease not renewed: /);
  });

  it("a release leaves the lease of another run", async () => {
    const held = await lease([box.guest("run-1")], "run-1", "first");
    box.hold("run-2", 30);
    await held.release();
    equal(box.held[0], "run-2");
  });

  describe("of several guests", () => {
    const [asked, gone]: [string[], string[]] = [[], []];
    let held: Record<string, number>;
    beforeEach(() => {
      asked.length = gone.length = 0;
      held = {};
    });
    /** Answers as one that another run holds for so many tries, or fails. */
    const named = (name: string) => ({
      ...box.guest("run-1"), name,
      look: async () => {
        asked.push(name);
        held[name] = (held[name] ?? 0) - 1;
        if (held[name] < -100) throw new Error(`${name} is gone`);
        return held[name] >= 0 ? "1 shop/test: create 3 members" : "";
      },
      run: async () => { gone.push(name); return ""; },
    });
    const three = () => ["db-1", "db-2", "db-3"].map(named);

    it("is taken side by side", async () => {
      const taken = lease(three(), "run-1", "first");
      deepEqual(asked, ["db-1", "db-2", "db-3"]);
      await (await taken).release();
      deepEqual([asked, gone], [["db-1", "db-2", "db-3"], ["db-1", "db-2", "db-3"]]);
    });

    it("is taken in the order given when another run holds one, and what was taken before is given back", async () => {
      held = { "db-2": 2 };
      await lease(three(), "run-1", "first");
      deepEqual(asked, ["db-1", "db-2", "db-3", "db-1", "db-2", "db-2", "db-3"]);
      deepEqual(gone, ["db-1", "db-3"]);
    });

    it("is renewed of those that have it while another is slow to answer", async () => {
      let answer: (said: string) => void = () => undefined;
      const [first, second] = three() as [ReturnType<typeof named>, ReturnType<typeof named>];
      const taken = lease([first, { ...second, look: () => new Promise<string>((resolve) => { answer = resolve; }) }], "run-1", "first");
      await sleep(10);
      renew();
      deepEqual(gone, ["db-1"]);
      answer("");
      await (await taken).release();
      deepEqual(gone, ["db-1", "db-1", "db-2"]);
    });

    it("is given back when one of them fails", async () => {
      held = { "db-3": -200 };
      await rejects(lease(three(), "run-1", "first"), /db-3 is gone/);
      deepEqual(gone, ["db-1", "db-2"]);
    });
  });

  it("is taken by one run at a time", async () => {
    box.hold("run-0", 0);
    const busy = execa("flock", [`${box.folder}/run/datastores/lock`, "sh", "-c", "echo locked; sleep 0.7"]);
    await once(busy.stdout!, "data");
    const taken = lease([box.guest("run-1")], "run-1", "first");
    await Promise.race([taken, sleep(400)]);
    equal(box.held[0], "run-0");
    await Promise.all([taken, busy]);
    equal(box.held[0], "run-1");
  });

  it("words of the title are words, not shell", async () => {
    await lease([box.guest("run-1")], "run-1", "$(touch /run/evil); `id` 'x' \"y\"");
    match(box.held[2]!, /^\$\(touch \/run\/evil\); `id` 'x' "y", on /);
    deepEqual(readdirSync(`${box.folder}/run`), ["datastores"]);
  });
});
