import { deepEqual, ok, rejects } from "node:assert/strict";
import { runtime } from "@pulumi/pulumi";
import fc from "fast-check";
import { diff } from "../../provider/lifecycle";
import { all, sight, type Seen } from "./datastores/galera/model";
import { known, of } from "./document";
import { Fleet } from "./fleet";
import { withUnknown } from "./wire";

const members = known.members.map(({ name }) => name);
const stored = (seen: Seen, status: "ready" | "failed" = "ready") => ({ ...known, stateVersion: 1 as const, status, known: known.members, seen, unreached: [] as string[], pins: {} });
const seenAs = (...words: string[]): Seen => Object.fromEntries(words.map((word, index) => [`orders-${index + 1}`, sight(word, words.length)]));
const healthy = stored(all(members, "synced"));
/** A refusal that time does not mend. */
const emptied = stored(seenAs("emptied", "synced/2", "synced/2"));
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

  it("of a rotation says what becomes of passwords and shows none, and knows one that is taken out", async () => {
    const rotated = { ...known, rootPassword: "new-password", formerPasswords: [known.rootPassword] };
    const dropped = { ...known, rootPassword: "new-password" };
    deepEqual(await diff("orders", healthy, rotated), {});
    deepEqual(await diff("orders", { ...healthy, ...rotated }, dropped), {});
    deepEqual(fleet.printed, ["new password, 1 former works on", "1 former ends"].flatMap((step) => [`[orders] secure orders-1 (${step})`, `[orders] verify ${members.join(" ")}`]));
  });

  it("in maintenance refuses other passwords by the name of their argument", () => rejects(diff("orders", healthy, { ...known, maintenance: true, rootPassword: "new-password", formerPasswords: [known.rootPassword] }),
    { message: "orders is in maintenance, so no guest is touched, and rootPassword, formerPasswords cannot change: set maintenance to false with that change, or take it back" }));

  it("lets a password change freely of a cluster that did not come up", async () => {
    deepEqual(await diff("orders", stored(all(members, "blank"), "failed"), { ...known, rootPassword: "new-password" }), { changes: true });
    deepEqual(fleet.printed[4], "[orders] bootstrap orders-1");
  });

  it("announces no step of a run that asks no member", async () => {
    deepEqual(await diff("orders", stored(seenAs("synced/2", "synced/2", "whole:9")), { ...known, deletionProtection: false }), {});
    deepEqual(fleet.printed, ["[orders] left for the next run: join orders-3", `[orders] left for the next run: verify ${members.join(" ")}`]);
  });

  it("prints the forecast from what was last seen, a line a step, with the cluster's name in front", async () => {
    await diff("orders", stored({ ...all(members, "synced/2"), "orders-3": sight("whole:95", 3) }), known);
    deepEqual(fleet.printed, ["[orders] join orders-3", "[orders] verify orders-1 orders-2 orders-3"]);
  });

  it("after a failed create it prints what remains to be done", async () => {
    await diff("orders", stored(all(members, "blank"), "failed"), known);
    deepEqual(fleet.printed.slice(1), ["install orders-1 orders-2 orders-3", "mount orders-1 orders-2 orders-3", "configure orders-1 orders-2 orders-3", "bootstrap orders-1",
      "secure orders-1", "join orders-2", "join orders-3", "verify orders-1 orders-2 orders-3"].map((line) => `[orders] ${line}`));
  });

  for (const [server, which] of [["another", "made again"], [runtime.unknownValue, "about to be made again"]] as const)
    it(`a server that was ${which} is seen as new`, async () => {
      await diff("orders", healthy, replaced("server-of-orders-1", server));
      deepEqual(fleet.printed, ["install orders-2", "mount orders-2", "configure orders-2", "join orders-2", "verify orders-1 orders-2 orders-3"].map((line) => `[orders] ${line}`));
    });

  it("plans for members that leave, and for the others with what is wanted now", async () => {
    const five = { ...stored(all(["orders-1", "orders-2", "orders-3", "orders-4", "orders-5"], "synced")), ...of(1, 2, 3, 4, 5), known: of(1, 2, 3, 4, 5).members };
    deepEqual(await diff("orders", five, { ...known, ...of(1, 2, 4) }), {});
    deepEqual(fleet.printed, ["configure orders-1 orders-2 orders-4", "leave orders-5", "leave orders-3", "verify orders-1 orders-2 orders-4"].map((line) => `[orders] ${line}`));
  });

  it("of other authorities says what happens of them, and of what a cut left", async () => {
    const said = async (olds: object, authorities: string[]) => {
      fleet.printed.length = 0;
      await diff("orders", olds as never, { ...known, authorities } as never);
      return fleet.printed.map((line) => line.replace("[orders] ", "")).filter((line) => /^(configure|restart)/.test(line));
    };
    deepEqual(await said(healthy, ["1", "2"]), ["configure orders-1 orders-2 orders-3 (trusts authorities 1, 2)"]);
    const both = { ...stored(seenAs("synced,by=1+2", "synced,by=1+2", "synced,by=1+2")), authorities: ["1", "2"] };
    deepEqual(await said(both, ["2", "1"]), ["configure orders-1 orders-2 orders-3 (certificates by authority 2)"]);
    const signed = { ...both, seen: seenAs("synced,by=2+1", "synced,by=2+1", "synced,by=2+1"), authorities: ["2", "1"] };
    deepEqual(await said(signed, ["2"]), ["configure orders-1 orders-2 orders-3 (drops authority 1)", "restart orders-1", "restart orders-2", "restart orders-3"]);
    const cut = { ...both, seen: seenAs("synced,by=1+2", "synced,by=2+1", "synced"), authorities: ["2", "1"], status: "failed" };
    deepEqual(await said(cut, ["2", "1"]), ["configure orders-3 (trusts authorities 2, 1)", "configure orders-1 orders-3 (certificates by authority 2)"]);
  });

  describe("a refusal", () => {
    const fails = (olds: typeof healthy, news: object, words: RegExp) => rejects(diff("orders", olds, { ...known, ...news }), words);

    it("fails it, names the cluster, and says how to look again", () =>
      fails(emptied, {}, /^Error: orders: refused: a member whose data vanished.*This is what the last look saw: once it is mended, run `pulumi refresh`\.$/));

    it("has no stack, which Pulumi would print beside it", () => rejects(diff("orders", emptied, known as never), { stack: "" }));

    it("fails it whatever changes beside", async () => {
      for (const change of [of(1, 2, 3, 4, 5), { deletionProtection: false, forget: [] }, { forget: ["orders-4"] }]) await fails(emptied, change, /vanished/);
    });

    it("is only printed of a change that needs no guest", async () => {
      for (const change of [{ deletionProtection: false }, { access: { ...known.access, user: "admin" } }]) deepEqual(await diff("orders", emptied, { ...known, ...change }), {});
      ok(fleet.printed.length === 2 && fleet.printed.every((line) => line.startsWith("[orders] refused: ")), fleet.printed.join());
    });

    it("of a cluster that did not come up is only printed of its deletionProtection", async () => {
      deepEqual(await diff("orders", { ...emptied, status: "failed" }, { ...known, deletionProtection: false }), { changes: true });
      await fails({ ...emptied, status: "failed" }, { access: { ...known.access, user: "admin" } }, /vanished/);
    });
  });

  describe("what may have passed since is not held against it", () => {
    for (const word of ["starting", "joining", "donor"]) it(`a member that was ${word}`, async () => {
      deepEqual(await diff("orders", stored(seenAs("synced", "synced", word)), known), {});
      deepEqual(fleet.printed, []);
    });

    it("but a member that is up outside of the cluster had its time to find back", async () => {
      deepEqual(await diff("orders", stored(seenAs("synced/2", "synced/2", "split")), known), { changes: true });
      deepEqual(fleet.printed, ["[orders] stop orders-3", "[orders] join orders-3", `[orders] verify ${members.join(" ")}`]);
    });

    for (const [words, lost] of [["starting whole:5 whole:9", "orders-1"], ["unreachable starting whole:9", "orders-2"], ["split starting split", "orders-1 orders-2 orders-3"]] as const)
      it(`but where no cluster was seen running it says that one is to be started: ${words}`, async () => {
        deepEqual(await diff("orders", stored(seenAs(...words.split(" "))), known), { changes: true });
        deepEqual(fleet.printed, [`[orders] stop ${lost}`, "[orders] recover"]);
      });

    it("a member that never was reached is new", async () => {
      await diff("orders", stored(seenAs("synced/2", "synced/2", "unreachable"), "failed"), known);
      deepEqual(fleet.printed.slice(1), ["install orders-3", "mount orders-3", "configure orders-3", "join orders-3", "verify orders-1 orders-2 orders-3"].map((line) => `[orders] ${line}`));
    });

    it("a leaving member that was not reached leaves as any other, also when it may be forgotten", async () => {
      for (const forget of [undefined, ["orders-3"]]) {
        fleet.printed.length = 0;
        await diff("orders", stored(seenAs("synced", "synced", "unreachable")), { ...known, ...of(1, 2), forget });
        deepEqual(fleet.printed, ["configure orders-1 orders-2", "leave orders-3", "verify orders-1 orders-2"].map((line) => `[orders] ${line}`));
      }
    });
  });

  describe("a replacement that was asked for", () => {
    const again = { ...replaced("server-of-orders-1", runtime.unknownValue), replace: ["orders-2"] };

    it("is planned while all others run", async () => {
      deepEqual(await diff("orders", healthy, again), {});
      deepEqual(fleet.printed.map((line) => line.replace("[orders] ", "")), ["install orders-2", "mount orders-2", "configure orders-2", "join orders-2", "verify orders-1 orders-2 orders-3"]);
    });

    it("is refused while another member is down, and when two servers would be made again", async () => {
      const refusal = (missing: string) => new RegExp(`orders: refused: a member's server is taken away only while all others run.*bring ${missing} back first, without \`replace\``);
      await rejects(diff("orders", stored(seenAs("synced/2", "synced/2", "whole:9")), again), refusal("orders-3"));
      await rejects(diff("orders", healthy, { ...replaced("another", "another"), replace: ["orders-2"] }), refusal("orders-1"));
      await rejects(diff("orders", healthy, { ...again, members: [...again.members, ...of(4).members] }), refusal("orders-4"));
    });

    it("mends the member itself when that is the one that is down", async () => {
      deepEqual(await diff("orders", stored(seenAs("synced/2", "whole:9", "synced/2")), again), {});
    });

    it("refuses nothing any more once its server was made", async () => {
      deepEqual(await diff("orders", stored(seenAs("synced/2", "synced/2", "whole:9")), { ...known, replace: ["orders-2"] }), {});
      deepEqual(fleet.printed, ["[orders] join orders-3", "[orders] verify orders-1 orders-2 orders-3"]);
    });
  });

  it("refuses by name to change the options of a cluster that runs, and lets those of one that did not come up be mended", async () => {
    const news = { ...known, options: { ...known.options, configuration: { max_connections: 501 } } };
    await rejects(diff("orders", healthy, { ...news, options: { ...news.options, vendor: "percona" } }), /changing vendor of a cluster that runs cannot be done by this version; set it back/);
    deepEqual(await diff("orders", stored({}, "failed"), news), { changes: true });
  });

  describe("of another version", () => {
    const versioned = (version: string, image = "debian-13") => ({ ...known, options: { ...known.options, version }, servers: { ...known.servers, image } });
    const anew = (name: string) => [`rebuild ${name} (debian-13, 10.11 to 11.8)`, `install ${name} (10.11 to 11.8)`, `mount ${name}`, `configure ${name}`, `join ${name}`, `upgrade ${name} (system tables of 11.8)`];
    const expected = [...members.flatMap(anew), `verify ${members.join(" ")}`].map((line) => `[orders] ${line}`);

    it("says who comes from which to which, in order, as was seen, or as was asked for where that is all that is known", async () => {
      deepEqual(await diff("orders", stored(all(members, "synced,is=10.11")), versioned("11.8")), {});
      deepEqual(fleet.printed.splice(0), expected);
      deepEqual(await diff("orders", { ...healthy, options: { ...known.options, version: "10.11" } }, versioned("11.8")), {});
      deepEqual(fleet.printed, expected);
    });

    it("with no image, or with none that a vendor has tried, is refused, and so is an older one", async () => {
      const now = stored(all(members, "synced,is=10.11"));
      await rejects(diff("orders", now, versioned("11.8", known.servers.image)), /orders: refused: another `version` comes with another `image`/);
      await rejects(diff("orders", now, versioned("12.3")), /orders: refused: a major version is changed only as its vendor has tried/);
      await rejects(diff("orders", now, versioned("10.6")), /orders: refused: data that a later version has opened are opened by no older one/);
    });

    it("comes to the canary alone first, whose version the others need not have", async () => {
      deepEqual(await diff("orders", stored(all(members, "synced,is=10.11")), { ...versioned("11.8"), rollout: { canary: true } }), {});
      deepEqual(fleet.printed, [...anew(members.at(-1)!), `verify ${members.join(" ")}`, `canary: the next run changes ${members.slice(0, -1).join(" ")}`].map((line) => `[orders] ${line}`));
    });
  });

  it("says how large volumes are to be, and whose", async () => {
    deepEqual(await diff("orders", healthy, { ...known, servers: { ...known.servers, volumeSize: 20 } }), {});
    deepEqual(fleet.printed, ["[orders] mount orders-1 orders-2 orders-3 (20 GiB)", "[orders] verify orders-1 orders-2 orders-3"]);
  });

  it("says of each setting how it comes to count, and whom it restarts", async () => {
    const of = async (options: object) => {
      fleet.printed.length = 0;
      deepEqual(await diff("orders", healthy, { ...known, options: { ...known.options, ...options } }), {});
      return fleet.printed;
    };
    deepEqual(await of({ configuration: { max_connections: "501" } }), ["[orders] configure orders-1 orders-2 orders-3 (max_connections live)", "[orders] verify orders-1 orders-2 orders-3"]);
    deepEqual(await of({ configuration: { max_connections: "501", performance_schema: "ON" } }), ["[orders] configure orders-1 orders-2 orders-3 (max_connections live, performance_schema at a restart)",
      "[orders] restart orders-1", "[orders] restart orders-2", "[orders] restart orders-3", "[orders] verify orders-1 orders-2 orders-3"]);
    deepEqual(await of({ restartTrigger: "1" }), ["[orders] configure orders-1 orders-2 orders-3 (restartTrigger at a restart)", "[orders] restart orders-1", "[orders] restart orders-2", "[orders] restart orders-3",
      "[orders] verify orders-1 orders-2 orders-3"]);
  });

  it("takes unknown members for no change, as `destroy --target` asks", async () => {
    for (const status of ["ready", "failed"] as const) deepEqual(await diff("orders", stored({}, status), { ...known, members: runtime.unknownValue }), {});
  });

  it("says of settings and servers that are not known yet that it does not know what follows from them", async () => {
    const later = { ...known, options: { ...known.options, configuration: { max_connections: runtime.unknownValue } }, servers: { ...known.servers, volumeSize: runtime.unknownValue, flavor: runtime.unknownValue } };
    await diff("orders", healthy, later as never);
    deepEqual(fleet.printed, ["[orders] configuration, flavor, volume.size: not known before the resources that tell it are made; what follows from it, a restart of members among it, is not shown here"]);
  });

  it("takes unknown values at any depth", () => fc.assert(fc.asyncProperty(withUnknown(known, ["datastore", "owner"]), async (news) => {
    deepEqual(await diff("orders", healthy, news as never), {});
  }), { numRuns: 100 }));
});
