import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { plan } from "../../../../provider/datastores/galera/plan";
import { isSecured } from "../../../../provider/datastores/galera/sql";
import { steps } from "../../../../provider/datastores/galera/steps";
import type { Guest } from "../../../../provider/guest/guest";
import { describe as lines } from "../../../../provider/plan";
import { cluster, member } from "../../cluster";
import { way } from "./look";
import { all, named } from "./model";

type Passwords = [string, ...string[]];
type Way = Partial<ReturnType<typeof way>>;

/** Members with one user of clients, whom MariaDB keeps as 10.11 does; each statement replicates, and a run is cut after so many. */
function guests() {
  const statements: string[] = [];
  const cut = { after: Infinity };
  let user: Way & { auth_or?: Way[] } | undefined;
  const execute = (statement: string) => {
    if (statements.length >= cut.after) throw new Error("the run is cut");
    statements.push(statement);
    if (!statement.includes("root@'%'")) return;
    const [, ways] = /^GRANT ALL PRIVILEGES ON \*\.\* TO root@'%' IDENTIFIED VIA (.*) REQUIRE SSL WITH GRANT OPTION$/.exec(statement) ?? [];
    const [own, ...others] = ways!.split(" OR ").map((text) => {
      const [, plugin, hash] = /^(mysql_native_password) USING '(\*[0-9A-F]{40})'$/.exec(text) ?? [];
      return { plugin: plugin!, authentication_string: hash! };
    });
    user = { ...own!, ...(others.length > 0 || user?.auth_or ? { auth_or: [{}, ...others] } : {}) };
  };
  const works = (password: string) => [user, ...user?.auth_or ?? []].some((each) => each?.authentication_string === way(password).authentication_string);
  const guest = (name: string): Guest => ({
    name, say: () => undefined, write: () => Promise.reject(new Error("nothing is written")),
    look: async (command, stdin = "") => {
      ok(command.includes("FROM mysql.global_priv") && command.includes("SELECT 1"));
      return `${user ? JSON.stringify({ access: 549755813887, ...user, ssl_type: 1 }) : ""}\n---\n${works(/^password="(.*)"$/m.exec(stdin)![1]!) ? "1\n" : ""}`;
    },
    run: async (command, stdin = "") => {
      if (command.startsWith("mariadb ")) stdin.split(";").map((each) => each.trim()).filter(Boolean).forEach(execute);
      else equal(command, "rm -f /var/lib/datastore/mysql/unsecured; sync -f /var/lib/datastore/mysql");
      return "";
    },
  });
  const members = named(3);
  const of = cluster(members, {}, async (name) => guest(name));
  /** One look, one plan and its steps but the last, which waits for the members. */
  const run = async (passwords: Passwords): Promise<string[]> => {
    const seen = all(members, "synced");
    for (const [name, sight] of Object.entries(seen)) Object.assign(sight, { secured: await isSecured(guest(name), passwords) });
    const planned = plan({ members }, seen);
    try {
      for (const { do: act, on } of planned.filter((step) => step.do !== "verify")) await steps[act]({ ...of, passwords }, member(on[0]!));
    } catch (error) {
      equal((error as Error).message, "the run is cut");
    }
    return lines(planned);
  };
  return { run, statements, cut, works };
}

describe("a rotation of Galera's passwords", () => {
  const known = ["not-a-secret", "new-password", "another-password"];
  const those = fc.shuffledSubarray(known, { minLength: 1 });

  it("is one step on one member, which tells the server hashes alone, and makes the user and all that he may do by one statement", async () => {
    const { run, statements, works } = guests();
    await run(["not-a-secret"]);
    deepEqual(await run(["new-password", "not-a-secret"]), ["secure db-1", "verify db-1 db-2 db-3"]);
    deepEqual(known.map(works), [true, true, false]);
    equal(statements.filter((statement) => statement.includes("root@'%'")).length, 2);
    ok(!/DROP|REPLACE/.test(statements.join()) && !known.some((password) => statements.join().includes(password)));
    await run(["new-password"]);
    deepEqual(known.map(works), [false, true, false]);
    deepEqual(await run(["new-password"]), []);
  });

  it("ends with exactly the wanted passwords, wherever it is cut, planned again, or taken back", () => fc.assert(fc.asyncProperty(those, those, fc.nat(3), fc.nat(3), async (first, then, cut, again) => {
    const at = guests();
    await at.run(["not-a-secret"]);
    for (const [passwords, after] of [[first, cut], [then, again]] as const) {
      const before = known.filter(at.works);
      at.cut.after = at.statements.length + after;
      await at.run(passwords as Passwords);
      // On the way too: who is to be let in before and after always is.
      for (const password of before.filter((each) => passwords.includes(each))) ok(at.works(password), password);
    }
    at.cut.after = Infinity;
    await at.run(then as Passwords);
    deepEqual(known.filter(at.works).sort(), [...then].sort());
    deepEqual(await at.run(then as Passwords), []);
  }), { numRuns: 300 }));
});
