import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { check, diff, read, update } from "../../provider/lifecycle";
import { all, sight } from "./datastores/galera/model";
import { known, news, of } from "./document";
import { Fleet } from "./fleet";

const members = known.members.map(({ name }) => name);
const stored = (seen: object, document: object = known) => ({ ...known, ...document, stateVersion: 1 as const, status: "ready" as const, known: known.members, seen, unreached: [] as string[], pins: {} });
const maintained = { ...known, maintenance: true };
const sick = { ...all(members, "synced/2"), "orders-3": sight("whole:9", 3) };

describe("a cluster in maintenance", () => {
  let fleet: Fleet;
  beforeEach(() => { fleet = new Fleet(structuredClone(sick)); });
  afterEach(() => fleet.end());

  it("is put into it without a look at a guest, and says what is left", async () => {
    deepEqual(await diff("orders", stored(sick) as never, maintained as never), {});
    deepEqual(fleet.printed, ["[orders] left for the next run: join orders-3", "[orders] left for the next run: verify orders-1 orders-2 orders-3"]);
    const { outs } = await update("orders", stored(sick) as never, maintained as never);
    deepEqual([fleet.dialled, fleet.done, outs!.maintenance], [[], [], true]);
  });

  it("stays as it is though a member is down: the next run finds no difference", async () => {
    deepEqual(await diff("orders", stored(sick, maintained) as never, maintained as never), {});
    deepEqual(fleet.dialled, []);
  });

  it("refuses by name what would touch a guest, and takes what would not", async () => {
    for (const [change, says] of [
      [{ members: of(1, 2, 3, 4, 5).members }, "members"], [{ options: { vendor: "mariadb", configuration: { max_connections: 501 } } }, "configuration"],
      [{ servers: { ...known.servers, volumeSize: 20 } }, "servers"], [{ replace: ["orders-2"] }, "replace"],
    ] as const) await rejects(diff("orders", stored(all(members, "synced")) as never, { ...maintained, ...change } as never), { message: `orders is in maintenance, so no guest is touched, and ${says} cannot change: set maintenance to false with that change, or take it back` });
    deepEqual(await diff("orders", stored(all(members, "synced"), maintained) as never, { ...maintained, deletionProtection: false } as never), {});
  });

  it("is mended by the run that ends it", async () => {
    deepEqual(await diff("orders", stored(sick, maintained) as never, { ...known, maintenance: false } as never), {});
    await update("orders", stored(sick, maintained) as never, { ...known, maintenance: false } as never);
    equal(fleet.done[0], "join orders-3");
  });

  it("is only glanced at by a refresh, which starts nothing that could tell more", async () => {
    await read("orders", stored(sick, maintained) as never);
    deepEqual([...fleet.glanced].sort(), members);
  });

  it("is none that is still to be made", async () => {
    const { failures } = await check(undefined, { ...news, maintenance: true });
    match(failures![0]!.reason, /is of a cluster that is there: leave it out until it is made/);
  });
});
