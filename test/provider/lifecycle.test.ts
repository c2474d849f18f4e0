import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { inputs } from "../../provider/inputs";
import * as lifecycle from "../../provider/lifecycle";
import { all, sight } from "./datastores/galera/model";
import { known, privateKey, rootPassword } from "./document";
import { Fleet } from "./fleet";
import { survivesTheWire } from "./wire";

interface Failure { id: string; reasons: string[]; properties: Record<string, unknown> }

const members = known.members.map(({ name }) => name);
const seenAs = (word: string) => all(members, word);
const forecast = { "create 3 members": ["bootstrap orders-1"] };
const news = { ...known, plan: forecast, __provider: "the text" };
const pinned = Object.fromEntries(members.map((name) => [`server-of-${name}`, `SHA256:of-${name}`]));
const ready = { ...news, stateVersion: 1 as const, status: "ready" as const, known: known.members, seen: seenAs("synced"), unreached: [] as string[], pins: pinned };
const failed = { ...ready, status: "failed" as const, seen: {} };

describe("lifecycle", () => {
  let fleet: Fleet;
  beforeEach(() => { fleet = new Fleet(seenAs("blank")); });
  afterEach(() => fleet.end());
  const failure = async (call: Promise<unknown>): Promise<Failure> =>
    call.then(() => { throw new Error("it should have failed"); }, (error) => error as Failure);

  it("create makes the cluster and hands back what was asked, done, seen and pinned", async () => {
    const { id, outs } = await lifecycle.create(news);
    equal(id, "orders");
    const { stateVersion, status, known: alive, seen, unreached, pins, flavors, images, ...rest } = outs!;
    deepEqual(rest, news);
    deepEqual({ stateVersion, status, alive, unreached, flavors, images }, { stateVersion: 1, status: "ready", alive: known.members, unreached: [], flavors: {}, images: {} });
    deepEqual(seen, seenAs("synced"));
    deepEqual(pins, pinned);
    equal(fleet.done.filter((act) => act.startsWith("bootstrap")).length, 1);
  });

  it("remembers nothing that moves by itself: a refresh after a run shows no change while clients write", async () => {
    fleet.seen = seenAs("synced@A:50/3");
    const { outs } = await lifecycle.create(news);
    deepEqual(outs!.seen, seenAs("synced"));
    fleet.seen = seenAs("synced@A:51/3");
    deepEqual((await lifecycle.read("orders", outs as never)).props, outs);
  });

  describe("through a bastion", () => {
    const access = { ...known.access, bastion: { host: "gate.example.org", user: "jump" } };
    const place = "gate.example.org:22";

    it("its host key is pinned by the first run, and asked for by those after it, a refresh too", async () => {
      const { outs } = await lifecycle.create({ ...news, access });
      deepEqual([outs!.pins, fleet.accepted.bastion], [{ ...pinned, [place]: "SHA256:of-bastion" }, undefined]);
      for (const run of [() => lifecycle.update("orders", outs as never, { ...news, access, forget: [] }), () => lifecycle.read("orders", outs as never)]) {
        fleet.accepted.bastion = undefined;
        await run();
        deepEqual(fleet.accepted.bastion, ["SHA256:of-bastion"]);
      }
    });

    it("it is pinned by a failed run, and by a refresh of a state that has no pin of it", async () => {
      fleet.beforeStep = () => { throw new Error("no donor"); };
      deepEqual((await failure(lifecycle.create({ ...news, access }))).properties.pins, { ...pinned, [place]: "SHA256:of-bastion" });
      deepEqual((await lifecycle.read("orders", { ...ready, access })).props!.pins, { ...pinned, [place]: "SHA256:of-bastion" });
    });

    it("another bastion is trusted anew, and the pin of the one before it goes", async () => {
      fleet.seen = seenAs("synced");
      const before = { ...ready, pins: { ...pinned, [place]: "SHA256:of-another" } };
      const { outs } = await lifecycle.update("orders", before, { ...news, access: { ...access, bastion: { ...access.bastion, port: 2222 } }, forget: [] });
      deepEqual(outs!.pins, { ...pinned, "gate.example.org:2222": "SHA256:of-bastion" });
    });
  });

  it("create looks first: of a cluster that runs it changes nothing", async () => {
    fleet.seen = seenAs("synced");
    equal((await lifecycle.create(news)).outs!.status, "ready");
    deepEqual(fleet.done, []);
  });

  it("dials each guest once in a run", async () => {
    await lifecycle.create(news);
    deepEqual([...fleet.dialled].sort(), members);
  });

  it("what comes back is plain, whatever came in", async () => {
    survivesTheWire((await lifecycle.create({ ...news, access: { ...known.access, bastion: undefined } })).outs!);
    survivesTheWire((await lifecycle.update("orders", ready, { ...news, deletionProtection: undefined as never })).outs!);
    survivesTheWire((await lifecycle.read("orders", ready)).props!);
  });

  it("a failed create keeps the resource: id, properties with __provider and status, and reasons", async () => {
    fleet.beforeStep = (step, name) => { if (step === "join" && name === "orders-2") throw new Error("no donor"); };
    const { id, reasons, properties } = await failure(lifecycle.create(news));
    equal(id, "orders");
    deepEqual(reasons, ["join orders-2: no donor"]);
    deepEqual([properties.__provider, properties.status, properties.known], ["the text", "failed", known.members]);
    deepEqual(properties.pins, pinned);
    deepEqual(inputs.safeParse(properties).error, undefined);
    survivesTheWire(properties);
  });

  it("the update after it resumes without a second bootstrap, and ends ready", async () => {
    fleet.beforeStep = (step) => { if (step === "join") throw new Error("no donor"); };
    const { properties } = await failure(lifecycle.create(news));
    fleet.beforeStep = () => undefined;
    const { outs } = await lifecycle.update("orders", properties as never, news);
    equal(outs!.status, "ready");
    deepEqual(fleet.done.filter((act) => act.startsWith("bootstrap")), ["bootstrap orders-1"]);
  });

  it("a failed run tells what it last saw, so that the next preview says what remains", async () => {
    fleet.beforeStep = (step, name) => { if (step === "join" && name === "orders-3") throw new Error("no donor"); };
    deepEqual((await failure(lifecycle.create(news))).properties.seen, fleet.seen);
  });

  it("what a refresh saw amiss is mended by the next update, though nothing was asked for", async () => {
    fleet.seen = { ...all(members, "synced/2"), "orders-3": sight("whole:95", 3) };
    const { props } = await lifecycle.read("orders", ready);
    deepEqual(await lifecycle.diff("orders", props as never, news), { changes: true });
    await lifecycle.update("orders", props as never, news);
    deepEqual(fleet.done, ["join orders-3", ...members.map((name) => `verify ${name}`)]);
  });

  it("the plan of an earlier change announces nothing for that update", async () => {
    fleet.seen = seenAs("blank");
    const { reasons } = await failure(lifecycle.update("orders", ready, news));
    ok(reasons[0]!.startsWith("refused: nothing grave is done that the preview did not announce"), reasons[0]);
    deepEqual(fleet.done, []);
  });

  it("unreachable guests are all named, with the way forward, and nothing is changed", async () => {
    fleet.unreachable.add("orders-1").add("orders-3");
    const { id, reasons, properties } = await failure(lifecycle.create(news));
    equal(id, "orders");
    equal(reasons.length, 1);
    for (const part of ["refused: every member and its volume must be seen", "orders-1 cannot be seen", "orders-3 cannot be seen", "Way forward: "]) ok(reasons[0]!.includes(part), reasons[0]);
    deepEqual([properties.__provider, properties.status], ["the text", "failed"]);
    deepEqual(fleet.done, []);
  });

  it("a recovery that the preview did not announce is refused before the first change, and done once a refresh saw it", async () => {
    fleet.seen = { ...seenAs("whole:81"), "orders-2": sight("whole:95", 3) };
    const { reasons, properties } = await failure(lifecycle.update("orders", ready, news));
    ok(reasons[0]!.includes("what is seen now calls for [recover orders-2; ") && reasons[0]!.includes("pulumi refresh"), reasons[0]);
    deepEqual(fleet.done, []);
    fleet.printed.length = 0;
    const { props } = await lifecycle.read("orders", properties as never);
    deepEqual(await lifecycle.diff("orders", props as never, news), { changes: true });
    deepEqual(fleet.printed.slice(1), ["recover orders-2", "join orders-1", "join orders-3", "verify orders-1 orders-2 orders-3"].map((line) => `[orders] ${line}`));
    equal((await lifecycle.update("orders", props as never, news)).outs!.status, "ready");
  });

  it("members that do not find each other are stopped, and the one that then shows the newest data starts the cluster: announced without a name", async () => {
    fleet.seen = seenAs("split");
    fleet.beforeStep = (step, name) => { if (step === "recover") equal(name, "orders-1"); };
    const { props } = await lifecycle.read("orders", ready);
    await lifecycle.diff("orders", props as never, news);
    deepEqual(fleet.printed, ["[orders] stop orders-1 orders-2 orders-3", "[orders] recover"]);
    equal((await lifecycle.update("orders", props as never, news)).outs!.status, "ready");
    deepEqual(fleet.done.slice(0, 4), ["stop orders-1", "stop orders-2", "stop orders-3", "recover orders-1"]);
  });

  it("a failed update says what it saw, and is announced by its own preview the next time", async () => {
    fleet.seen = seenAs("whole:95");
    const { properties } = await failure(lifecycle.update("orders", ready, news));
    equal((await lifecycle.update("orders", properties as never, news)).outs!.status, "ready");
    deepEqual(fleet.done.filter((act) => act.startsWith("recover")), ["recover orders-1"]);
  });

  it("a failed update tells of a member that it then does not reach that it may not have got what was new, so that the next preview announces it", async () => {
    const settings = (performance_schema: string) => ({ ...news, options: { vendor: "mariadb", configuration: { performance_schema } } });
    const waits = seenAs("synced,old,unconfigured");
    fleet.seen = waits;
    fleet.beforeStep = (step) => {
      if (step !== "restart") return;
      fleet.seen = { ...fleet.seen, "orders-2": { is: "unreachable", why: "the connection was lost" } };
      throw new Error("the connection was lost");
    };
    const { properties } = await failure(lifecycle.update("orders", { ...ready, ...settings("OFF") } as never, settings("ON")));
    deepEqual(properties.unreached, ["orders-2"]);
    for (const next of [settings("ON"), settings("OFF")]) {
      fleet.printed.length = 0;
      await lifecycle.diff("orders", properties as never, next as never);
      for (const name of members) ok(fleet.printed.includes(`[orders] restart ${name}`), fleet.printed.join("\n"));
    }
    fleet.beforeStep = () => undefined;
    fleet.seen = waits;
    const { outs } = await lifecycle.update("orders", properties as never, settings("ON"));
    deepEqual([outs!.status, fleet.done.filter((line) => line.startsWith("restart")).sort()], ["ready", members.map((name) => `restart ${name}`)]);
  });

  it("a changed deletionProtection alone touches no guest, and what was known stays known", async () => {
    fleet.unreachable.add("orders-1");
    const { outs } = await lifecycle.update("orders", ready, { ...news, deletionProtection: false });
    deepEqual(fleet.dialled, []);
    deepEqual(outs, { ...ready, deletionProtection: false });
    await lifecycle.remove("orders", outs as never);
  });

  it("a rotated key reaches the outputs, for refresh and delete get those", async () => {
    const rotated = { ...news.access, privateKey: `${privateKey}rotated` };
    deepEqual((await lifecycle.update("orders", ready, { ...news, access: rotated })).outs!.access, rotated);
    deepEqual(fleet.dialled, []);
  });

  it("what is taken out without a look at a guest is gone from the outputs", async () => {
    const { outs } = await lifecycle.update("orders", { ...ready, rollout: { canary: true } }, news);
    deepEqual([outs, fleet.dialled], [ready, []]);
  });

  it("no secret is printed, nor in a reason", async () => {
    fleet.beforeStep = (step) => { if (step === "verify") throw new Error("no agreement"); };
    const former = "f0rmer-pass-w0rd";
    const { reasons } = await failure(lifecycle.create({ ...news, formerPasswords: [former] }));
    const said = [...fleet.printed, ...reasons].join("\n");
    for (const secret of [rootPassword, former, privateKey, known.authority.key]) ok(!said.includes(secret));
    ok(fleet.printed.length > 0 && fleet.printed.every((line) => line.startsWith("[orders")), said);
  });

  it("a protected cluster is not deleted, and the error says the way", async () => {
    await rejects(lifecycle.remove("orders", ready), /orders is protected from deletion: set deletionProtection to false, run `pulumi up`, then destroy/);
    await rejects(lifecycle.remove("orders", failed), /protected/);
  });

  it("delete needs no guest", async () => {
    members.forEach((name) => fleet.unreachable.add(name));
    await lifecycle.remove("orders", { ...failed, deletionProtection: false });
    deepEqual(fleet.dialled, []);
  });

  describe("read", () => {
    it("of what is refused fails no refresh, whose diff the engine asks for next, but the preview after it", async () => {
      fleet.seen = seenAs("emptied");
      const { props } = await lifecycle.read("orders", ready);
      deepEqual(await lifecycle.diff("orders", props as never, news), { changes: true });
      ok(fleet.printed.some((line) => line.startsWith("[orders] refused: ")), fleet.printed.join());
      await rejects(lifecycle.diff("orders", props as never, news), /vanished.*run `pulumi refresh`/s);
    });

    it("brings what is seen now, and leaves status and all else", async () => {
      fleet.seen = { ...seenAs("synced/2"), "orders-3": all(["x"], "whole:95").x! };
      deepEqual(await lifecycle.read("orders", ready), { id: "orders", props: { ...ready, seen: fleet.seen } });
      deepEqual(fleet.done, []);
    });

    it("keeps what was seen of a guest that it cannot reach, and never lowers the status", async () => {
      fleet.seen = seenAs("synced/2");
      fleet.unreachable.add("orders-2");
      const { props } = await lifecycle.read("orders", ready);
      deepEqual(props!.seen, { ...seenAs("synced/2"), "orders-2": ready.seen["orders-2"] });
      equal(props!.status, "ready");
    });

    it("never throws, whatever the state holds, and never says that the cluster is gone", async () => {
      members.forEach((name) => fleet.unreachable.add(name));
      for (const state of [ready, { ...ready, options: { vendor: "gone" } }, { ...ready, datastore: "gone" }, { ...ready, members: [] }, {}, { ...ready, access: { ...known.access, hostKeys: { "orders-1": "no key" } } }])
        equal((await lifecycle.read("orders", state as never)).id, "orders");
    });
  });
});
