import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { dueOf, givenBefore, Machines } from "../../provider/machines";
import type { Outputs } from "../../provider/inputs";
import { create, diff, update } from "../../provider/lifecycle";
import { nothingDue } from "../../provider/topology";
import { anna, withAccess } from "./access";
import { fast } from "./clock";
import { member } from "./cluster";
import { all, sight } from "./datastores/galera/model";
import { known } from "./document";
import { Fleet } from "./fleet";
import { keysOf, StandIn } from "./nova";

const names = known.members.map(({ name }) => name);
const large = { ...known, servers: { ...known.servers, flavor: "large" }, plan: { "flavor to large": [] } };
const stored = (document: object = known, seen = all(names, "synced")) => ({ ...known, ...document, stateVersion: 1 as const, status: "ready" as const, known: known.members, seen, unreached: [] as string[], pins: {} });

describe("flavors", () => {
  const small = { flavor: "small", memberOverrides: { "orders-2": { flavor: "medium" } } };

  it("that servers were given are those that were asked for, or that are remembered, and none of a server that is another", () => {
    const olds = { known: known.members, servers: small };
    deepEqual(givenBefore(known.members, olds).flavors, { "orders-1": "small", "orders-2": "medium", "orders-3": "small" });
    deepEqual(givenBefore([known.members[0]!, { ...known.members[1]!, server: "another" }, member("orders-4")], { ...olds, flavors: { "orders-1": "large" } }).flavors, { "orders-1": "large" });
    deepEqual(givenBefore(known.members), { flavors: {}, images: {} });
  });

  it("that are other than those asked for are told, where both are known", () =>
    deepEqual(dueOf(names, { flavors: { "orders-1": "small", "orders-2": "small" }, images: {} }, small).resize, { "orders-2": "medium" }));

  it("are not asked of Nova where a server was given what is asked for, whatever somebody gave it since", async () =>
    deepEqual(await new Machines(known.members, small, givenBefore(known.members, { known: known.members, servers: small }), () => Promise.reject(new Error("asked"))).due(), nothingDue));

  it("of new servers are taken for what was asked for where Nova does not tell; of others that is said", async () => {
    deepEqual(await new Machines(known.members, small, { flavors: {}, images: {} }, async () => undefined).due(), nothingDue);
    await rejects(new Machines(known.members, small, { flavors: { "orders-3": "large" }, images: {} }, async () => undefined).due(),
      { name: "Refused", message: /a server gets another flavor, image or key through Nova. Seen: there is no access to it, and orders-3 would get one. Way forward: give access/ });
  });
});

describe("a resize", function () {
  this.timeout(20_000);
  const nova = new StandIn();
  const variables: Record<string, string> = { ...anna, OS_PASSWORD: "the-password" };
  before(async () => { variables.OS_AUTH_URL = `${await nova.start()}/identity`; });
  withAccess(variables);
  after(() => nova.stop());

  let fleet: Fleet;
  beforeEach(() => {
    fleet = new Fleet(all(names, "synced"));
    nova.flavors["flavor-0"] = "m1.small";
    nova.full = false;
    nova.asked.length = 0;
    for (const { server } of known.members) nova.servers[server] = { status: "ACTIVE", task: null, flavor: "m1.small", image: "image-12" };
  });
  afterEach(() => fleet.end());
  const flavors = () => known.members.map(({ server }) => nova.servers[server]!.flavor);

  it("is previewed, done on one server after another, dials each guest anew and takes its lease again, and then there is nothing to do", async () => {
    const before = stored();
    await diff("orders", before as never, large as never);
    deepEqual(fleet.printed.map((line) => line.replace("[orders] ", "")), [...names.map((name) => `resize ${name} (large)`), "verify orders-1 orders-2 orders-3"]);
    const { outs } = await update("orders", before as never, large as never);
    deepEqual([fleet.done.filter((line) => !line.startsWith("verify")), flavors()], [names.map((name) => `resize ${name}`), ["large", "large", "large"]]);
    deepEqual(outs!.flavors, Object.fromEntries(names.map((name) => [name, "large"])));
    for (const name of names) {
      equal(fleet.dialled.filter((each) => each === name).length, 2, name);
      ok(fleet.leases.filter((each) => each.startsWith(`${name}:`)).length >= 2, name);
      deepEqual(fleet.accepted[name], [`SHA256:of-${name}`]);
    }
    fleet.printed.length = 0;
    deepEqual([await diff("orders", outs as never, large as never), fleet.printed], [{}, []]);
  });

  it("that no host has room for says so, is remembered as not done, and goes on or is taken back", async () => {
    nova.full = true;
    const failed = await update("orders", stored() as never, large as never).then(() => undefined, (error: { reasons: string[]; properties: object }) => error);
    match(failed!.reasons[0]!, /^resize orders-1: Nova gave up to resize the server to large/);
    deepEqual((failed!.properties as { flavors: object }).flavors, Object.fromEntries(names.map((name) => [name, "m1.small"])));
    fleet.printed.length = 0;
    await diff("orders", failed!.properties as never, large as never);
    ok(fleet.printed.includes("[orders] resize orders-1 (large)"), fleet.printed.join("\n"));
    fleet.printed.length = 0;
    await diff("orders", failed!.properties as never, known as never);
    ok(!fleet.printed.some((line) => line.includes("resize")), fleet.printed.join("\n"));
  });

  it("that was cut after Nova had done it is seen as done", async () => {
    nova.servers[known.members[0]!.server]!.flavor = "large";
    await update("orders", stored() as never, large as never);
    deepEqual(fleet.done.filter((line) => line.startsWith("resize")), ["resize orders-2", "resize orders-3"]);
  });

  it("comes to servers that a first run made with another flavor, before anything is installed", async () => {
    fleet.seen = Object.fromEntries(names.map((name) => [name, sight("blank", 3)]));
    await create({ ...large, plan: { "create 3 members": ["bootstrap orders-1"] } });
    deepEqual([fleet.done.slice(0, 4), flavors()], [[...names.map((name) => `resize ${name}`), "install orders-1"], ["large", "large", "large"]]);
  });

  it("with a canary comes to the last member alone, and to the others with the next run", async () => {
    const canary = { ...large, rollout: { canary: true } };
    const { outs } = await update("orders", stored() as never, canary as never);
    deepEqual(flavors(), ["m1.small", "m1.small", "large"]);
    fleet.printed.length = 0;
    deepEqual(await diff("orders", outs as never, canary as never), { changes: true });
    deepEqual(fleet.printed.map((line) => line.replace("[orders] ", "")), ["resize orders-1 (large)", "resize orders-2 (large)", "verify orders-1 orders-2 orders-3"]);
    await update("orders", outs as never, canary as never);
    deepEqual(flavors(), ["large", "large", "large"]);
  });

  it("and a rebuild of one server are one absence: rollout.pauseSeconds is waited between two members", () => fast(async () => {
    await update("orders", stored() as never, { ...known, rollout: { pauseSeconds: 3600 }, servers: { ...known.servers, image: "debian-13", flavor: "large" } } as never);
    const told = fleet.printed.flatMap((line) => /waits \d+ s|(?:rebuild|resize|join) orders-\d(?=.*done in)/.exec(line)?.[0] ?? []);
    const [first, ...others] = names.map((name) => [`rebuild ${name}`, `resize ${name}`, `join ${name}`]);
    deepEqual(told, [first, ...others.map((acts) => ["waits 3600 s", ...acts])].flat());
  }));

  describe("or a rebuild", () => {
    const another = { ...known, servers: { ...known.servers, image: "debian-13" } };
    const images = () => known.members.map(({ server }) => nova.servers[server]!.image);
    const gone = (name: string) => [`rebuild ${name} (debian-13)`, `install ${name}`, `mount ${name}`, `configure ${name}`, `join ${name}`];
    afterEach(() => { nova.talks = true; });

    it("is previewed, done on one server after another, and each shows a host key that its console told", async () => {
      const before = stored();
      await diff("orders", before as never, another as never);
      deepEqual(fleet.printed.map((line) => line.replace("[orders] ", "")), [...names.flatMap(gone), "verify orders-1 orders-2 orders-3"]);
      const { outs } = await update("orders", before as never, another as never);
      deepEqual([fleet.done.filter((line) => line.startsWith("rebuild")), images()], [names.map((name) => `rebuild ${name}`), ["image-13", "image-13", "image-13"]]);
      deepEqual(outs!.images, Object.fromEntries(names.map((name) => [name, "debian-13"])));
      for (const name of names) equal(fleet.accepted[name]!.length, 2, "one of the two that its console told");
      fleet.printed.length = 0;
      deepEqual([await diff("orders", outs as never, another as never), fleet.printed], [{}, []]);
    });

    it("that was cut before it could remember the new host keys reads them from the console", async () => {
      const [first] = known.members;
      Object.assign(nova.servers[first!.server]!, { image: "image-13", console: keysOf(7) });
      fleet.seen = { ...all(names, "synced/2"), "orders-1": sight("whole:2,uninstalled,unmounted,unconfigured", 3) };
      await update("orders", { ...stored(), pins: { [first!.server]: "SHA256:former" } } as never, another as never);
      deepEqual(fleet.done.filter((line) => line.startsWith("rebuild")), ["rebuild orders-2", "rebuild orders-3"]);
      ok(!fleet.accepted["orders-1"]!.includes("SHA256:former"));
    });
  });

  describe("or a rebuild that Nova goes on with after it failed to answer", () => {
    /** What is remembered of a run that Nova told nothing more once it had begun. */
    const failed = async (act: string, wanted: object) => {
      const begun = setInterval(() => { nova.closed ||= nova.asked.includes(act); }, 1);
      const error = await update("orders", { ...stored(), pins: { [first.server]: "SHA256:former" } } as never, wanted as never).then(() => undefined, (error: { properties: Outputs }) => error);
      clearInterval(begun);
      nova.closed = false;
      fleet.done.length = 0;
      return error!.properties;
    };
    const first = known.members[0]!;

    it("of a flavor is gone back on when that is set back", async () => {
      const olds = await failed("resize", large);
      Object.assign(nova.servers[first.server]!, { status: "VERIFY_RESIZE", task: null, flavor: "large" });
      fleet.seen = { ...all(names, "synced/2"), "orders-1": sight("whole:2", 3) };
      await diff("orders", olds, known);
      ok(fleet.printed.includes("[orders] resize orders-1 (m1.small)"), fleet.printed.join("\n"));
      const { outs } = await update("orders", olds, known);
      deepEqual([nova.servers[first.server]!.status, flavors(), (outs as Outputs).flavors!["orders-1"]], ["ACTIVE", ["m1.small", "m1.small", "m1.small"], "m1.small"]);
    });

    it("of an image too, over the host keys that its console tells", async () => {
      const olds = await failed("rebuild", { ...known, servers: { ...known.servers, image: "debian-13" } });
      Object.assign(nova.servers[first.server]!, { status: "ACTIVE", task: null, image: "image-13", console: keysOf(7) });
      fleet.seen = { ...all(names, "synced/2"), "orders-1": sight("whole:2,uninstalled,unmounted,unconfigured", 3) };
      await update("orders", olds, known);
      deepEqual(fleet.done.slice(0, 2), ["rebuild orders-1", "install orders-1"]);
      deepEqual([nova.servers[first.server]!.image, fleet.accepted["orders-1"]!.includes("SHA256:former")], ["image-12", false]);
    });
  });
});
