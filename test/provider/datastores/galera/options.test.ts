import { deepEqual, equal, ok } from "node:assert/strict";
import { inspect } from "node:util";
import fc from "fast-check";
import { options } from "../../../../provider/datastores/galera/options";
import { failures, parse } from "../../../../provider/inputs";

const problems = (value: object) => failures(options, { vendor: "mariadb", ...value });
const refused = (key: string, value: unknown = "x") => problems({ configuration: { [key]: value } }).some(({ property }) => property === `configuration.${key}`);

describe("galera options", () => {
  it("the least that must be said is the vendor", () => {
    deepEqual(parse(options, { vendor: "mariadb" }, "options"), { vendor: "mariadb", configuration: {} });
    deepEqual(failures(options, {}).map(({ property }) => property), ["vendor"]);
  });

  const ours = "is set by the package itself: leave it out";
  const value = "must be the option's value, as a string";
  const size = "must be a size such as \"512M\" or \"2G\", as a string: Galera's own words";
  const version = "must be a major version such as \"10.11\", as a string; left out, it is what the image's package sources offer";
  const noName = "is not the name of a MariaDB server option: give one as it stands in an option file, such as max_connections";
  const swallowed = "has a NUL or a line break, which MariaDB's tools do not take for a part of the value: write it in one line";
  const long = "is longer than a line of MariaDB's option files can be: 4000 bytes at most, quoted; shorten it";
  for (const [wrong, property, reason] of [
    [{ gcacheSize: "lots" }, "gcacheSize", size],
    [{ gcacheSize: "2gb" }, "gcacheSize", size],
    [{ gcacheSize: "0M" }, "gcacheSize", size],
    [{ gcacheSize: 512 }, "gcacheSize", size],
    [{ vendor: "oracle" }, "vendor", "must be \"mariadb\": no other can be run yet"],
    [{ vendor: undefined }, "vendor", "must be \"mariadb\": no other can be run yet"],
    [{ version: "10" }, "version", version],
    [{ version: 10.11 }, "version", version],
    [{ configuration: { wsrep_cluster_address: "gcomm://" } }, "configuration.wsrep_cluster_address", ours],
    [{ configuration: { binlog_format: "STATEMENT" } }, "configuration.binlog_format", ours],
    [{ configuration: { "max connections": "5" } }, "configuration.max connections", noName],
    [{ configuration: { "max_connections\n[client]": "5" } }, "configuration.max_connections\n[client]", noName],
    [{ configuration: { max_connections: null } }, "configuration.max_connections", value],
    [{ configuration: { max_connections: { value: "5" } } }, "configuration.max_connections", value],
    [{ configuration: { init_connect: "SET @a = 1;\0" } }, "configuration.init_connect", swallowed],
    [{ configuration: { init_connect: "SET @a = 1;\n --wsrep_on=OFF" } }, "configuration.init_connect", swallowed],
    [{ configuration: { init_connect: "SET @a = 1;\nSET @b = 2" } }, "configuration.init_connect", swallowed],
    [{ configuration: { init_connect: `${"x".repeat(4080)}wsrep_on=OFF` } }, "configuration.init_connect", long],
    [{ configuration: { init_connect: '"'.repeat(2000) } }, "configuration.init_connect", long],
    [{ configuration: { ["x".repeat(81)]: "5" } }, `configuration.${"x".repeat(81)}`, noName],
    [{ configuration: "max_connections = 5" }, "configuration", "must be an object with the names of options for keys"],
  ] as const) it(`${inspect(wrong, { breakLength: Infinity, maxStringLength: 40 })} is refused, with the argument, its rule and the way forward`, () => deepEqual(problems(wrong), [{ property, reason }]));

  it("an option that does not exist is refused, not ignored", () => ok(problems({ settings: {} }).length > 0));

  it("usual settings are the user's own", () => {
    for (const key of ["max_connections", "slow-query-log", "innodb_buffer_pool_size", "innodb_flush_log_at_trx_commit", "skip_name_resolve", "loose-innodb_foo",
      "sql_mode", "tmpdir", "log_bin", "ssl_cipher", "tls_version", "require_secure_transport", "enable-local-infile"]) ok(!refused(key), key);
    for (const value of ["utf8mb4", 500, 0.5, true, "", "SET @a = 1; -- once", "x".repeat(3998)]) ok(!refused("max_connections", value));
  });

  const owned = ["wsrep_on", "wsrep_cluster_address", "wsrep_provider_options", "datadir", "port", "socket", "bind_address", "binlog_format", "default_storage_engine",
    "innodb_autoinc_lock_mode", "ssl_ca", "ssl_cert", "ssl_key", "pid_file", "user", "init_file", "skip_grant_tables"];
  for (const key of owned) it(`${key} is not`, () => ok(refused(key)));

  it("nor in any other spelling that MariaDB takes", () => {
    for (const key of ["wsrep-on", "WSREP_ON", "Wsrep-On", "BIND-ADDRESS", "Skip-Grant-Tables",
      "loose-wsrep_on", "loose_wsrep_on", "LOOSE-WSREP-ON", "skip-wsrep-on", "disable-wsrep_on", "enable-wsrep-on", "maximum-wsrep_slave_threads", "autoset-wsrep_on",
      "loose-skip-wsrep-on", "loose-loose-datadir", "loose-datadir", "skip-bind-address"]) ok(refused(key), key);
  });

  it("nor what would leave it without TLS, network, or the data below the data directory", () => {
    for (const key of ["skip-networking", "skip_networking", "loose-skip-networking", "ssl", "skip-ssl", "disable_ssl", "ssl_capath", "chroot",
      "innodb_data_home_dir", "innodb_data_file_path", "innodb_log_group_home_dir", "innodb_undo_directory"]) ok(refused(key), key);
  });

  it("nor by the first letters of its name, which MariaDB completes", () => {
    for (const key of ["datadi", "bind-addr", "ssl_k", "sock", "pid-f", "loose-datad", "skip-grant-t", "skip-net", "wsre"]) ok(refused(key), key);
  });

  it("a name is a name: no value, section or second line comes with it", () => {
    for (const key of ["a b", "a=b", "a\nwsrep_on", "[client]", "!include x", "#a", "a.b", "", "1a", "-wsrep_on", "--wsrep_on", "_wsrep_on"]) ok(refused(key), JSON.stringify(key));
  });

  it("whatever is put before and however it is written", () => fc.assert(fc.property(
    fc.array(fc.constantFrom("loose", "skip", "disable", "enable", "maximum", "autoset"), { maxLength: 3 }), fc.constantFrom(...owned), fc.infiniteStream(fc.boolean()),
    (prefixes, name, coin) => {
      const flip = () => coin.next().value;
      const key = [...prefixes, name].join("_").replace(/[_a-z]/g, (letter) => (!flip() ? letter : letter === "_" ? "-" : letter.toUpperCase()));
      equal(refused(key), true, key);
    })));
});
