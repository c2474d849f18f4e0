import { deepEqual, doesNotReject, equal, rejects } from "node:assert/strict";
import type { GaleraClusterArgs } from "../../components";
import { memberNames } from "../../components/members";
import { galera, program, settled, type Registered } from "./program";

const of = (registered: Registered[], type: string) => registered.filter((each) => each.type.endsWith(`:${type}`));
const named = (...numbers: number[]) => numbers.map((number) => `orders-${number}`);
const refuses = (change: Partial<GaleraClusterArgs>, words: RegExp) => rejects(program(() => galera(change)), words);

describe("members of a GaleraCluster", () => {
  describe("are the first names that are not given up", () => {
    for (const [count, without, numbers] of [
      [3, [], [1, 2, 3]],
      [5, [], [1, 2, 3, 4, 5]],
      [3, ["orders-2"], [1, 3, 4]],
      [3, ["orders-1", "orders-2", "orders-4"], [3, 5, 6]],
      [3, ["orders-9"], [1, 2, 3]],
      [3, ["orders-2", "orders-2"], [1, 3, 4]],
    ] as const) it(`${count} without ${without.join(", ") || "nobody"}`, () => deepEqual(memberNames("orders", count, [...without]), named(...numbers)));

    it("and each has its server, volume, disk and port, its part of the document and of the diagram", async () => {
      const { registered, result } = await program(() => galera({ without: ["orders-2"] }));
      for (const type of ["Instance", "Volume", "VolumeAttach", "Port"]) deepEqual(of(registered, type).map(({ name }) => name), named(1, 3, 4), type);
      deepEqual(of(registered, "Cluster")[0]!.inputs.members.map(({ name }: { name: string }) => name), named(1, 3, 4));
      deepEqual((await settled(result.members)).value, named(1, 3, 4));
      deepEqual((await settled(result.topology)).value.match(/orders-\d(?=<br\/>)/g), named(1, 3, 4));
    });
  });

  it("keep their zones when another is given up or comes", async () => {
    const zones = async (change: Partial<GaleraClusterArgs>) => Object.fromEntries(
      of((await program(() => galera({ availabilityZones: ["az1", "az2", "az3"], ...change }))).registered, "Instance").map(({ name, inputs }) => [name, inputs.availabilityZone]));
    const five = await zones({ members: 5 });
    deepEqual(five, { "orders-1": "az1", "orders-2": "az2", "orders-3": "az3", "orders-4": "az1", "orders-5": "az2" });
    for (const change of [{}, { without: ["orders-2"] }, { members: 3, without: ["orders-1", "orders-4"] }])
      for (const [name, zone] of Object.entries(await zones(change))) equal(zone, five[name as keyof typeof five], name);
  });

  describe("one that is to be replaced", () => {
    const servers = async (change: Partial<GaleraClusterArgs>) => of((await program(() => galera(change))).registered, "Instance")
      .map(({ name, inputs, options }) => [name, inputs.metadata, options.replaceOnChanges]);

    it("gets a word on its server that makes a new one; the others none", async () => {
      deepEqual(await servers({ replace: ["orders-2"] }), [["orders-1", undefined, []], ["orders-2", { replaced: "yes" }, ["metadata"]], ["orders-3", undefined, []]]);
    });

    it("and is so no more loses the word, which makes no new one", async () => {
      for (const replace of [undefined, []]) deepEqual(await servers({ replace }), named(1, 2, 3).map((name) => [name, undefined, []]));
    });

    it("keeps its volume and its address", async () => {
      const { registered } = await program(() => galera({ replace: ["orders-2"] }));
      for (const type of ["Volume", "Port"]) for (const { inputs, options } of of(registered, type)) deepEqual([inputs.metadata, options.replaceOnChanges], [undefined, []]);
    });

    it("is one at a time, and a member", async () => {
      await refuses({ replace: ["orders-1", "orders-2"] }, /replace names orders-1, orders-2: one at a time, so that one more may fail\. Name the next after `pulumi up`/);
      await refuses({ replace: ["orders-4"] }, /replace names orders-4, but the members are orders-1, orders-2, orders-3/);
      await refuses({ replace: ["orders-2"], without: ["orders-2"] }, /replace names orders-2, but the members are orders-1, orders-3, orders-4/);
    });
  });

  it("to replace and to forget are in the document, and nothing is when nobody is named", async () => {
    const document = async (change: Partial<GaleraClusterArgs>) => {
      const { replace, forget } = of((await program(() => galera(change))).registered, "Cluster")[0]!.inputs;
      return { replace, forget };
    };
    deepEqual(await document({ replace: ["orders-2"], forget: ["orders-4", "orders-5"] }), { replace: ["orders-2"], forget: ["orders-4", "orders-5"] });
    deepEqual(await document({}), { replace: undefined, forget: undefined });
  });

  it("to recover from are members or such that leave, and stand in the document as they were given", async () => {
    const recovery = (from: string) => ({ recovery: { from, evidence: "3f9c00112233" } });
    for (const from of ["orders-2", "orders-5"]) deepEqual(of((await program(() => galera(recovery(from)))).registered, "Cluster")[0]!.inputs.recovery, recovery(from).recovery);
    deepEqual("recovery" in of((await program(() => galera({}))).registered, "Cluster")[0]!.inputs, false);
    await refuses(recovery("carts-1"), /recovery\.from names carts-1, but members are named orders-1, orders-2 and so on/);
  });

  it("to forget are such that leave", async () => {
    await doesNotReject(program(() => galera({ forget: ["orders-2"], without: ["orders-2"] })));
    await refuses({ forget: ["orders-2"] }, /forget names orders-2, which is wanted: forget is for members that leave; name it in without, or lower members/);
  });

  for (const argument of ["without", "forget"] as const)
    for (const wrong of ["orders-0", "orders-04", "orders", "sales-4", "orders-4 ", "orders-four"])
      it(`${JSON.stringify(wrong)} in ${argument} is refused: no member was ever named so`, () =>
        refuses({ [argument]: ["orders-5", wrong] }, new RegExp(`${argument} names ${wrong}, but members are named orders-1, orders-2 and so on`)));

  describe("in a number that cannot bear much", () => {
    for (const [members, risk, lost] of [
      [1, "under-three-members", "all is lost with its one server"],
      [2, "under-three-members", "when one fails the other stops too"],
      [4, "even-members", "no more failures are survived than with 3, and a network cut in the middle stops both halves"],
    ] as const) {
      const other = risk === "even-members" ? "under-three-members" : "even-members";
      it(`${members} are refused, with what would be lost and the word for it`, async () => {
        const words = new RegExp(`members must be odd and at least 3; it is ${members}, so ${lost}.* name it: allowUnsafe: \\["${risk}"\\]`);
        await refuses({ members }, words);
        await refuses({ members, allowUnsafe: [] }, words);
        await refuses({ members, allowUnsafe: [other] }, words);
      });

      it(`${members} are taken when that risk is named`, async () => {
        const { registered } = await program(() => galera({ members, allowUnsafe: [risk] }));
        equal(of(registered, "Instance").length, members);
      });
    }

    it("are refused whatever is named when they are no number of members", async () => {
      for (const members of [0, -3, 3.5, NaN, Infinity]) await refuses({ members, allowUnsafe: ["under-three-members", "even-members"] }, /members must be a whole number, at least 1; it is /);
    });

    it("that is safe may name risks all the same", () => doesNotReject(program(() => galera({ members: 3, allowUnsafe: ["under-three-members", "even-members"] }))));
  });
});
