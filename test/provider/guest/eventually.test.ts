import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { eventually } from "../../../provider/guest/eventually";

describe("eventually", () => {
  const now = Date.now;
  afterEach(() => { Date.now = now; });
  /** Answers one after another; each look is so many seconds after the one before. */
  const answers = (list: (true | string)[], seconds = 0) => {
    let count = 0;
    const start = now();
    Date.now = () => start + count * seconds * 1000;
    return { check: async () => list[Math.min(count++, list.length - 1)]!, looks: () => count };
  };

  it("ends when the check holds", async () => {
    const { check, looks } = answers(["no", "no", true]);
    await eventually("peace", { seconds: 60, every: 1 }, check);
    equal(looks(), 3);
  });

  it("with `steady` it must hold so many times in a row", async () => {
    const { check, looks } = answers([true, true, "flapped", true, true, true, "never asked"]);
    await eventually("peace", { seconds: 60, every: 1, steady: 3 }, check);
    equal(looks(), 6);
  });

  it("at its deadline it fails with what it waited for, how long, and what it last saw", async () => {
    const { check, looks } = answers(["first", "second", "third", "fourth"], 10);
    await rejects(eventually("peace", { seconds: 30, every: 1 }, check), { name: "TimedOut", message: "waited 30 s for peace; last seen: third" });
    equal(looks(), 3);
  });

  it("a flapping check meets the deadline too", async () => {
    const { check } = answers([true, "flapped", true, "flapped", true, "flapped"], 10);
    await rejects(eventually("peace", { seconds: 30, every: 1, steady: 2 }, check), { name: "TimedOut" });
  });

  it("says what it waits for and what it sees about every ten seconds", async () => {
    const said: string[] = [];
    const { check } = answers([...Array.from({ length: 9 }, (_, index) => `look ${index + 1}`), true], 4);
    await eventually("peace", { seconds: 600, every: 1, say: (line) => said.push(line) }, check);
    deepEqual(said, ["waiting for peace: look 3 (12 s)", "waiting for peace: look 6 (24 s)", "waiting for peace: look 9 (36 s)"]);
  });

  it("an error ends it at once", async () => {
    let looks = 0;
    await rejects(eventually("peace", { seconds: 60, every: 1 }, async () => { looks += 1; throw new Error("war"); }), (error: Error) => { match(error.message, /^war$/); return true; });
    equal(looks, 1);
  });
});
