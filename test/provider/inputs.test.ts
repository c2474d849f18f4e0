import { deepEqual, doesNotThrow, ok, throws } from "node:assert/strict";
import { byName } from "../../provider/datastores";
import { failures, inputs, optionsOf, outputs, parse } from "../../provider/inputs";
import { known, news } from "./document";

const without = (key: string) => Object.fromEntries(Object.entries(known).filter(([each]) => each !== key));
const named = (value: unknown) => failures(inputs, value).map(({ property }) => property);

describe("inputs", () => {
  it("a whole document passes, and keys of the engine beside it", () => {
    deepEqual(named(known), []);
    deepEqual(named({ ...known, __provider: "text" }), []);
  });

  it("members to forget or to replace are named by lists, which may be left out", () => {
    deepEqual(named({ ...known, forget: ["orders-4"], replace: [] }), []);
    deepEqual(named({ ...known, forget: "orders-4" }), ["forget"]);
    deepEqual(named({ ...known, replace: [{ name: "orders-2" }] }), ["replace.0"]);
  });

  it("a recovery names from whom, and on which evidence", () => {
    deepEqual(named({ ...known, recovery: { from: "orders-2", evidence: "3f9c00112233" } }), []);
    deepEqual(named({ ...known, recovery: { from: "orders-2" } }), ["recovery.evidence"]);
  });

  for (const key of Object.keys(known)) it(`without ${key} it does not, and ${key} is named`, () => ok(named(without(key)).some((each) => each.startsWith(key))));

  it("a wrong part is named by its path", () => {
    deepEqual(named({ ...known, members: [] }), ["members"]);
    deepEqual(named({ ...known, members: [{ ...known.members[0], address: 5 }] }), ["members.0.address"]);
    deepEqual(named({ ...known, access: { ...known.access, bastion: { host: "bastion" } } }), ["access.bastion.user"]);
    deepEqual(named({ ...known, access: { ...known.access, privateKey: "ssh-ed25519 AAAA" } }), ["access.privateKey"]);
    deepEqual(named({ ...known, rootPassword: "short" }), ["rootPassword"]);
    deepEqual(named({ ...known, authority: { ...known.authority, key: undefined } }), ["authority.key"]);
  });

  it("options that a newer rule would refuse count as they were given, beside the defaults of what was left out", () => {
    const { options } = byName("redis");
    deepEqual(optionsOf(options, { vendor: "redis" }), { vendor: "redis", persistence: "every-second", configuration: {} });
    deepEqual(optionsOf(options, { vendor: "redis", maxMemory: "much", gone: 1 }), { vendor: "redis", persistence: "every-second", maxMemory: "much", configuration: {}, gone: 1 });
    deepEqual(optionsOf(options, { vendor: "redis", configuration: { port: 1 } }), { vendor: "redis", persistence: "every-second", configuration: { port: 1 } });
  });

  it("an unknown part inside is refused, not ignored", () => {
    deepEqual(failures(inputs, { ...known, access: { ...known.access, password: "x" } }).map(({ reason }) => /password/.test(reason)), [true]);
    deepEqual(failures(inputs, { ...known, members: [{ ...known.members[0], role: "x" }] }).map(({ reason }) => /role/.test(reason)), [true]);
  });

  it("a failure says what was read, where, and the rule, and shows no secret", () => {
    throws(() => parse(inputs, { ...known, rootPassword: "s3cr3t" }, "cluster"), (error: Error) =>
      error.message.startsWith("cluster: ") && error.message.includes("rootPassword") && !error.message.includes("s3cr3t"));
  });

  it("outputs are inputs and what the runs leave", () => {
    const left = { stateVersion: 1, status: "failed", known: known.members, seen: {}, unreached: [], pins: {} };
    doesNotThrow(() => parse(outputs, { ...known, ...left }, "state"));
    throws(() => parse(outputs, { ...known, ...left, known: ["orders-1"] }, "state"), /known\[0\]/);
    throws(() => parse(outputs, known, "state"), /stateVersion/);
  });

  it("a datastore is one that we know", () => {
    throws(() => byName("oracle"), /"oracle" is not known; known are galera/);
    throws(() => byName("constructor"), /not known/);
    doesNotThrow(() => byName(news.datastore));
  });
});
