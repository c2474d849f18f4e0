import { deepEqual, equal, rejects } from "node:assert/strict";
import { inTurn, once } from "../../provider/shared";

const step = () => ({ do: "restart", on: ["a", "b", "c"] });

describe("what members of a step share", () => {
  it("is asked once for all of them, and of another step anew", async () => {
    let asked = 0;
    const ask = () => Promise.resolve(++asked);
    const [one, another] = [step(), step()];
    deepEqual(await Promise.all([once(one, ask), once(one, ask), once(another, ask)]), [1, 1, 2]);
  });

  it("is a turn: one after another", async () => {
    const [told, one]: [string[], ReturnType<typeof step>] = [[], step()];
    await Promise.all(one.on.map((name) => inTurn(one, name, async () => {
      told.push(`${name} begins`);
      await new Promise((resolve) => setTimeout(resolve, 5));
      told.push(`${name} ends`);
    })));
    deepEqual(told, one.on.flatMap((name) => [`${name} begins`, `${name} ends`]));
  });

  it("is a failure: nobody's turn comes after it, and each says so", async () => {
    const one = step();
    let begun = 0;
    const turns = one.on.map((name) => inTurn(one, name, () => { begun++; return Promise.reject(new Error("it does not start")); }));
    await Promise.all([rejects(turns[0]!, /it does not start/), rejects(turns[1]!, /^Error: b waits in vain/), rejects(turns[2]!, /^Error: c waits in vain/)]);
    equal(begun, 1);
  });
});
