import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { check, diff, read, update } from "../../provider/lifecycle";
import { all, sight } from "./datastores/galera/model";
import { known, news, of } from "./document";
import { Fleet } from "./fleet";

const members = known.members.map(({ name }) => name);
const stored = (seen: object, document: object = known) => ({ ...known, ...document, stateVersion: 1 as const, status: "ready" as const, known: known.members, seen, unreached: [] as string[], pins: {} });
const stopped = { ...known, state: "stopped" };
const held = { "orders-1": sight("whole:9,held", 3), "orders-2": sight("whole:9,held", 3), "orders-3": sight("whole:9,held,safe", 3) };
const holds = members.map((name) => `hold ${name} (stopped until \`state\` is running again)`);
const starts = ["recover orders-3", "join orders-1", "join orders-2", "verify orders-1 orders-2 orders-3"];

describe("a cluster that is stopped", () => {
  let fleet: Fleet;
  beforeEach(() => { fleet = new Fleet(structuredClone(all(members, "synced"))); });
  afterEach(() => fleet.end());
  const printed = () => fleet.printed.splice(0).map((line) => line.replace("[orders] ", ""));

  it("is stopped as the preview says, and then a refresh and another run find no difference", async () => {
    deepEqual((await check(known, { ...news, state: "stopped" })).inputs.plan, { stop: holds });
    deepEqual(await diff("orders", stored(all(members, "synced")) as never, stopped as never), {});
    deepEqual(printed(), holds);
    const { outs } = await update("orders", stored(all(members, "synced")) as never, stopped as never);
    deepEqual(fleet.done, members.map((name) => `hold ${name}`));
    const { props } = await read("orders", outs as never);
    for (const olds of [outs, props]) {
      printed();
      deepEqual([await diff("orders", olds as never, stopped as never), printed()], [{}, []]);
    }
  });

  it("is started from who was last, as the preview says", async () => {
    deepEqual((await check(stopped, news)).inputs.plan, { start: starts });
    deepEqual(await diff("orders", stored(held, stopped) as never, known as never), {});
    deepEqual(printed(), starts);
    fleet.seen = structuredClone(held);
    await update("orders", stored(held, stopped) as never, known as never);
    deepEqual(fleet.done.slice(0, 3), starts.slice(0, 3));
  });

  it("goes on from a stop that failed, and from one that is taken back", async () => {
    fleet.beforeStep = (step, name) => { if (step === "hold" && name === "orders-2") throw new Error("cut"); };
    const failed = await update("orders", stored(all(members, "synced")) as never, stopped as never).then(() => undefined, (error: { properties: object }) => error.properties);
    fleet.beforeStep = () => undefined;
    printed();
    deepEqual(await diff("orders", failed as never, stopped as never), { changes: true });
    deepEqual(printed().slice(1), holds.slice(1));
    deepEqual(await diff("orders", failed as never, known as never), { changes: true });
    deepEqual(printed().slice(1), ["join orders-1", "verify orders-1 orders-2 orders-3"]);
    await update("orders", failed as never, stopped as never);
    deepEqual(fleet.done, members.map((name) => `hold ${name}`));
  });

  it("takes no other change but such as touch no guest, until it is started with that", async () => {
    for (const [change, says] of [
      [{ members: of(1, 2, 3, 4, 5).members }, "members"], [{ options: { vendor: "mariadb", configuration: { max_connections: 501 } } }, "configuration"],
      [{ servers: { ...known.servers, flavor: "large" } }, "servers"], [{ authorities: ["1", "2"] }, "authorities"], [{ replace: ["orders-2"] }, "replace"], [{ rootPassword: "another-passw0rd" }, "rootPassword"],
    ] as const) {
      await rejects(diff("orders", stored(held, stopped) as never, { ...stopped, ...change } as never), { message: `orders is stopped, and ${says} cannot change with that: set state to running with that change, or take it back` });
      await rejects(diff("orders", stored(all(members, "synced")) as never, { ...stopped, ...change } as never), { message: `orders is to be stopped, and ${says} cannot change with that: change it first, in a run of its own, or take it back` });
    }
    deepEqual(await diff("orders", stored(held, stopped) as never, { ...stopped, deletionProtection: false, rollout: { canary: true } } as never), {});
    printed();
    deepEqual(await diff("orders", stored(held, stopped) as never, { ...known, options: { vendor: "mariadb", configuration: { max_connections: 501 } } } as never), {});
    deepEqual(printed(), ["configure orders-1 orders-2 orders-3 (max_connections live)", ...starts]);
  });

  it("that is not whole is not stopped, and the preview says so", async () => {
    await rejects(diff("orders", stored({ ...all(members, "synced/2"), "orders-3": sight("whole:9", 3) }) as never, stopped as never), /refused: a cluster that runs is stopped only while all its members are in\. Seen: .*orders-3 is down/);
  });

  it("does not stop a member that the preview did not say: nothing grave is done unannounced", async () => {
    fleet.seen = { ...all(members, "synced/2"), "orders-2": sight("whole:9,held", 3) };
    await rejects(update("orders", stored(held, stopped) as never, stopped as never), /nothing grave is done that the preview did not announce/);
    deepEqual(fleet.done, []);
  });

  it("is none that is still to be made, and one that says that it runs is one that says nothing", async () => {
    const { failures } = await check(undefined, { ...news, state: "stopped" });
    match(failures![0]!.reason, /is of a cluster that is there: leave it out until it is made/);
    equal((await check(undefined, { ...news, state: "running" })).failures!.length, 0);
  });
});
