import { deepEqual } from "node:assert/strict";
import { readJudgement } from "../../../../provider/datastores/galera/judge";

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
/usr/sbin/mariadbd: Character set 'klingon' is not a compiled character set\nexit status 1\n`, ["Character set 'klingon' is not a compiled character set", "exit status 1"], []],
    ["a failure without a word", "exit status 139\n", ["exit status 139"], []],
    ["a value that it takes for another", `${limits}2026-11-24  0:59:14 0 [Warning] Buffered warning: option 'max_connections': unsigned value 0 adjusted to 10\n`, [], ["Buffered warning: option 'max_connections': unsigned value 0 adjusted to 10"]],
    ["a name that it may ignore", `${limits}2026-11-24  0:59:15 0 [Warning] /usr/sbin/mariadbd: unknown variable 'loose_foo=1'\n`, [], ["unknown variable 'loose_foo=1'"]],
  ] as const) it(name, () => deepEqual(readJudgement(printed), { errors, warnings }));
});
