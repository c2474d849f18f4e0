import { deepEqual, rejects } from "node:assert/strict";
import { command } from "../../../../provider/datastores/redis/client";
import { guests, idOf } from "./servers";

describe("a command that a person gives a redis server", () => {
  it("is answered as it is where that is a text, and else as JSON; what Redis refuses is an error", async () => {
    const { redis } = guests(["db-1-1", "db-2-1", "db-3-1"]);
    const asked = async (...words: string[]) => command(redis, await redis.guest("db-2-1"), words);
    deepEqual([await asked("CLUSTER", "MYID"), await asked("DBSIZE"), (await asked("ACL", "GETUSER", "default")).split("\n").slice(0, 5)], [idOf("db-2-1"), "0", ["[", '  "flags",', "  [", '    "on",', '    "sanitize-payload"']]);
    await rejects(asked("CLUSTER", "FAILOVER"), { message: "CLUSTER FAILOVER on db-2-1: ERR You should send CLUSTER FAILOVER to a replica" });
  });
});
