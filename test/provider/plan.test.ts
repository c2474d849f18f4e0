import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { abreast, describe as lines, mostAway, oneByOne, surprises, together } from "../../provider/plan";
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

  it("goes by rounds: those of a queue in turn, of as many queues side by side as it may, where they are alike", () => {
    const restart = (name: string) => steps(`restart ${name}`);
    const again = (name: string) => steps(`rebuild ${name}`, `install ${name}`, `join ${name}`);
    const told = (queues: ReturnType<typeof steps>[][], most: number) => lines(abreast(queues, most, ["join"]));
    deepEqual(told([[restart("a")], [restart("b")], [restart("c")]], 1), ["restart a", "restart b", "restart c"]);
    deepEqual(told([[restart("a")], [restart("b")], [restart("c")]], 2), ["restart a b", "restart c"]);
    deepEqual(told([[again("a")], [again("b")], [restart("c")]], 3), ["rebuild a b", "install a b", "join a", "join b", "restart c"]);
    deepEqual(told([[restart("a"), restart("b")], [restart("c"), again("d")]], 2), ["restart a c", "restart b", "rebuild d", "install d", "join d"]);
    deepEqual(told([], 2), []);
    deepEqual(told(["large", "small", "small"].map((words, index) => [[{ do: "resize", on: ["abc"[index]!], words }]]), 3), ["resize a (large)", "resize b c (small)"]);
  });

  it("takes as many away as leave a majority with one more that fails, and one at any rate", () => {
    for (let count = 1; count <= 40; count++) {
      const most = mostAway(count);
      for (let away = 1; away <= count; away++) equal(away <= most, away === 1 || count - away - 1 > count / 2, `${away} of ${count}`);
    }
    deepEqual([5, 6, 7, 8, 9, 11].map(mostAway), [1, 1, 2, 2, 3, 4]);
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
