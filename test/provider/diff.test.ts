import { deepEqual, ok, rejects } from "node:assert/strict";
import { runtime } from "@pulumi/pulumi";
import fc from "fast-check";
import { diff } from "../../provider/lifecycle";
import { all, sight, type Seen } from "./datastores/galera/model";
import { known } from "./document";
import { Fleet } from "./fleet";
import { withUnknown } from "./wire";

const members = known.members.map(({ name }) => name);
const stored = (seen: Seen, status: "ready" | "failed" = "ready") => ({ ...known, stateVersion: 1 as const, status, known: members, seen, pins: {} });
const healthy = stored(all(members, "synced"));
const replaced = (...servers: string[]) => ({ ...known, members: known.members.map((each, index) => ({ ...each, server: servers[index] ?? each.server })) });

describe("diff", () => {
  let fleet: Fleet;
  beforeEach(() => { fleet = new Fleet({}); });
  afterEach(() => {
    fleet.end();
    deepEqual(fleet.dialled, [], "diff may reach no guest");
  });

  it("of an unchanged cluster is empty and says nothing", async () => {
    deepEqual(await diff("orders", healthy, known), {});
    deepEqual(fleet.printed, []);
  });

  it("leaves it to the engine what changed, and never replaces", async () => {
    deepEqual(await diff("orders", healthy, { ...replaced("new", "new", "new"), deletionProtection: false }), {});
  });

  it("while the last run did not end it is a change, also when a refresh cleared the engine's memory of it", async () => {
    deepEqual(await diff("orders", stored({}, "failed"), known), { changes: true });
    ok(fleet.printed[0]!.startsWith("[orders] the last run did not end"));
  });

  it("prints the forecast from what was last seen, a line a step, with the cluster's name in front", async () => {
    await diff("orders", stored({ ...all(members, "synced/2"), "orders-3": sight("whole:95", 3) }), known);
    deepEqual(fleet.printed, ["[orders] join orders-3", "[orders] verify orders-1 orders-2 orders-3"]);
  });

  it("after a failed create it prints what remains to be done", async () => {
    await diff("orders", stored({}, "failed"), known);
    deepEqual(fleet.printed.slice(1), ["install orders-1 orders-2 orders-3", "mount orders-1 orders-2 orders-3", "configure orders-1 orders-2 orders-3", "bootstrap orders-1",
      "secure orders-1", "join orders-2", "join orders-3", "verify orders-1 orders-2 orders-3"].map((line) => `[orders] ${line}`));
  });

  for (const [server, which] of [["another", "made again"], [runtime.unknownValue, "about to be made again"]] as const)
    it(`a server that was ${which} is seen as new`, async () => {
      await diff("orders", healthy, replaced("server-of-orders-1", server));
      deepEqual(fleet.printed, ["install orders-2", "mount orders-2", "configure orders-2", "join orders-2", "verify orders-1 orders-2 orders-3"].map((line) => `[orders] ${line}`));
    });

  it("a refusal is a forecast too: what needs no guest must still go through", async () => {
    deepEqual(await diff("orders", stored(all(members, "whole:95")), { ...known, deletionProtection: false }), {});
    ok(fleet.printed[0]?.startsWith("[orders] refused: "), fleet.printed.join());
  });

  it("refuses by name to change the options of a cluster that runs, and lets those of one that did not come up be mended", async () => {
    const news = { ...known, options: { vendor: "mariadb", version: "10.11", configuration: { max_connections: 501 } } };
    await rejects(diff("orders", healthy, news), /changing .*options\.configuration.* cannot be done by this version; set it back/);
    deepEqual(await diff("orders", stored({}, "failed"), news), { changes: true });
  });

  it("takes unknown members for no change, as `destroy --target` asks", async () => {
    for (const status of ["ready", "failed"] as const) deepEqual(await diff("orders", stored({}, status), { ...known, members: runtime.unknownValue }), {});
  });

  it("takes unknown values at any depth", () => fc.assert(fc.asyncProperty(withUnknown(known, ["datastore", "owner"]), async (news) => {
    deepEqual(await diff("orders", healthy, news as never), {});
  }), { numRuns: 100 }));
});
