import { deepEqual } from "node:assert/strict";
import type { Guest } from "../../../provider/guest/guest";
import { tookSettings } from "../../../provider/guest/silent";

describe("settings of a server that was to answer nobody", () => {
  const took = async (told: Promise<boolean>): Promise<[took: boolean, words: string]> => {
    let words = "";
    const guest = { say: (line: string) => { words = line; } } as Guest;
    return [await tookSettings(guest, told), words];
  };

  it("count where it was told them, and else from its restart on: also where it answered before it was told, and no more when it was", async () => {
    deepEqual(await took(Promise.resolve(true)), [true, "it answers again, and took its settings: it is not restarted"]);
    deepEqual(await took(Promise.resolve(false)), [false, "it answered for a moment alone, and was told nothing"]);
    deepEqual(await took(Promise.reject(new Error("too many connections"))), [false, "it answers now and then, and did not take its settings: too many connections"]);
  });
});
