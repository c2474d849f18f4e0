import { z } from "zod";

/** Settings that the package itself decides: another value would break the cluster or its safety. */
const ours = ["wsrep_", "datadir", "port", "socket", "bind_address", "networking", "binlog_format", "default_storage_engine", "innodb_autoinc_lock_mode",
  "innodb_data_file_path", "innodb_data_home_dir", "innodb_log_group_home_dir", "innodb_undo_directory",
  "ssl_ca", "ssl_capath", "ssl_cert", "ssl_key", "pid_file", "user", "chroot", "bootstrap", "extra_port", "plugin_dir", "plugin_load_add", "init_file", "grant_tables", "unix_socket"];

/** MariaDB takes dashes for underscores, these prefixes one after another, and the first letters of a name for the name. */
export function isOurs(key: string): boolean {
  const bare = key.toLowerCase().replaceAll("-", "_").replace(/^((loose|skip|disable|enable|maximum|autoset)_)+/, "");
  return bare.startsWith("wsrep_") || ours.some((name) => name.startsWith(bare));
}

/** MariaDB reads an option file in pieces of 4 KiB (`mysys/my_default.c`): the rest of a longer line would be a line of its own. Quoted as in JSON a value is no shorter than there. */
const valueBytes = 4000;
/**
 * `mariadbd --help --verbose`, by which a running server is given its settings, and `my_print_defaults`, by which the scripts of a state transfer read options, print a value as it is: a further line of
 * it would be lost to one and an option of its own to the other.
 */
const ending = /[\0\r\n]/;

const must = (what: string) => ({ error: `must be ${what}` });
const version = must("a major version such as \"10.11\", as a string; left out, it is what the image's package sources offer");

const size = must("a size such as \"512M\" or \"2G\", as a string: Galera's own words");

export const options = z.strictObject({
  restartTrigger: z.string(must("a text: each other one restarts the members, one at a time")).optional(),
  vendor: z.enum(["mariadb"], must("\"mariadb\": no other can be run yet")),
  version: z.string(version).regex(/^\d+\.\d+$/, version).optional(),
  gcacheSize: z.string(size).regex(/^[1-9]\d*[MG]$/, size).optional(),
  configuration: z.record(
    z.string().regex(/^[A-Za-z][\w-]{0,79}$/, { error: "is not the name of a MariaDB server option: give one as it stands in an option file, such as max_connections" })
      .refine((key) => !isOurs(key), { error: "is set by the package itself: leave it out" }),
    z.union([
      z.string()
        .refine((value) => !ending.test(value), { error: "has a NUL or a line break, which MariaDB's tools do not take for a part of the value: write it in one line" })
        .refine((value) => Buffer.byteLength(JSON.stringify(value)) <= valueBytes, { error: `is longer than a line of MariaDB's option files can be: ${valueBytes} bytes at most, quoted; shorten it` }),
      z.number(), z.boolean(),
    ], must("the option's value, as a string")), must("an object with the names of options for keys"),
  ).default({}),
});
export type Options = z.infer<typeof options>;
