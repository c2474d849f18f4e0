import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { newAuthority } from "../../../../provider/certificates";
import { readJudgement } from "../../../../provider/datastores/galera/judge";
import { steps } from "../../../../provider/datastores/galera/steps";
import type { Guest } from "../../../../provider/guest/guest";
import { member } from "../../cluster";
import { of } from "../../document";

const limits = `2026-11-24  0:59:13 0 [Warning] Could not increase number of max_open_files to more than 1024 (request: 32184)
2026-11-24  0:59:13 0 [Warning] Changed limits: max_open_files: 1024  max_connections: 151 (was 151)  table_cache: 421 (was 2000)
2026-11-24  1:07:31 0 [Warning] Could not open mysql.plugin table: "Table 'mysql.plugin' doesn't exist". Some options may be missing from the help text
`;

/** What MariaDB 10.11 of Debian 12 printed. */
describe("what MariaDB says of its options", () => {
  for (const [name, printed, errors, warnings] of [
    ["nothing", limits, [], []],
    ["a name that it does not know", `${limits}2026-11-24  0:59:13 0 [ERROR] /usr/sbin/mariadbd: unknown variable 'foo_bar=1'\nexit status 7\n`, ["unknown variable 'foo_bar=1'"], []],
    ["a value that it does not know", `2026-11-24  0:59:14 0 [ERROR] /usr/sbin/mariadbd: Error while setting value 'NOPE' to 'sql_mode'\n${limits}exit status 13\n`, ["Error while setting value 'NOPE' to 'sql_mode'"], []],
    ["an engine that would be off, without a failure", `${limits}2026-11-24  0:59:15 0 [ERROR] /usr/sbin/mariadbd: Error while setting value 'x' to 'innodb-flush-method'
2026-11-24  0:59:15 0 [ERROR] Parsing options for plugin 'InnoDB' failed. Disabling plugin\n`, ["Error while setting value 'x' to 'innodb-flush-method'", "Parsing options for plugin 'InnoDB' failed. Disabling plugin"], []],
    ["a failure without a label, said twice", `${limits}/usr/sbin/mariadbd: Character set 'klingon' is not a compiled character set
/usr/sbin/mariadbd: Character set 'klingon' is not a compiled character set\n2026-11-24  0:59:14 0 [ERROR] Aborting\nexit status 1\n`, ["Character set 'klingon' is not a compiled character set", "exit status 1"], []],
    ["a failure without a word", "exit status 139\n", ["exit status 139"], []],
    ["a value that it takes for another", `${limits}2026-11-24  0:59:14 0 [Warning] Buffered warning: option 'max_connections': unsigned value 0 adjusted to 10\n`, [], ["Buffered warning: option 'max_connections': unsigned value 0 adjusted to 10"]],
    ["a name that it may ignore", `${limits}2026-11-24  0:59:15 0 [Warning] /usr/sbin/mariadbd: unknown variable 'loose_foo=1'\n`, [], ["unknown variable 'loose_foo=1'"]],
  ] as const) it(name, () => deepEqual(readJudgement(printed), { errors, warnings }));
});

describe("options that MariaDB would not start with", () => {
  /** Configures the first of two members; each answers as told. */
  async function configure({ configured = false, running = false }): Promise<{ said: string[]; written: string[] }> {
    const [said, written] = [[] as string[], [] as string[]];
    const guest = (name: string): Guest => ({
      name,
      look: async (command) => (command.includes("--help --verbose") ? "[ERROR] mariadbd: unknown variable 'foo=1'\nexit status 7\n"
        : command.includes("systemctl show") ? `ActiveState=${running && name === "orders-2" ? "active" : "inactive"}\n`
        : command.includes("SHOW GLOBAL STATUS") ? (running && name === "orders-2" ? "wsrep_cluster_status\tPrimary\nwsrep_local_state_comment\tSynced\n" : "")
        : command.includes("99-datastore.cnf") && configured ? "yes\n" : ""),
      run: async () => "",
      write: async (path) => written.push(path) > 0,
      say: (line) => said.push(line),
    });
    const want = { ...of(1, 2), options: { vendor: "mariadb" as const, configuration: { foo: "1" } } };
    await steps.configure({ want, leaving: [], passwords: [""], authority: await newAuthority("orders"), guest: async (name) => guest(name) }, member("orders-1"));
    return { said, written };
  }
  const words = /^MariaDB on orders-1 would not start with this configuration: unknown variable 'foo=1'\. Mend it in `configuration`$/;

  it("are refused in a cluster that never was", () => rejects(configure({}), { message: words }));

  for (const [where, how] of [["a member that had them before", { configured: true }], ["a cluster that runs", { running: true }]] as const)
    it(`are only told to ${where}: with its data it may know them`, async () => {
      const { said, written } = await configure(how);
      match(said[0]!, words);
      equal(written.at(-1), "/etc/mysql/mariadb.conf.d/99-datastore.cnf");
    });
});
