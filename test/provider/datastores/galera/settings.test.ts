import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { newAuthority } from "../../../../provider/certificates";
import { galera } from "../../../../provider/datastores/galera";
import { optionsText } from "../../../../provider/datastores/galera/configuration";
import { observe } from "../../../../provider/datastores/galera/observe";
import { differing } from "../../../../provider/datastores/galera/settings";
import type { Sight } from "../../../../provider/datastores/galera/sight";
import { steps } from "../../../../provider/datastores/galera/steps";
import type { Guest } from "../../../../provider/guest/guest";
import { fast } from "../../clock";
import { cluster, member } from "../../cluster";
import { marker, status, way } from "./look";
import { sight } from "./model";

type Configuration = Record<string, string | number | boolean>;
interface Wish { configuration?: Configuration; restartTrigger?: string; gcacheSize?: string }

const [optionsFile, runningFile] = ["/etc/mysql/mariadb.conf.d/99-datastore.cnf", "/run/datastores/options"];

/** A member that runs, with the files that its guest has, and a server that takes these variables live; at its next start it would have these values. */
async function server(wanted: Wish, { options, running, types = {}, next = {}, taken = next, refuses = "", judged = "" }: { options: Wish; running?: Wish; types?: Record<string, string>; next?: Record<string, string>; taken?: Record<string, string>; refuses?: string; judged?: string }) {
  const authority = await newAuthority("db");
  const self = member("db-2");
  const clusterOf = (wish: Wish, guest: (name: string) => Promise<Guest>) => ({ ...cluster(["db-1", "db-2", "db-3"], { configuration: {}, ...wish }, guest), authority });
  const textOf = (wish: Wish) => optionsText(clusterOf(wish, () => Promise.reject(new Error("nobody"))).want, self, authority);
  const files = new Map([[optionsFile, textOf(options)], ...(running ? [[runningFile, textOf(running)] as const] : [])]);
  const told: string[] = [];
  const said: string[] = [];
  const guest: Guest = {
    name: "db-2", say: (line) => said.push(line),
    look: async (command, input = "") => {
      if (command.includes("blkid")) return `TYPE=xfs\nUUID=c0ffee\nmounted=yes\nfiles=2\nmarker=${marker({ hasHadData: true })}\n---\n`;
      if (command.includes("-p ActiveState -p Job")) return "ActiveState=active\nJob=\n";
      if (command.includes("SHOW GLOBAL STATUS")) return status();
      if (command.startsWith("for name in")) return "";
      if (command.includes("openssl s_client")) return "Verification: OK\n";
      if (command.includes("SELECT 1")) return `${JSON.stringify(way("not-a-secret"))}\n---\n1\n`;
      if (command.includes("dpkg-query")) {
        const sum = (await import("node:crypto")).createHash("sha256").update(files.get(optionsFile)!).digest("hex");
        return `version=1:10.11.19-0+deb12u1\nguarded=yes\noptions=${sum}\n${files.has(runningFile) ? `---\n${files.get(runningFile)!}` : ""}`;
      }
      if (command.startsWith("cat ")) return files.get(command.split(" ")[1]!) ?? "";
      if (command.includes("/^Variables (--/")) return Object.entries(next).map(([key, value]) => `${key.replaceAll("_", "-")}   ${value}\n`).join("");
      if (command.includes("--help --verbose")) return input.includes("no_such_option") ? judged : "";
      if (input.includes("SYSTEM_VARIABLES")) return Object.entries(types).filter(([key]) => input.includes(`'${key}'`)).map(([key, type]) => `${key}\t${type}\n`).join("");
      if (input.includes("@@GLOBAL")) return Object.entries(taken).map(([key, value]) => `${key}\t${value}\n`).join("");
      throw new Error(`nobody asks ${command} ${input}`);
    },
    run: async (command, input = "") => {
      if (command.startsWith("mariadb ")) told.push(...input.split("\n").filter((line) => line.startsWith("SET GLOBAL") && !line.includes("wsrep_")));
      if (input.includes("SET GLOBAL") && refuses !== "" && !input.includes("wsrep_")) throw new Error(refuses);
      return "";
    },
    write: async (path, text) => { files.set(path, text); return true; },
  };
  const it = clusterOf(wanted, async () => guest);
  return { configure: () => steps.configure(it, self), observe: () => observe(it, self), files, told, said, textOf };
}

const settled = (seen: Sight) => ("configured" in seen && seen.is === "up" ? { configured: seen.configured, current: seen.current } : undefined);

describe("galera settings", () => {
  it("differ by their variables, however they are written, and only by what is not the package's own", async () => {
    const { textOf } = await server({}, { options: {} });
    const [was, wanted] = [textOf({ configuration: { "max-connections": 100, slow_query_log: "1" } }), textOf({ configuration: { MAX_CONNECTIONS: 100, Long_Query_Time: 2 }, restartTrigger: "2026-11" })];
    deepEqual(differing(was, wanted).sort(), ["long_query_time", "restartTrigger", "slow_query_log"]);
    deepEqual(differing(was, was.replace(/^wsrep_cluster_address.*$/m, "wsrep_cluster_address = \"gcomm://\"").replace("[sst]", "[sst]\nmore = 1")), []);
  });

  it("the room for writes that others missed is given to Galera, and a restart is due for it", async () => {
    const { textOf } = await server({}, { options: {} });
    const [none, one, two, back] = [{}, { gcacheSize: "1G" }, { gcacheSize: "2G" }, { restartTrigger: "1" }].map((options) => textOf(options)) as [string, string, string, string];
    match(two, /^wsrep_provider_options = "?socket\.ssl_ca=[^;]*;[^;]*;[^;]*;gcache\.size=2G"?$/m);
    ok(!none.includes("gcache"));
    deepEqual([differing(none, one), differing(one, two), differing(one, back), differing(one, one)], [["restartTrigger"], ["restartTrigger"], ["restartTrigger"], []]);
  });

  it("a file tells no text that a restart was asked for with", async () => {
    const { textOf } = await server({}, { options: {} });
    ok(!textOf({ restartTrigger: "because" }).includes("because"));
  });

  it("a preview knows of each how it comes to count", () => {
    const outdated = (was: Wish, wanted: Wish) => galera.outdated(sight("synced", 3), { members: false, options: { was: { vendor: "mariadb", configuration: {}, ...was }, wanted: { vendor: "mariadb", configuration: {}, ...wanted } } });
    const changed = (was: Wish, wanted: Wish) => {
      const { settings, ...seen } = outdated(was, wanted) as Extract<Sight, { is: "up" }>;
      return { settings, ...settled(seen) };
    };
    deepEqual(changed({ configuration: { max_connections: 100 } }, { configuration: { "max-connections": 200 } }), { settings: "max_connections live", configured: false, current: true });
    deepEqual(changed({}, { configuration: { performance_schema: true, max_connections: 200 } }), { settings: "max_connections live, performance_schema at a restart", configured: false, current: false });
    deepEqual(changed({ configuration: { nobodys_option: 1 } }, {}), { settings: "nobodys_option at a restart", configured: false, current: false });
    deepEqual(changed({ restartTrigger: "1" }, { restartTrigger: "2" }), { settings: "restartTrigger at a restart", configured: false, current: false });
    deepEqual(changed({}, { gcacheSize: "1G", restartTrigger: "1" }), { settings: "gcacheSize at a restart, restartTrigger at a restart", configured: false, current: false });
    deepEqual(outdated({ configuration: { max_connections: 100 } }, { configuration: { max_connections: 100 } }), sight("synced", 3));
  });

  describe("that a server takes while it runs", () => {
    const types = { max_connections: "BIGINT UNSIGNED", sql_mode: "SET", slow_query_log: "BOOLEAN", init_connect: "VARCHAR" };

    it("are set, as it would have them at its next start, before the options file says so, and one that is taken out goes back", () => fast(async () => {
      const { configure, observe: look, told, files, textOf } = await server(
        { configuration: { max_connections: "1K", sql_mode: "ANSI", slow_query_log: true } }, { options: { configuration: { init_connect: "SET @a='\\\\'" } }, types, next: { max_connections: "1024", sql_mode: "ANSI_QUOTES,ANSI", slow_query_log: "TRUE", init_connect: "(No default value)" } });
      await configure();
      deepEqual(told.sort(), ["SET GLOBAL init_connect = DEFAULT;", "SET GLOBAL max_connections = 1024;", "SET GLOBAL slow_query_log = TRUE;", "SET GLOBAL sql_mode = 'ANSI_QUOTES,ANSI';"]);
      deepEqual(differing(files.get(runningFile)!, files.get(optionsFile)!), []);
      equal(files.get(optionsFile), textOf({ configuration: { max_connections: "1K", sql_mode: "ANSI", slow_query_log: true } }));
      deepEqual(settled(await look()), { configured: true, current: true });
    }));

    it("are told by what it made of them", () => fast(async () => {
      const told = async (wanted: string, taken: string) => {
        const { configure, said } = await server({ configuration: { max_connections: wanted } }, { options: {}, types, next: { max_connections: wanted }, taken: { max_connections: taken } });
        await configure();
        return said.filter((line) => line.includes("took"));
      };
      deepEqual(await told("3", "10"), ["configuration: MariaDB took 10 for max_connections where 3 was asked"]);
      deepEqual(await told("30", "30"), []);
    }));

    it("and that it refuses fail before any file says that they count", () => fast(async () => {
      const refuses = "ERROR 1231 (42000) at line 2: Variable 'sql_mode' can't be set to the value of 'NONE'";
      const { configure, files, textOf } = await server({ configuration: { sql_mode: "NONE" } }, { options: {}, types, next: { sql_mode: "NONE" }, refuses });
      await rejects(configure(), /can't be set to the value of 'NONE'\. MariaDB on db-2 does not take this while it runs: mend it in `configuration`, or let it count from the next start: change `restartTrigger` too/);
      equal(files.get(optionsFile), textOf({}));
      // What was tried may count all the same: taken back, it is set back.
      deepEqual(differing(files.get(runningFile)!, textOf({})), ["sql_mode"]);
    }));

    it("and that it refuses wait for a restart that is to come anyway", () => fast(async () => {
      const { configure, files, said, textOf } = await server({ configuration: { sql_mode: "NONE" }, restartTrigger: "2" }, { options: { restartTrigger: "1" }, types, next: { sql_mode: "NONE" }, refuses: "ERROR 1231" });
      await configure();
      match(said.join("\n"), /ERROR 1231: it counts from the restart on/);
      deepEqual(differing(files.get(runningFile)!, textOf({ restartTrigger: "1" })), ["sql_mode"]);
    }));

    it("are given to one that was configured while it received its data", () => fast(async () => {
      const wish = { configuration: { max_connections: 100 } };
      const { observe: look } = await server(wish, { options: wish, running: {}, types });
      deepEqual(settled(await look()), { configured: false, current: true });
    }));
  });

  describe("that count from a server's next start", () => {
    it("are written, and until then it is remembered with which it runs", () => fast(async () => {
      const wish = { configuration: { performance_schema: true, max_connections: 100 } };
      const { configure, observe: look, told, files, textOf } = await server(wish, { options: {}, types: { max_connections: "INT" }, next: { max_connections: "100" } });
      await configure();
      deepEqual([told, differing(files.get(runningFile)!, textOf({})), files.get(optionsFile)], [["SET GLOBAL max_connections = 100;"], ["max_connections"], textOf(wish)]);
      deepEqual(settled(await look()), { configured: true, current: false });
      files.set(runningFile, files.get(optionsFile)!);
      deepEqual(settled(await look()), { configured: true, current: true });
    }));

    it("taken back before it, wait for none", () => fast(async () => {
      const { configure, observe: look, files } = await server({}, { options: { configuration: { performance_schema: true } }, running: {} });
      await configure();
      deepEqual(differing(files.get(runningFile)!, files.get(optionsFile)!), []);
      deepEqual(settled(await look()), { configured: true, current: true });
    }));

    it("are those too of which only the server knows", () => fast(async () => {
      const wish = { configuration: { max_connections: 100 } };
      const { configure, observe: look, told } = await server(wish, { options: {} });
      await configure();
      deepEqual([told, settled(await look())], [[], { configured: true, current: false }]);
    }));

    it("of one that was configured before that was remembered, are none: what it runs with is what its file said", () => fast(async () => {
      const { observe: look } = await server({}, { options: {} });
      deepEqual(settled(await look()), { configured: true, current: true });
    }));
  });

  describe("with which a server would not start", () => {
    const judged = "2026-11-28  3:00:00 0 [ERROR] mariadbd: unknown variable 'no_such_option=1'\nexit status 7";
    const bad = { configuration: { no_such_option: 1 } };

    it("are refused before any is written or set, though the cluster runs", () => fast(async () => {
      const { configure, told, files, textOf } = await server({ configuration: { ...bad.configuration, max_connections: 5 } }, { options: {}, types: { max_connections: "INT" }, judged });
      await rejects(configure(), /MariaDB on db-2 would not start with this configuration: unknown variable 'no_such_option=1'/);
      deepEqual([told, files.get(optionsFile)], [[], textOf({})]);
    }));

    it("are said, where it runs with them all the same", () => fast(async () => {
      const { configure, said } = await server(bad, { options: bad, judged });
      await configure();
      match(said.join("\n"), /would not start with this configuration/);
    }));

    it("are taken back without a word", () => fast(async () => {
      const { configure, said, files, textOf } = await server({}, { options: bad, running: {}, judged });
      await configure();
      deepEqual([said, files.get(optionsFile)], [[], textOf({})]);
    }));
  });

  it("the names that are live are variables in lower case, each once", () => {
    const text = readFileSync(join(__dirname, "../../../../provider/datastores/galera/live.ts"), "utf8");
    const names = text.split("`")[1 + text.slice(0, text.indexOf("new Set(`")).split("`").length - 1]!.trim().split(/\s+/);
    ok(names.length > 300 && names.every((name) => /^[a-z][a-z0-9_]+$/.test(name)));
    equal(new Set(names).size, names.length);
  });
});
