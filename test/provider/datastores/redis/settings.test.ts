import { deepEqual, equal, ok } from "node:assert/strict";
import { newAuthority } from "../../../../provider/certificates";
import { optionsFile, optionsText } from "../../../../provider/datastores/redis/configuration";
import { steps } from "../../../../provider/datastores/redis/steps";
import type { Guest } from "../../../../provider/guest/guest";
import { fast } from "../../clock";
import { named } from "./model";
import { guests } from "./servers";

const six = named(3, 1);
const policy = "maxmemory-policy";

/** Guests whose servers are to get another setting, of which `db-2-2` is looked at. */
async function wanting(value: string) {
  const all = guests(six, { authority: await newAuthority("db") });
  const { want, passwords, authority } = all.redis;
  const cluster = { ...all.redis, want: { ...want, options: { ...want.options, configuration: { [policy]: value } } } };
  const self = all.memberOf("db-2-2");
  return { ...all, cluster, self, server: all.servers["db-2-2"]!, text: optionsText(cluster.want, self, passwords, authority) };
}

const restarts = (ran: string[]): string[] => ran.filter((line) => /systemctl (stop|start|restart)/.test(line));

describe("a setting that a redis server takes while it runs", () => {
  it("is told it, and its options file says so", () => fast(async () => {
    const { cluster, self, server, text, ran } = await wanting("allkeys-lru");
    await steps.configure(cluster, self, { do: "configure", on: ["db-2-2"] });
    deepEqual([server.settings[policy], server.file, restarts(ran)], ["allkeys-lru", text, []]);
  }));

  it("is told again to one that was started anew before its options file said so", () => fast(async () => {
    const { cluster, self, server, text, ran, crash } = await wanting("allkeys-lru");
    const guest = await cluster.guest("db-2-2");
    const crashing: Guest = {
      ...guest,
      write: async (path, content, file) => {
        if (path === optionsFile && server.invocations === 0) crash("db-2-2");
        return guest.write(path, content, file);
      },
    };
    await steps.configure({ ...cluster, guest: async () => crashing }, self, { do: "configure", on: ["db-2-2"] });
    deepEqual([server.settings[policy], server.file, server.invocations], ["allkeys-lru", text, 1]);
    equal(ran.filter((line) => line.includes(`CONFIG SET ${policy}`)).length, 2);
  }));

  it("comes to one that fell silent by a restart, also where it answered before it was told and no more when it was", () => fast(async () => {
    for (const answers of [0, 1, 2]) {
      const { cluster, self, server, text, ran } = await wanting("allkeys-lru");
      server.answers = 0;
      await steps.configure(cluster, self, { do: "configure", on: ["db-2-2"] });
      equal(server.file, text);
      server.answers = answers;
      await steps.restart(cluster, self, { do: "restart", on: ["db-2-2"], what: "silent" });
      deepEqual([server.settings[policy], restarts(ran)], ["allkeys-lru", ["db-2-2 systemctl stop", "db-2-2 systemctl start"]], `${answers} answers`);
    }
  }));

  it("spares the restart of one that was silent, answers, and takes it", () => fast(async () => {
    const { cluster, self, server, ran } = await wanting("allkeys-lru");
    await steps.restart(cluster, self, { do: "restart", on: ["db-2-2"], what: "silent" });
    ok(server.settings[policy] === "allkeys-lru");
    deepEqual(restarts(ran), []);
  }));
});
