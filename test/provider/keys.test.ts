import { deepEqual, equal, match, ok, rejects, throws } from "node:assert/strict";
import fc from "fast-check";
import { runtime } from "@pulumi/pulumi";
import { publicHalf } from "../../provider/guest/ssh";
import { admitting, changesKey, dismissing, formerKeys, isSameKey } from "../../provider/keys";
import { diff, update } from "../../provider/lifecycle";
import { anna, withAccess } from "./access";
import { all, sight } from "./datastores/galera/model";
import { known } from "./document";
import { Fleet } from "./fleet";
import { newKey } from "./guest/sshd";
import { StandIn } from "./nova";

const [first, second, third] = ["ssh-ed25519 AAAAfirst cloud", "ssh-ed25519 AAAAsecond (unnamed)", "ssh-ed25519 AAAAthird"] as const;
const ours = (key: string) => `${key.split(" ").slice(0, 2).join(" ")} pulumi-openstack-datastores`;

describe("authorized keys", () => {
  it("let a new one in beside those that there are, once, also where the last line has no end", () => {
    equal(admitting(`# by cloud-init\n${first}\n`, second), `# by cloud-init\n${first}\n${ours(second)}\n`);
    equal(admitting(first, second), `${first}\n${ours(second)}\n`);
    equal(admitting("", second), `${ours(second)}\n`);
    equal(admitting(`${first}\n${second} another comment\n`, second), `${first}\n${second} another comment\n`);
  });

  it("that let a key in for one command alone, or name it in a comment, do not let it in yet", () => {
    for (const line of [`command="echo no" ${second}`, `# ${second}`]) equal(admitting(`${line}\n`, second), `${line}\n${ours(second)}\n`);
  });

  it("lose the former, with whatever stands around it, and what an earlier run let in; who came by other hands stays", () => {
    const text = `${third} a person\nno-pty ${first}\n${ours("ssh-ed25519 AAAAgivenup")}\n# ${first}\n\n${ours(second)}\n`;
    equal(dismissing(text, [first], second), `${third} a person\n# ${first}\n\n${ours(second)}\n`);
    equal(dismissing(`${second}\n`, [first], second), `${second}\n`);
  });

  it("never lose the present one, be it called former too, and lose none while it is not let in", () => {
    equal(dismissing(`${first}\n${second}\n`, [first, second], second), `${second}\n`);
    for (const text of ["", `${first}\n`, `# ${second}\n${first}\n`, `command="no" ${second}\n${first}\n`]) throws(() => dismissing(text, [first], second), /the former key is kept, for the new one is not let in/);
  });

  it("let somebody in whom the next run comes with, wherever a change is cut, cut again or taken back", () => {
    const keys = [first, second, third];
    fc.assert(fc.property(fc.array(fc.record({ to: fc.constantFrom(...keys), parts: fc.integer({ min: 0, max: 2 }) }), { maxLength: 8 }), (runs) => {
      let file = `${first}\n`;
      let state = { access: { privateKey: first as string }, formerKeys: [] as string[] };
      for (const { to, parts } of runs) {
        const former = formerKeys(to, state);
        ok([to, ...former].some((key) => file.split("\n").some((line) => isSameKey(line, key))), `${to}: ${file}`);
        if (parts > 0) file = admitting(file, to);
        if (parts > 1) file = dismissing(file, former, to);
        // What failed is remembered; of a run that was killed after its last act nothing is, and it is gone on with.
        state = { access: { privateKey: to }, formerKeys: parts > 1 ? [] : former };
      }
      const [end = first] = runs.map(({ to }) => to).reverse();
      file = dismissing(admitting(file, end), formerKeys(end, state), end);
      deepEqual(keys.filter((key) => file.includes(key.split(" ")[1]!)), [end]);
    }));
  });
});

describe("a key", () => {
  it("is the same by its own text alone", () => {
    ok(isSameKey(first, "no-pty ssh-ed25519 AAAAfirst"));
    deepEqual([isSameKey(first, second), isSameKey("", ""), isSameKey(`# ${first}`, first)], [false, false, false]);
  });

  it("changes where it is known to be another, and while a former one may be let in", () => {
    const of = (publicKey?: string) => ({ servers: { publicKey } });
    deepEqual([changesKey(of(first), of(second)), changesKey(of(first), of("ssh-ed25519 AAAAfirst")), changesKey(of(first), of(runtime.unknownValue)), changesKey(of(), of(first)), changesKey({ ...of(first), formerKeys: ["one"] }, of(first))],
      [true, false, false, false, true]);
  });
});

describe("a change of the key pair", function () {
  this.timeout(10_000);
  const nova = new StandIn();
  const variables: Record<string, string> = { ...anna, OS_PASSWORD: "the-password" };
  before(async () => { variables.OS_AUTH_URL = `${await nova.start()}/identity`; });
  withAccess(variables);
  after(() => nova.stop());

  const names = known.members.map(({ name }) => name);
  const privateKeys = [newKey(), newKey(), newKey()] as const;
  let publics: string[];
  let fleet: Fleet;
  const wants = (number: number, more: object = {}) => ({ ...known, access: { ...known.access, privateKey: privateKeys[number]! }, servers: { ...known.servers, publicKey: publics[number] }, plan: {}, ...more });
  const stored = (document: object) => ({ ...document, stateVersion: 1 as const, status: "ready" as const, known: known.members, seen: all(names, "synced"), unreached: [] as string[], pins: {} });
  const letsIn = (name: string) => publics.flatMap((key, index) => (fleet.authorized[name]!.split("\n").some((line) => isSameKey(line, key)) ? [index] : []));
  const failure = async (call: Promise<unknown>) => call.then(() => { throw new Error("it should have failed"); }, (error) => error as { reasons: string[]; properties: Record<string, unknown> });
  const run = (olds: object, news: object) => update("orders", olds as never, news as never);

  beforeEach(async () => {
    publics = await Promise.all(privateKeys.map(publicHalf));
    fleet = new Fleet(all(names, "synced"));
    for (const name of names) fleet.authorized[name] = `${publics[0]}\n`;
    nova.asked.length = 0;
    nova.keyPairs.shop = publics[0]!;
    for (const { server } of known.members) nova.servers[server] = { status: "ACTIVE", task: null, flavor: "m1.small", image: "image-12", keyPair: "shop" };
  });
  afterEach(() => fleet.end());
  const printed = () => fleet.printed.splice(0).map((line) => line.replace("[orders] ", ""));

  it("is previewed, lets the new one in beside the former, gives it to Nova, and takes the former out; then there is nothing to do", async () => {
    await diff("orders", stored(wants(0)) as never, wants(1) as never);
    deepEqual(printed(), ["admit orders-1 orders-2 orders-3 (new key)", "dismiss orders-1 orders-2 orders-3 (former key)"]);
    const { outs } = await run(stored(wants(0)), wants(1));
    deepEqual([names.map(letsIn), isSameKey(nova.keyPairs.shop!, publics[1]!), fleet.done], [[[1], [1], [1]], true, []]);
    deepEqual([outs!.status, outs!.formerKeys], ["ready", undefined]);
    const said = printed().join("\n");
    for (const key of privateKeys) ok(!said.includes(key.split("\n")[1]!));
    deepEqual([await diff("orders", outs as never, wants(1) as never), printed()], [{}, []]);
  });

  for (const [what, cut] of Object.entries({
    "before anything was written": 0, "when one member had the new one": 1, "when all had it": 3, "while the former was taken out": 4,
  })) it(`that failed ${what} remembers the former, is gone on with, by a third key too, and may be taken back`, async () => {
    for (const [next, key] of [["again", 1], ["a third", 2], ["back", 0]] as const) {
      for (const name of names) fleet.authorized[name] = `${publics[0]}\n`;
      nova.keyPairs.shop = publics[0]!;
      let writes = 0;
      fleet.beforeWrite = () => { if (++writes > cut) throw new Error("cut"); };
      const { properties, reasons } = await failure(run(stored(wants(0)), wants(1)));
      match(reasons.join(), /cut/);
      deepEqual([properties.formerKeys, properties.status], [[privateKeys[0]], "failed"]);
      fleet.beforeWrite = () => undefined;
      printed();
      await diff("orders", properties as never, wants(key) as never);
      deepEqual(printed().slice(1), ["admit orders-1 orders-2 orders-3 (new key)", "dismiss orders-1 orders-2 orders-3 (former key)"]);
      const { outs } = await run(properties, wants(key));
      deepEqual([names.map(letsIn), isSameKey(nova.keyPairs.shop, publics[key]!), outs!.formerKeys], [[[key], [key], [key]], true, undefined], next);
    }
  });

  it("that was killed, of which the state knows nothing, is gone on with by the same again, wherever each member was", async () => {
    Object.assign(fleet.authorized, { "orders-1": `${publics[1]}\n`, "orders-2": `${publics[0]}\n${publics[1]}\n` });
    delete nova.keyPairs.shop;
    await run(stored(wants(0)), wants(1));
    deepEqual([names.map(letsIn), isSameKey(nova.keyPairs.shop!, publics[1]!)], [[[1], [1], [1]], true]);
  });

  it("keeps the former one where a member does not let the new one in, and says so", async () => {
    fleet.deaf.add("orders-2");
    const { reasons } = await failure(run(stored(wants(0)), wants(1)));
    match(reasons.join(), /^orders-2 was given the new key and does not let it in, so the former stays: .*authentication methods failed/);
    ok(isSameKey(nova.keyPairs.shop!, publics[0]!), "nor is it given to Nova");
    ok(names.every((name) => letsIn(name).includes(0)));
  });

  it("is refused by a bastion that lets in the former alone, before a member is touched", async () => {
    fleet.bastionByFormer = true;
    const access = (number: number) => ({ access: { ...wants(number).access, bastion: { host: "gate", user: "jump" } } });
    const { reasons } = await failure(run(stored(wants(0, access(0))), wants(1, access(1))));
    match(reasons.join(), /a former key goes only when the present one is let in everywhere. Seen: jump at gate, the bastion, lets in the former alone. Way forward: let the public half of access.privateKey in there/);
    deepEqual(names.map(letsIn), [[0], [0], [0]]);
  });

  it("is in force before a rebuild of the same change, which lets in the new one", async () => {
    await run(stored(wants(0)), wants(1, { servers: { ...wants(1).servers, image: "debian-13" } }));
    deepEqual(known.members.map(({ server }) => isSameKey(nova.servers[server]!.key!, publics[1]!)), [true, true, true]);
    deepEqual(fleet.done.filter((act) => act.startsWith("rebuild")).length, 3);
    deepEqual(names.map(letsIn), [[1], [1], [1]]);
  });

  it("beside a member that is down lets it in there too, and mends it", async () => {
    fleet.seen = { ...all(names, "synced/2"), "orders-3": sight("whole:9", 3) };
    await run(stored(wants(0)), wants(1));
    deepEqual([fleet.done[0], names.map(letsIn)], ["join orders-3", [[1], [1], [1]]]);
  });

  it("is the same key where only its writing is another: then no guest is touched", async () => {
    const { outs } = await run(stored(wants(0)), { ...wants(0), access: { ...wants(0).access, privateKey: `${privateKeys[0]}\n` } });
    deepEqual([fleet.dialled, outs!.formerKeys], [[], undefined]);
  });

  it("needs a key that opens something: a stranger's is kept out, whatever is asked for", async () => {
    for (const name of names) fleet.authorized[name] = `${publics[2]}\n`;
    await rejects(run(stored(wants(0)), wants(1)), /authentication methods failed/);
  });
});
