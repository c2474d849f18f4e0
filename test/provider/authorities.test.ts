import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { configures, kept, only, recalled, wrongStep, type Certified } from "../../provider/authorities";
import { afterStep, bundle, certificatesIn, certified, each } from "../../provider/bundle";
import { newAuthority } from "../../provider/certificates";
import { plan as galera } from "../../provider/datastores/galera/plan";
import { plan as redis } from "../../provider/datastores/redis/plan";
import type { Authority } from "../../provider/inputs";
import { describe as lines, type Step } from "../../provider/plan";
import { named as galeraNames, sight } from "./datastores/galera/model";
import { blank, named as redisNames, running as redisRunning } from "./datastores/redis/model";

const sum = (text: string) => createHash("sha256").update(text).digest("hex");
/** Real ones, for who they are is read in them: `1`, `2/7` is another of the name 2. */
const made = new Map<string, Authority>();
const pem = (id: string) => made.get(id)!.certificate;
const ofIds = (ids: string[]): Authority => {
  const [first, ...trusted] = ids.map((id) => ({ certificate: pem(id), key: `key of ${id}` }));
  return { ...first!, ...(trusted.length > 0 && { trusted }) };
};
const idOf = new Map<string, string>();
const idsIn = (text: string) => certificatesIn(text).map((each) => idOf.get(each)!);

/** Whom a server trusts, and who signed what it shows. */
interface Shows { trusts: string[]; by: string }
/** A member's files, and what its server has taken of them, while it runs. */
interface Member { bundle: string; leaf: string; record: string; runs?: Shows }

/** One datastore's plan for members whose certificates these are. */
interface Planner { names: string[]; plan(wanted: string[], members: Record<string, Member>, told: (member: Member) => Certified): Step[] }

const upOrDown = (up: object, down: object, { runs }: Member) => structuredClone(runs ? up : down);
const planners: Record<string, Planner> = {
  galera: {
    names: galeraNames(3),
    plan: (authorities, members, told) => {
      const size = Object.values(members).filter(({ runs }) => runs).length;
      return galera({ members: Object.keys(members), authorities }, Object.fromEntries(Object.entries(members).map(([name, member]) =>
        [name, { ...upOrDown(sight(`synced/${size}`, 3), member.bundle === "" ? sight("blank", 3) : sight("whole:9", 3), member), ...told(member) } as never])));
    },
  },
  redis: {
    names: redisNames(3, 0),
    plan: (authorities, members, told) => {
      const well = redisRunning(3, 0);
      return redis({ members: Object.keys(members), authorities }, Object.fromEntries(Object.entries(members).map(([name, member]) =>
        [name, { ...upOrDown(well[name]!, member.bundle === "" ? blank : { ...blank, data: true, installed: true, mounted: true, hasHadData: true, id: `id-of-${name}` }, member), ...told(member) } as never])));
    },
  },
};

/** What a step does on a member, in the order in which it does it: between any two a run may be cut. */
function acts(step: Step, wanted: Authority, member: Member): (() => void)[] {
  const start = () => { member.runs = { trusts: idsIn(member.bundle), by: member.leaf }; };
  if (["join", "start", "recover", "bootstrap", "restart"].includes(step.do)) return [start];
  if (step.do !== "configure") return [];
  const then = afterStep(step.what, wanted, member.bundle);
  const [signer] = idsIn(bundle(then));
  return [
    () => { member.bundle = bundle(then); },
    () => { if (member.leaf !== signer) member.leaf = then.key === "" ? idsIn(bundle(wanted))[0]! : signer!; },
    () => { if (member.runs) start(); },
    () => { member.record = sum(member.bundle); },
  ];
}

/** Each that runs, also as it would run after a start at this moment, takes each other's certificate. */
function allTrustAll(members: Record<string, Member>, when: string): void {
  const shown = Object.entries(members).filter(([, { leaf }]) => leaf !== "").map(([name, member]) => ({ name, ways: [...(member.runs ? [member.runs] : []), { trusts: idsIn(member.bundle), by: member.leaf }] }));
  for (const one of shown) for (const other of shown) if (one !== other)
    for (const way of one.ways) for (const { by } of other.ways) ok(way.trusts.includes(by), `${when}: ${one.name} trusts ${way.trusts.join()}, and ${other.name} shows one by ${by}`);
}

const lists = fc.shuffledSubarray(["1", "2", "3"], { minLength: 1 });
const ups = fc.array(fc.record({
  wanted: lists, again: fc.boolean(), cut: fc.option(fc.nat(16), { freq: 3 }), order: fc.infiniteStream(fc.nat(1000)),
  power: fc.array(fc.constantFrom("stays", "stays", "lost", "again"), { minLength: 3, maxLength: 3 }),
}), { minLength: 1, maxLength: 8 });

/** So many may be made under one name: more than a case has runs, and they come again. */
const generations = 8;

describe("authorities", () => {
  before(async () => {
    for (const name of ["1", "2", "3"]) for (const id of [name, ...Array.from({ length: generations }, (_, index) => `${name}/${index}`)]) {
      made.set(id, await newAuthority("orders", name));
      idOf.set(pem(id).trim(), id);
    }
  });

  for (const [datastore, { names, plan }] of Object.entries(planners))
    it(`of ${datastore} are rotated, cut anywhere, gone on with or taken back, and at each moment all members take each other's certificates`, () => {
      let reached = 0;
      let cuts = 0;
      fc.assert(fc.property(ups, (runs) => {
        let generation = 0;
        let success = [{ name: "1", id: "1" }];
        let last: string[] | undefined;
        const at = { bundle: bundle(ofIds(["1"])), leaf: "1", record: sum(bundle(ofIds(["1"]))) };
        const members: Record<string, Member> = Object.fromEntries(names.map((name) => [name, { ...at, runs: { trusts: ["1"], by: "1" } }]));
        for (const { wanted: some, again, cut, order, power } of runs) {
          const asked = again && last ? last : some;
          if (wrongStep(success.map(({ name }) => name), asked) !== undefined) continue;
          last = asked;
          // One that no success knows is made anew by each run.
          const now = asked.map((name) => success.find((each) => each.name === name) ?? { name, id: `${name}/${generation++ % generations}` });
          const wanted = ofIds(now.map(({ id }) => id));
          const told = (member: Member): Certified & { configured: boolean } => ({ ...certified(asked, wanted, member), configured: member.record === sum(bundle(wanted)) });
          let left = cut ?? Infinity;
          const numbers = order[Symbol.iterator]();
          for (let round = 0; round < 3 && left > 0; round++) {
            const steps = plan(asked, members, told);
            for (const step of steps) {
              const todo = step.on.map((name) => acts(step, wanted, members[name]!)).filter((those) => those.length > 0);
              while (todo.length > 0 && left > 0) {
                const index = numbers.next().value! % todo.length;
                todo[index]!.shift()!();
                if (todo[index]!.length === 0) todo.splice(index, 1);
                left--;
                allTrustAll(members, lines([step])[0]!);
              }
            }
          }
          if (left > 0) {
            deepEqual(plan(asked, members, told), []);
            for (const member of Object.values(members)) deepEqual([idsIn(member.bundle), member.leaf, member.runs], [now.map(({ id }) => id), now[0]!.id, { trusts: now.map(({ id }) => id), by: now[0]!.id }]);
            success = now;
            reached++;
          } else cuts++;
          for (const [index, what] of power.entries()) {
            const member = members[names[index]!]!;
            if (what !== "stays") member.runs = what === "lost" ? undefined : { trusts: idsIn(member.bundle), by: member.leaf };
          }
          allTrustAll(members, "after a power cut");
        }
      }), { numRuns: 500 });
      ok(reached > 300 && cuts > 150, `${reached} reached, ${cuts} cut`);
    });

  const all = (authorities: string[], more: object = {}) => ["db-1", "db-2"].map((name): [string, never] => [name, { is: "up", configured: true, hasHadData: true, authorities, ...more } as never]);
  const told = (wanted: string[], sights: [string, never][]) =>
    lines(configures(wanted, sights, (holds) => sights.filter(([, sight]) => holds(sight)).map(([name]) => name), undefined, "db-1 is up; db-2 is up"));

  it("come in three steps, each of which says what happens", () => {
    deepEqual(told(["1", "2"], all(["1"])), ["configure db-1 db-2 (trusts authorities 1, 2)"]);
    deepEqual(told(["2", "1"], all(["1", "2"])), ["configure db-1 db-2 (certificates by authority 2)"]);
    deepEqual(told(["2"], all(["2", "1"])), ["configure db-1 db-2 (drops authority 1)"]);
    deepEqual(told(["2"], all(["2"])), []);
  });

  it("of members that are behind come with the earlier steps first", () => {
    deepEqual(told(["2", "1"], [all(["1", "2"])[0]!, all(["1"])[1]!]), ["configure db-2 (trusts authorities 2, 1)", "configure db-1 db-2 (certificates by authority 2)"]);
    deepEqual(told(["2"], [all(["2", "1"])[0]!, all(["1", "2"])[1]!]), ["configure db-2 (certificates by authority 2)", "configure db-1 db-2 (drops authority 1)"]);
    deepEqual(told(["2"], all(["1"])), ["configure db-1 db-2 (trusts authority 2)", "configure db-1 db-2 (certificates by authority 2)", "configure db-1 db-2 (drops authority 1)"]);
  });

  it("that a cut left between files and server are read again before anybody relies on them", () => {
    deepEqual(told(["2", "1"], [all(["1", "2"])[0]!, all(["2", "1"], { unloaded: true })[1]!]), ["configure db-2 (trusts authorities 2, 1)", "configure db-1 db-2 (certificates by authority 2)"]);
    deepEqual(told(["2"], [all(["2", "1"])[0]!, all(["2"], { unloaded: true })[1]!]), ["configure db-2 (certificates by authority 2)", "configure db-1 db-2 (drops authority 1)"]);
  });

  it("of a cluster that was never verified come at once", () =>
    deepEqual(told(["2", "1"], all(["1 of another run"], { hasHadData: false })), ["configure db-1 db-2"]));

  it("stay while a server starts or does not answer, which a refusal says", () => {
    for (const is of ["silent", "starting"]) throws(() => told(["1", "2"], [all(["1"])[0]!, all(["1"], { is })[1]!]), /^Refused: refused: certificates change only while every server that runs answers\. Seen: db-1 is up; db-2 is up\. Way forward: .{20,}/);
    deepEqual(told(["1"], [all(["1"])[0]!, all(["1"], { is: "silent" })[1]!]), []);
  });

  it("are told by a guest's bundle, by name, and whether its server has taken it", () => {
    const authority = ofIds(["1", "2"]);
    deepEqual(certified(["1", "2"], authority, { bundle: bundle(authority), record: sum(bundle(authority)) }), { authorities: ["1", "2"] });
    deepEqual(certified(["1", "2"], authority, { bundle: bundle(ofIds(["2", "3", "1/1", "2/1"])), record: "", dropped: "" }), { authorities: ["2", "3", "1 of another run", "2 of another run"], unloaded: true });
    deepEqual(certified(only, authority, { bundle: "" }), {});
  });

  it("that a server was to drop it is seen to remember until it starts, unless they are wanted again", () => {
    const at = (wanted: string[], ...dropped: string[]) => certified(wanted, ofIds(wanted), { bundle: pem("2"), record: sum(pem("2")), dropped: dropped.map((id) => sum(pem(id).trim())).join(" ") });
    deepEqual([at(["2"], "1").remembers, at(["2", "1"], "1").remembers, at(["2"]).remembers], [true, undefined, undefined]);
  });

  it("one alone makes the bundle that it is, whatever its end", () => {
    equal(bundle({ certificate: "as it is" }), "as it is");
    deepEqual(idsIn(bundle(ofIds(["1", "2", "3"]))), ["1", "2", "3"]);
    deepEqual(each(ofIds(["1", "2"])).map(({ key }) => key), ["key of 1", "key of 2"]);
  });

  it("are remembered only where a name was given, and taken in a preview for what they were then", () => {
    const [old, other] = [{ configured: true, authorities: ["1"] }, { configured: true, authorities: ["2", "1"] }];
    deepEqual([kept(old), kept(other), kept({ ...old, unloaded: true })], [{ configured: true }, other, { ...old, unloaded: true }]);
    deepEqual([recalled({ configured: true }, { configured: true }, ["2"]), recalled({ configured: true }, undefined, ["2"]), recalled({ configured: false }, undefined, ["2"]), recalled(other, other, ["2"])],
      [old, { configured: true, authorities: ["2"] }, { configured: false }, other]);
  });

  it("that cannot be had in one step are refused with the step before", () => {
    equal(wrongStep(["1"], ["1", "2"]), undefined);
    equal(wrongStep(["1", "2"], ["2", "1"]), undefined);
    equal(wrongStep(["2", "1"], ["2"]), undefined);
    equal(wrongStep(["2", "1"], ["1", "2"]), undefined);
    match(wrongStep(["1"], ["2"])!, /^cannot begin with "2", which nobody trusts yet.*\["1","2"\]/);
    match(wrongStep(["1", "2"], ["2"])!, /^cannot drop "1", which signs until now, in the same change.*\["2","1"\]/);
  });
});
