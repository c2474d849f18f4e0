import { deepEqual, match } from "node:assert/strict";
import type { Redis } from "../../../../provider/datastores/redis/client";
import { report } from "../../../../provider/datastores/redis/report";
import type { Guest } from "../../../../provider/guest/guest";
import { cluster, member } from "../../cluster";

const [primary, replica, other] = ["a", "b", "c"].map((letter) => letter.repeat(40)) as [string, string, string];
const node = (id: string, flags: string, of = "-", slots = "") => `${id} 198.18.0.1:6379@16379 ${flags} ${of} 0 1 1 connected ${slots}\n`;

/** What a member's server answers, as Redis 7.0 writes it, and what else lies on its guest. */
interface Answers { unit?: string; nodes?: string; state?: string; info?: Record<string, string | number>; silent?: string; id?: string; held?: boolean; wanted?: "stopped" }

async function told({ unit = "active", nodes = node(primary, "master", "-", "0-16383") + node(replica, "myself,slave", primary), state = "ok", info = {}, silent, id = replica, held = false, wanted }: Answers) {
  const guest: Guest = {
    name: "db-1-2", say: () => undefined,
    run: () => Promise.reject(new Error("a report changes nothing")),
    write: () => Promise.reject(new Error("a report changes nothing")),
    look: async (command) => {
      if (command.includes("-p ActiveState -p Job")) return `ActiveState=${unit}\nJob=\n`;
      if (command.includes("echo held")) return held ? "held\n" : "";
      if (command.includes("dpkg-query")) return "5:7.0.15-1~deb12u5\n";
      if (!command.startsWith("python3 -c")) throw new Error(`nobody asks ${command}`);
      if (silent) throw new Error(silent);
      const all = Object.entries({ role: "slave", master_link_status: "up", slave_read_repl_offset: 900, slave_repl_offset: 900, loading: 0, aof_last_write_status: "ok", rdb_last_bgsave_status: "ok", ...info });
      return JSON.stringify([["flags", ["on"], "passwords", []], id, nodes, `cluster_state:${state}\r\n`, all.map(([key, value]) => `${key}:${value}\r\n`).join(""), "", ""]);
    },
  };
  const of = { ...cluster([], {}, async () => guest), authority: { certificate: "", key: "of the authority" } };
  return report({ ...of, want: { ...of.want, state: wanted, options: { vendor: "redis", configuration: {} } } } as Redis, member("db-1-2"));
}

describe("redis report", () => {
  it("of a replica that is well says how much it has still to apply", async () => {
    deepEqual(await told({}), { role: "replica", state: "cluster ok", lag: { words: "0 bytes", measures: { behind: 0 } }, version: "7.0.15" });
    deepEqual((await told({ info: { slave_read_repl_offset: 1000 } })).lag, { words: "100 bytes", measures: { behind: 100 } });
  });

  it("of one that is kept stopped finds that wrong only where it is to run", async () => {
    const stopped = { role: "stopped", state: "held", version: "7.0.15" };
    deepEqual(await told({ unit: "inactive", held: true, wanted: "stopped" }), stopped);
    deepEqual(await told({ unit: "inactive", held: true }), { ...stopped, wrong: { what: "the server on db-1-2 is kept stopped, and is to run" } });
  });

  it("of a primary that is well", async () => {
    const nodes = node(primary, "myself,master", "-", "0-16383") + node(replica, "slave", primary);
    deepEqual(await told({ nodes, id: primary, info: { role: "master" } }), { role: "primary", state: "cluster ok", version: "7.0.15" });
  });

  it("of a server that is down, or does not answer, says which", async () => {
    deepEqual(await told({ unit: "failed" }), { role: "down", state: "failed", version: "7.0.15", wrong: { what: "the server on db-1-2 is failed" } });
    const { role, wrong } = await told({ silent: "connection refused" });
    deepEqual([role, wrong], ["silent", { what: "the server on db-1-2 does not answer: connection refused" }]);
    deepEqual((await told({ unit: "activating", silent: "connection refused" })).role, "starting");
    deepEqual((await told({ silent: "LOADING Redis is loading the dataset in memory" })).role, "starting");
  });

  it("of one that reads its data says so", async () => deepEqual((await told({ info: { loading: 1 } })).state, "loads its data"));

  for (const [what, answers, words] of [
    ["whose cluster is not whole", { state: "fail" }, /^db-1-2 says that the cluster is fail: not every slot is served/],
    ["that has lost its primary", { info: { master_link_status: "down" } }, /^db-1-2 does not follow its primary: its link is down$/],
    ["whose disk is full", { info: { aof_last_write_status: "err" } }, /^db-1-2 could not write its data to its disk the last time$/],
    ["whose last snapshot failed", { info: { rdb_last_bgsave_status: "err" } }, /^db-1-2 could not write its data/],
    ["that counts a member which is dead", { nodes: node(primary, "master", "-", "0-16383") + node(replica, "myself,slave", primary) + node(other, "slave,fail", primary) }, /^db-1-2 counts 1 that do not answer any more$/],
  ] as [string, Answers, RegExp][])
    it(`of one ${what} says what is wrong`, async () => match((await told(answers)).wrong!.what, words));
});
