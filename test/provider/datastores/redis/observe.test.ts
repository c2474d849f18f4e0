import { deepEqual, equal } from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { observe } from "../../../../provider/datastores/redis/observe";
import type { Up } from "../../../../provider/datastores/redis/sight";
import { fast } from "../../clock";
import { named } from "./model";
import { guests, idOf } from "./servers";

describe("a look at a redis member", () => {
  const six = named(3, 1);

  it("waits until those that have just ended count as failed: before, nothing tells one of them from a stranger, nor from one that owns its slots", () => fast(async () => {
    const all = guests(six);
    for (const name of ["db-1-1", "db-1-2"]) all.servers[name]!.down = Date.now();
    for (const name of ["db-2-1", "db-3-2"]) deepEqual(((await observe(all.redis, all.memberOf(name))) as Up).failed, [idOf("db-1-1"), idOf("db-1-2")], name);
  }));

  it("waits until somebody has taken over from a primary that failed, or for a minute where nobody can", () => fast(async () => {
    const all = guests(six);
    all.servers["db-1-1"]!.down = Date.now();
    const looks = () => Promise.all(["db-1-2", "db-2-1"].map((name) => observe(all.redis, all.memberOf(name)))) as Promise<Up[]>;
    const looked = looks();
    equal(await Promise.race([looked, sleep(40_000, "waits")]), "waits");
    all.takeOver(all.servers["db-1-2"]!);
    deepEqual((await looked).map(({ slots }) => slots), ["0-5461", "5462-10922"]);
    const alone = guests(six);
    alone.servers["db-1-1"]!.down = Date.now();
    const began = Date.now();
    deepEqual(((await observe(alone.redis, alone.memberOf("db-1-2"))) as Up).slots, "");
    equal(Math.round((Date.now() - began) / 10_000), 6);
  }));

  it("that is only a glance waits for nobody", () => fast(async () => {
    const all = guests(six);
    all.servers["db-1-1"]!.down = Date.now();
    deepEqual(((await observe({ ...all.redis, glance: true }, all.memberOf("db-2-1"))) as Up).failed, []);
  }));
});
