import { deepEqual, match, ok, rejects } from "node:assert/strict";
import { runtime } from "@pulumi/pulumi";
import { check } from "../../provider/check";
import { redis } from "../../provider/datastores/redis";
import { forecast } from "../../provider/forecast";
import { movedArguments, moves, type Placed } from "../../provider/moves";
import { known, of } from "./document";
import { Fleet } from "./fleet";
import { Stack } from "./stack";

const at = (asked: Placed["asked"], has: Placed["has"]): Placed => ({ asked, has });

describe("a move", () => {
  it("is due of who has another zone or volume type than is asked for", () =>
    deepEqual(moves({
      "orders-1": at({ zone: "az2" }, { zone: "az1", volumeType: "standard" }),
      "orders-2": at({ zone: "az2", volumeType: "fast" }, { zone: "az1", volumeType: "standard" }),
      "orders-3": at({ zone: "az2", volumeType: "fast" }, { zone: "az2", volumeType: "fast" }),
    }), { "orders-1": "zone az1 to az2", "orders-2": "zone az1 to az2, volume type standard to fast" }));

  it("is not due where anything is right, where an administrator names the host, nor while it is not known", () =>
    deepEqual(moves({
      "orders-1": at({}, { zone: "az1", volumeType: "standard" }),
      "orders-2": at({ zone: "az1:host1" }, { zone: "az1" }),
      "orders-3": at({ zone: "az2", volumeType: "fast" }, { zone: runtime.unknownValue, volumeType: runtime.unknownValue }),
      "orders-4": at({ zone: runtime.unknownValue }, {}),
    }), {}));

  it("is asked for by these arguments, of a member's own only for who stays", () => {
    const was = { availabilityZones: ["az1"], memberOverrides: { "orders-2": { zone: "az3", flavor: "small" } } };
    deepEqual(movedArguments(was, { availabilityZones: ["az2"], volumeType: "fast", memberOverrides: { "orders-4": { zone: "az1" } } }, ["orders-1", "orders-2"]),
      ["availabilityZones", "volume.type", "memberOverrides.orders-2.zone"]);
    deepEqual([movedArguments(was, was, ["orders-2"]), movedArguments(was, { ...was, availabilityZones: runtime.unknownValue }, []), movedArguments(was, runtime.unknownValue as never, [])], [[], [], []]);
  });
});

describe("other zones", () => {
  let fleet: Fleet;
  beforeEach(() => { fleet = new Fleet({}); });
  afterEach(() => fleet.end());
  const servers = { ...known.servers, availabilityZones: ["az2"] };
  const names = known.members.map(({ name }) => name);
  const places = (...there: string[]) => Object.fromEntries(names.map((name) => [name, at({ zone: "az2" }, { zone: there.includes(name) ? "az2" : "az1" })]));
  const reasons = async (olds: object, news: object) => (await check(olds as never, news as never)).failures!.map(({ reason }) => reason);

  it("are refused while nobody is made again with them, and say who would be; with the first it is said who is left", async () => {
    deepEqual(await reasons(known, { ...known, servers, places: places("orders-3") }), [
      "availabilityZones: moves no member by itself, for none may be away while another is: orders-1 (zone az1 to az2), orders-2 (zone az1 to az2) would be made again. "
      + "With this change, name one of them in `replace` with each `pulumi up`; or set it back"]);
    deepEqual(fleet.printed, []);
    deepEqual(await reasons(known, { ...known, servers, replace: ["orders-1"], places: { ...places("orders-3"), "orders-1": at({ zone: "az2" }, { zone: runtime.unknownValue }) } }), []);
    deepEqual(fleet.printed, ["[orders] orders-2 is still to move (zone az1 to az2): name one of them in `replace` with each `pulumi up`"]);
  });

  it("are refused beside a member that was made again before: it moves no more", async () =>
    match((await reasons({ ...known, replace: ["orders-1"] }, { ...known, servers, replace: ["orders-1"], places: places() }))[0]!, /^availabilityZones: moves no member by itself/));

  it("are no change once asked for: who is left is said with each preview, and may be made again in any order", async () => {
    const olds = { ...known, servers, replace: ["orders-1"] };
    deepEqual([await reasons(olds, { ...olds, places: places("orders-1") }), fleet.printed.length], [[], 2]);
    deepEqual(await reasons(olds, { ...olds, replace: ["orders-3"], places: places("orders-1") }), []);
    deepEqual(await reasons(olds, { ...olds, replace: undefined, places: places("orders-1") }), []);
  });

  it("may be taken back where nobody has moved, and for a member that is made again", async () => {
    const back = Object.fromEntries(names.map((name) => [name, at({ zone: "az1" }, { zone: "az1" })]));
    const olds = { ...known, servers, replace: ["orders-1"] };
    deepEqual(await reasons(olds, { ...known, places: back }), []);
    deepEqual(await reasons(olds, { ...known, places: { ...back, "orders-1": at({ zone: "az1" }, { zone: runtime.unknownValue }) } }), []);
  });

  it("name the change, and what is looked at is not kept", async () => {
    const { inputs } = await check(known as never, { ...known, servers, replace: ["orders-1"], members: known.members.map((each) => ({ ...each, server: each.name === "orders-1" ? runtime.unknownValue : each.server })), places: places() } as never);
    deepEqual([Object.keys(inputs.plan as object), "places" in inputs], [["replace orders-1, change availabilityZones"], false]);
  });
});

describe("a volume of another type", () => {
  let stack: Stack;
  const three = of(1, 2, 3);
  const other = (change: object) => ({ ...three, members: three.members.map((each) => (each.name === "orders-2" ? { ...each, ...change } : each)) });
  beforeEach(async () => {
    stack = new Stack();
    await stack.up(three);
  });
  afterEach(() => stack.fleet.end());

  it("comes with a new server, and the member gets all anew from those that run", async () => {
    const both = { ...other({ server: "another", volume: "fast" }), replace: ["orders-2"] };
    const said = await stack.preview(both);
    deepEqual(said.slice(1), ["install orders-2", "mount orders-2", "configure orders-2", "join orders-2", "verify orders-1 orders-2 orders-3"]);
    stack.fleet.seen["orders-2"] = undefined as never;
    delete stack.fleet.seen["orders-2"];
    await stack.up(both);
    ok(stack.outs.known.some(({ name, volume }) => name === "orders-2" && volume === "fast"));
  });

  it("under a server that stays is refused, be the member named or not, before anything is done with it; what is named is the way", async () => {
    for (const replace of [undefined, ["orders-2"]])
      await rejects(stack.up({ ...other({ volume: "fast" }), replace }), /a member's volume is made again only together with its server. Seen: orders-2 would get another volume under a server that stays/);
    delete stack.fleet.seen["orders-2"];
    await stack.up({ ...other({ server: "another", volume: "fast" }), replace: ["orders-2"] });
    deepEqual(stack.outs.status, "ready");
  });
});

describe("a Redis member whose volume is made again, too", () => {
  const names = [1, 2, 3].flatMap((shard) => [1, 2].map((number) => `sessions-${shard}-${number}`));
  const members = names.map((name) => ({ name, address: "", server: `server-of-${name}`, volume: `volume-of-${name}` }));
  const ran = redis.recall(names, {});
  const planned = (name: string, seen = ran, { replace = [name], unreached = [] as string[] } = {}) => {
    const document = { ...known, datastore: "redis", options: { vendor: "redis" }, members, known: members, seen, unreached };
    return forecast(document as never, { ...document, replace, members: members.map((each) => (each.name === name ? { ...each, server: "another", volume: "another" } : each)) } as never);
  };

  for (const [role, name, replace] of [["a replica that is named", "sessions-1-2", ["sessions-1-2"]], ["a primary that Pulumi itself was told to make again", "sessions-1-1", []]] as const)
    it(`joins anew, be it ${role}`, () =>
      deepEqual(planned(name, ran, { replace: [...replace] }), { refused: undefined, lines: [...["install", "mount", "configure", "start", "join"].map((step) => `${step} ${name}`), `verify ${names.join(" ")}`] }));

  it("is refused while its shard's other member has not all of its data: it would take the keys along", () => {
    const behind = { ...ran, "sessions-1-2": { ...ran["sessions-1-2"], linked: false } } as typeof ran;
    match(planned("sessions-1-1", behind).refused!.message, /a primary's server is taken away only after another of its shard took over\. .*Way forward: none of the others has all of its writes: wait until sessions-1-2 has a link to it again, and `pulumi refresh`/);
    deepEqual(planned("sessions-1-2", behind).refused, undefined);
  });

  it("is refused while it is its shard's primary, with the way to have a replica take over; one that the last look did not reach may go", () => {
    const { message } = planned("sessions-1-1").refused!;
    match(message, /a primary's server is taken away only after another of its shard took over. Seen: sessions-1-1 is primary of slots 0-5461.*sessions-1-2 is replica/);
    match(message, /name sessions-1-2 in `replace`, if that is to go too; then take `replace` out and change `restartTrigger`.*`openstack server stop sessions-1-1`/);
    const swapped = { ...ran, "sessions-1-1": ran["sessions-1-2"], "sessions-1-2": ran["sessions-1-1"] } as typeof ran;
    deepEqual(planned("sessions-1-1", swapped).refused, undefined);
    ok(!planned("sessions-1-1", ran, { unreached: ["sessions-1-1"] }).refused);
    ok(!planned("sessions-1-1", {} as typeof ran).refused, "of whom nothing was seen it is not known who is primary");
  });

  it("is refused where it is its shard's only one", () => {
    const alone = names.filter((name) => name !== "sessions-1-2");
    const only = members.filter(({ name }) => alone.includes(name));
    const document = { ...known, datastore: "redis", options: { vendor: "redis" }, members: only, known: only, seen: redis.recall(alone, {}), unreached: [] };
    ok(forecast(document as never, { ...document, replace: ["sessions-1-1"], members: only.map((each) => (each.name === "sessions-1-1" ? { ...each, server: "another", volume: "another" } : each)) } as never).refused);
  });
});
