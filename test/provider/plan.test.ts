import { deepEqual } from "node:assert/strict";
import fc from "fast-check";
import { describe as lines, oneByOne, surprises, together } from "../../provider/plan";
import { names } from "../../provider/topology";
import { member } from "./cluster";

const steps = (...texts: string[]) => texts.map((text) => {
  const [what = "", ...on] = text.split(" ");
  return { do: what, on };
});

describe("plan", () => {
  it("has no step when there is nobody to do it on", () => {
    deepEqual([...together("install", []), ...oneByOne("join", [])], []);
  });

  it("reads as one line a step", () => {
    deepEqual(lines([...together("install", ["a", "b"]), ...oneByOne("join", ["a", "b"])]), ["install a b", "join a", "join b"]);
  });

  it("names members in their order", () => deepEqual(names({ members: [member("db-2"), member("db-1")] }), ["db-2", "db-1"]));
});

describe("surprises", () => {
  const forecast = ["install db-1 db-2", "bootstrap db-1", "join db-2"];

  it("what was announced is none, nor are fewer steps or waits", () => {
    deepEqual(surprises(steps(...forecast), forecast), []);
    deepEqual(surprises(steps("join db-2", "verify db-1 db-2"), forecast), []);
    deepEqual(surprises([], []), []);
  });

  it("a grave step on another member is one", () => deepEqual(surprises(steps("bootstrap db-2"), forecast), ["bootstrap db-2"]));

  it("a grave step of another kind is one, and only its unannounced members are named", () => {
    deepEqual(surprises(steps("clean db-1 db-2"), ["clean db-1", "join db-2"]), ["clean db-2"]);
  });

  for (const grave of ["bootstrap", "recover", "clean", "leave"])
    it(`an unannounced ${grave} is one`, () => deepEqual(surprises(steps(`${grave} db-1`), []), [`${grave} db-1`]));

  for (const harmless of ["install", "mount", "configure", "secure", "join", "verify"])
    it(`an unannounced ${harmless} is none`, () => deepEqual(surprises(steps(`${harmless} db-1`), []), []));

  it("a grave step on somebody who is only seen later announces it on anybody, and is announced by it", () => {
    deepEqual(surprises(steps("recover db-2"), ["stop db-1", "recover"]), []);
    deepEqual(surprises(steps("stop db-1", "recover"), ["recover db-2"]), []);
    deepEqual(surprises(steps("stop db-1", "recover"), ["bootstrap db-1", "stop db-1"]), ["recover"]);
    deepEqual(surprises(steps("leave db-2"), ["recover"]), ["leave db-2"]);
  });

  it("an announced step announces no other whose name it begins", () => {
    deepEqual(surprises(steps("bootstrap db-1"), ["bootstrap db-10", "bootstrapped db-1"]), ["bootstrap db-1"]);
  });

  it("a plan never surprises its own forecast", () => fc.assert(fc.property(
    fc.array(fc.record({ do: fc.constantFrom("bootstrap", "leave", "join", "verify"), on: fc.subarray(["db-1", "db-2", "db-3"], { minLength: 1 }) })),
    (plan) => deepEqual(surprises(plan, lines(plan)), []))));
});
