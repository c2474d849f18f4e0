import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { runtime } from "@pulumi/pulumi";
import fc from "fast-check";
import { each } from "../../provider/bundle";
import type { Authority } from "../../provider/inputs";
import { check } from "../../provider/lifecycle";
import { anna, withAccess } from "./access";
import { member } from "./cluster";
import { known, news, of } from "./document";
import { Fleet } from "./fleet";
import { unwrapped, withUnknown } from "./wire";

const reasons = async (olds: object | undefined, wanted: object) => (await check(olds as never, wanted as never)).failures!.map(({ reason }) => reason);
const changed = (change: object) => ({ ...structuredClone(news), ...change });

describe("check", () => {
  let fleet: Fleet;
  beforeEach(() => { fleet = new Fleet({}); });
  afterEach(() => {
    fleet.end();
    deepEqual(fleet.dialled, [], "check may reach no guest");
  });

  it("of a new cluster makes a password and an authority, as secret objects, and the plan under its title", async () => {
    const { inputs, failures } = await check({}, structuredClone(news));
    deepEqual(failures, []);
    for (const key of ["rootPassword", "authority"]) equal(inputs[key][runtime.specialSigKey], runtime.specialSecretSig, key);
    ok(unwrapped(inputs).rootPassword.length >= 20);
    ok(unwrapped(inputs).authority.certificate.includes("BEGIN CERTIFICATE"));
    deepEqual(inputs.plan, { "create 3 members": ["install orders-1 orders-2 orders-3", "mount orders-1 orders-2 orders-3", "configure orders-1 orders-2 orders-3",
      "bootstrap orders-1", "secure orders-1", "join orders-2", "join orders-3", "verify orders-1 orders-2 orders-3"] });
  });

  it("of a new cluster prints the plan, a line a step, with the cluster's name in front", async () => {
    const { inputs } = await check(undefined, structuredClone(news));
    deepEqual(fleet.printed, Object.values(inputs.plan as Record<string, string[]>).flat().map((line) => `[orders] ${line}`));
  });

  it("keeps a password that was given", async () => equal(unwrapped((await check({}, changed({ rootPassword: "given-password" }))).inputs).rootPassword, "given-password"));

  it("makes another password for each cluster", async () => {
    notEqual(unwrapped((await check({}, news)).inputs).rootPassword, unwrapped((await check({}, news)).inputs).rootPassword);
  });

  it("is the same over calls: password, authority and plan", async () => {
    const first = unwrapped((await check({}, structuredClone(news))).inputs);
    const second = unwrapped((await check(first, structuredClone(news))).inputs);
    deepEqual(second, first);
    deepEqual(unwrapped((await check(second, structuredClone(news))).inputs), first);
  });

  describe("authorities", () => {
    const certificatesOf = ({ authority }: { authority: Authority }) => each(authority).map(({ certificate }) => certificate);
    const next = async (olds: object, authorities?: string[]) => unwrapped((await check(olds as never, changed({ authorities }) as never)).inputs);

    it("of a cluster that names none are one, as they were before there were names", async () => {
      const { authority } = await next({});
      deepEqual(Object.keys(authority), ["certificate", "key"]);
      deepEqual((await next(await next({}, ["1"]))).authority.trusted, undefined);
    });

    it("are made under a name that is new, kept while it is there, and forgotten with it", async () => {
      const first = await next({});
      const [one] = certificatesOf(first);
      const both = await next(first, ["1", "2"]);
      const [, two] = certificatesOf(both);
      deepEqual(certificatesOf(both), [one, two]);
      ok(new X509Certificate(two!).subject.endsWith("orders authority 2"));
      const signed = await next(both, ["2", "1"]);
      deepEqual(certificatesOf(signed), [two, one]);
      deepEqual(certificatesOf(await next(signed, ["1", "2"])), [one, two]);
      const dropped = await next(signed, ["2"]);
      deepEqual(dropped.authority, { ...both.authority.trusted[0] });
      notEqual(certificatesOf(await next(dropped, ["2", "1"]))[1], one);
    });

    it("are all secret", async () => {
      const { inputs } = await check(known, changed({ authorities: ["1", "2"] }) as never);
      equal(inputs.authority[runtime.specialSigKey], runtime.specialSecretSig);
      const keys = certificatesOf(unwrapped(inputs)).length;
      deepEqual([keys, JSON.stringify({ ...inputs, authority: undefined }).includes("PRIVATE KEY-----\nM")], [2, false]);
    });

    it("of a new cluster may be any; of one that is there they come in steps, which the change says", async () => {
      deepEqual(await reasons({}, changed({ authorities: ["b", "a"] })), []);
      deepEqual(await reasons(known, changed({ authorities: ["2"] })), ["authorities: cannot begin with \"2\", which nobody trusts yet: members and clients would refuse its certificates. Trust it first, [\"1\",\"2\"], and let it sign with the next change"]);
      deepEqual(await reasons({ ...known, authorities: ["1", "2"] }, changed({ authorities: ["2"] })), ["authorities: cannot drop \"1\", which signs until now, in the same change: let \"2\" sign first, [\"2\",\"1\"], and drop it with the next change"]);
      deepEqual(await reasons({ ...known, authorities: ["2"] }, news), ["authorities: cannot begin with \"1\", which nobody trusts yet: members and clients would refuse its certificates. Trust it first, [\"2\",\"1\"], and let it sign with the next change"]);
      deepEqual((await next(known, ["1", "2"])).plan, { "change authorities": ["configure orders-1 orders-2 orders-3 (trusts authorities 1, 2)", "verify orders-1 orders-2 orders-3"] });
    });
  });

  it("keeps a given password when it is left out later", async () => {
    const first = unwrapped((await check({}, changed({ rootPassword: "given-password" }))).inputs);
    equal(unwrapped((await check(first, news)).inputs).rootPassword, "given-password");
  });

  it("refuses by name what this version cannot change", async () => {
    const changing = (what: string) => `${what}: changing ${what} of a cluster that exists cannot be done by this version; set it back`;
    for (const [change, text] of [
      ...[{ cluster: "sales" }, { stack: "live" }, { project: "store" }].map((change) =>
        [{ owner: { ...news.owner, ...change } }, "owner: renaming a cluster, its project or its stack cannot be done by this version; keep the old name"] as const),
      ...["network", "locality"].map((key) => [{ servers: { ...news.servers, [key]: "another" } }, changing(key)] as const),
      [{ servers: { ...news.servers, volumeSize: 1 } }, "volume.size: changing volume.size of a cluster that exists makes volumes smaller, which no cloud does; set it back"],
    ] as const) deepEqual(await reasons(known, changed(change)), [text]);
  });

  it("names no property to the engine, which would print its value: a password", async () => {
    deepEqual((await check({}, changed({ rootPassword: "short" }) as never)).failures, [{ property: "", reason: "rootPassword: must have 8 to 200 characters, and no NUL among them" }]);
  });

  it("refuses wrong arguments by name, in a new cluster and in a change", async () => {
    const hostKey = "not a public host key; give it as ssh-keyscan prints it";
    for (const [change, text] of [
      [{ options: { vendor: "oracle" } }, "vendor: must be \"mariadb\": no other can be run yet"],
      [{ options: { ...news.options, configuration: { "loose-wsrep_on": 0 } } }, "configuration.loose-wsrep_on: is set by the package itself: leave it out"],
      [{ access: { ...news.access, privateKey: "none" } }, "access.privateKey: not a private key in PEM or OpenSSH form"],
      [{ access: { ...news.access, hostKeys: { "orders-1": "no key" } } }, `access.hostKeys.orders-1: ${hostKey}`],
      [{ access: { ...news.access, bastion: { host: "bastion", user: "jump", hostKey: "no key" } } }, `access.bastion.hostKey: ${hostKey}`],
      [{ rootPassword: "short" }, "rootPassword: must have 8 to 200 characters, and no NUL among them"],
      [{ rootPassword: "x".repeat(201) }, "rootPassword: must have 8 to 200 characters, and no NUL among them"],
      [{ rootPassword: "with\0 a NUL" }, "rootPassword: must have 8 to 200 characters, and no NUL among them"],
      [{ formerPasswords: ["former-password", "short"] }, "formerPasswords.1: must have 8 to 200 characters, and no NUL among them"],
      [{ formerPasswords: "former-password" }, "formerPasswords: must be a list of passwords"],
      [{ formerPasswords: ["password-1", "password-2", "password-3", "password-4"] }, "formerPasswords: must be 3 passwords at most: end those that no client needs any more"],
      [{ rootPassword: "given-password", formerPasswords: ["given-password"] }, "formerPasswords: must name each password once, and not the present one, rootPassword: take it out"],
      [{ formerPasswords: ["former-password", "former-password"] }, "formerPasswords: must name each password once, and not the present one, rootPassword: take it out"],
    ] as const) for (const olds of [{}, known]) equal((await reasons(olds, changed(change)))[0], text);
  });

  it("refuses a former password that is the present one, also where that was kept, or is set back", async () => {
    const text = "formerPasswords: must name each password once, and not the present one, rootPassword: take it out";
    deepEqual(await reasons(known, changed({ formerPasswords: [known.rootPassword] })), [text]);
    deepEqual(await reasons({ ...known, rootPassword: "new-password", formerPasswords: [known.rootPassword] }, changed({ rootPassword: known.rootPassword, formerPasswords: [known.rootPassword] })), [text]);
  });

  it("a rule that is new in a release warns of a cluster that has what it refuses, and fails no change of others", async () => {
    const lenient = { ...known, options: { vendor: "mariadb", configuration: { wsrep_on: 0 } } };
    const { failures, inputs } = await check(lenient, changed({ options: lenient.options }));
    deepEqual(failures, []);
    deepEqual(unwrapped(inputs), lenient);
    ok(fleet.printed.some((line) => line.startsWith("[orders] configuration.wsrep_on ")), fleet.printed.join());
    const grown = await check(lenient, changed({ ...of(1, 2, 3, 4, 5), options: lenient.options }));
    deepEqual([grown.failures, Object.keys((grown.inputs as typeof known).plan)], [[], ["members 3 to 5"]]);
  });

  describe("an update has a title that says what changes, and its steps", () => {
    const again = ["install orders-2", "mount orders-2", "configure orders-2", "join orders-2", "verify orders-1 orders-2 orders-3"];
    const made = (server: string) => ({ members: news.members.map((each) => (each.name === "orders-2" ? { ...each, server } : each)) });
    for (const [title, change, steps] of [
      ["members 3 to 5", of(1, 2, 3, 4, 5), ["install orders-4 orders-5", "mount orders-4 orders-5", "configure orders-1 orders-2 orders-3 orders-4 orders-5",
        "join orders-4", "join orders-5", "verify orders-1 orders-2 orders-3 orders-4 orders-5"]],
      ["members 3 to 1", of(1), ["configure orders-1", "leave orders-3", "leave orders-2", "verify orders-1"]],
      ["orders-4 for orders-2", of(1, 3, 4), ["install orders-4", "mount orders-4", "configure orders-1 orders-3 orders-4", "join orders-4", "leave orders-2", "verify orders-1 orders-3 orders-4"]],
      ["replace orders-2", made("another"), again],
      ["replace orders-2", { ...made(runtime.unknownValue), replace: ["orders-2"], servers: { ...news.servers, memberOverrides: {} } }, again],
      ["change deletionProtection", { deletionProtection: false }, []],
      ["members 3 to 1, change access, deletionProtection", { ...of(1), access: { ...news.access, user: "admin" }, deletionProtection: false },
        ["configure orders-1", "leave orders-3", "leave orders-2", "verify orders-1"]],
      ["recover from orders-2", { recovery: { from: "orders-2", evidence: "3f9c00112233" } }, []],
      ["members 3 to 1, recover from orders-2, change deletionProtection", { ...of(1), recovery: { from: "orders-2", evidence: "3f9c00112233" }, deletionProtection: false },
        ["configure orders-1", "leave orders-3", "leave orders-2", "verify orders-1"]],
      ["replace orders-2, change forget", { ...made("another"), forget: ["orders-4"] }, again],
    ] as const) it(`${title}, ${steps.length} steps`, async () => {
      const { inputs, failures } = await check(known, changed(change));
      deepEqual(failures, []);
      deepEqual(inputs.plan, { [title]: steps });
    });

    const [old, first, second] = [known.rootPassword, "first-password", "second-password"];
    for (const [title, olds, change, step] of [
      ["change rootPassword", {}, { rootPassword: first }, "new password, 1 former ends"],
      ["change rootPassword, formerPasswords", {}, { rootPassword: first, formerPasswords: [old] }, "new password, 1 former works on"],
      ["change formerPasswords", { rootPassword: first, formerPasswords: [old] }, { rootPassword: first }, "1 former ends"],
      ["change formerPasswords", {}, { formerPasswords: [first] }, "1 former works on"],
      ["change rootPassword, formerPasswords", { rootPassword: first, formerPasswords: [old] }, { rootPassword: second, formerPasswords: [first] }, "new password, 1 former ends, 1 former works on"],
      ["change rootPassword", { formerPasswords: [first, second] }, { rootPassword: "third-password", formerPasswords: [first, second] }, "new password, 1 former ends, 2 former work on"],
    ] as const) it(`${title}: ${step}`, async () => {
      const { inputs, failures } = await check({ ...known, ...olds } as never, changed(change) as never);
      deepEqual([failures, inputs.plan], [[], { [title]: [`secure orders-1 (${step})`, "verify orders-1 orders-2 orders-3"] }]);
      for (const password of [old, first, second, "third-password"]) ok(!`${JSON.stringify(inputs.plan)}${fleet.printed.join()}`.includes(password));
    });

    it("of Redis names its own argument, all members, and settings apart from passwords", async () => {
      const options = { vendor: "redis", persistence: "every-second", configuration: {} };
      const six = ["1-1", "1-2", "2-1", "2-2", "3-1", "3-2"].map((number) => `sessions-${number}`);
      const redis = { ...known, datastore: "redis", options, members: six.map(member) };
      const { inputs } = await check(redis, { ...redis, rootPassword: first, formerPasswords: [old], options: { ...options, maxMemory: "1gb" } });
      const [title, lines] = Object.entries(inputs.plan as Record<string, string[]>)[0]!;
      deepEqual([title, lines], ["change maxMemory, password, formerPasswords", [`configure ${six.join(" ")} (maxmemory live)`, `secure ${six.join(" ")} (new password, 1 former works on)`, `verify ${six.join(" ")}`]]);
    });

    it("a password that is not known yet may be another", async () => {
      const { inputs } = await check(known, changed({ rootPassword: runtime.unknownValue }));
      deepEqual(inputs.plan, { "change rootPassword": ["secure orders-1 (password)", "verify orders-1 orders-2 orders-3"] });
    });

    it("a word that is only taken back names itself", async () => {
      deepEqual(Object.keys((await check({ ...known, replace: ["orders-2"] }, changed({ replace: [] }))).inputs.plan as object), ["change replace"]);
      deepEqual(Object.keys((await check({ ...known, recovery: { from: "orders-2", evidence: "3f9c00112233" } }, changed({ recovery: undefined }))).inputs.plan as object), ["change recovery"]);
    });
  });

  describe("another flavor", () => {
    withAccess(anna);
    const small = { ...known, servers: { ...news.servers, memberOverrides: { "orders-2": { flavor: "m1.medium" } } } };
    for (const [title, servers, steps] of [
      ["flavor to m1.large", { ...news.servers, flavor: "m1.large" }, ["resize orders-1 (m1.large)", "resize orders-2 (m1.large)", "resize orders-3 (m1.large)", "verify orders-1 orders-2 orders-3"]],
      ["flavor of orders-1, orders-3 to m1.large", { ...small.servers, flavor: "m1.large" }, ["resize orders-1 (m1.large)", "resize orders-3 (m1.large)", "verify orders-1 orders-2 orders-3"]],
      ["flavor of orders-2 to m1.small", news.servers, ["resize orders-2 (m1.small)", "verify orders-1 orders-2 orders-3"]],
    ] as const) it(`is previewed as "${title}"`, async () => {
      const { inputs, failures } = await check(title === "flavor to m1.large" ? known : small, changed({ servers }));
      deepEqual([failures, inputs.plan], [[], { [title]: steps }]);
    });
  });

  describe("another flavor, without access to Nova", () => {
    withAccess();
    it("is refused, with what gives access", async () => deepEqual(await reasons(known, changed({ servers: { ...news.servers, flavor: "m1.large" } })),
      ["flavor: another one for orders-1, orders-2, orders-3 needs Nova: give access to Nova from where `pulumi` runs: OS_CLOUD and a clouds.yaml, or OS_AUTH_URL and its like, or the argument `cloud`; or set it back"]));
  });

  describe("overrides", () => {
    const overridden = (memberOverrides?: object, numbers = [1, 2, 3]) => ({ ...known, ...of(...numbers), servers: { ...news.servers, memberOverrides } });
    const [large, more] = [{ flavor: "m1.large" }, { networks: ["storage"] }];
    for (const [what, olds, wanted] of [
      ["come with a member that comes", overridden(), overridden({ "orders-4": large }, [1, 2, 3, 4])],
      ["go with a member that goes", overridden({ "orders-3": large }), overridden(undefined, [1, 2])],
      ["change for a member that comes, beside those that stay", overridden({ "orders-1": more }), overridden({ "orders-1": more, "orders-4": large }, [1, 2, 4])],
    ] as const) it(`${what}`, async () => deepEqual(await reasons(olds, wanted), []));

    for (const [what, olds, wanted] of [
      ["are not added", overridden(), overridden({ "orders-1": more }, [1, 2, 3, 4])],
      ["are not added beside another's", overridden(), overridden({ "orders-1": more, "orders-4": large }, [1, 2, 3, 4])],
      ["are not changed", overridden({ "orders-1": more }), overridden({ "orders-1": { networks: ["backup"] } }, [1, 2])],
      ["are not taken back", overridden({ "orders-1": more }), overridden(undefined, [1, 2])],
    ] as const) it(`of members that stay ${what}, whoever comes or goes`, async () =>
      deepEqual(await reasons(olds, wanted), ["memberOverrides: changing memberOverrides of a cluster that exists cannot be done by this version; set it back"]));
  });

  it("a member may come with addresses and servers still unknown", async () => {
    const { inputs, failures } = await check(known, changed({ members: [...news.members, { ...member("orders-4"), address: runtime.unknownValue, server: runtime.unknownValue, volume: runtime.unknownValue }] }));
    deepEqual(failures, []);
    deepEqual(Object.keys(inputs.plan as object), ["members 3 to 4"]);
  });

  it("takes unknown values at any depth for what they are: neither wrong nor changed", () => fc.assert(fc.asyncProperty(
    fc.constantFrom<object | undefined>(undefined, known), withUnknown(news, ["datastore", "owner"]), async (olds, wanted) => {
      deepEqual(await reasons(olds, wanted), []);
    }), { numRuns: 60 }));

  it("takes unknown members for those that were", async () => {
    deepEqual(await reasons(known, changed({ members: runtime.unknownValue })), []);
    deepEqual(await reasons({}, changed({ members: runtime.unknownValue })), []);
  });

  it("an unknown password is neither made anew nor refused", async () => {
    for (const olds of [{}, known]) {
      const { inputs, failures } = await check(olds, changed({ rootPassword: runtime.unknownValue }));
      deepEqual(failures, []);
      equal(unwrapped(inputs).rootPassword, runtime.unknownValue);
    }
  });
});
