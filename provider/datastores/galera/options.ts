import { z } from "zod";

/** Settings that the package itself decides: another value would break the cluster or its safety. */
const ours = ["wsrep_", "datadir", "port", "socket", "bind_address", "networking", "binlog_format", "default_storage_engine", "innodb_autoinc_lock_mode",
  "innodb_data_file_path", "innodb_data_home_dir", "innodb_log_group_home_dir", "innodb_undo_directory",
  "ssl_ca", "ssl_capath", "ssl_cert", "ssl_key", "pid_file", "user", "chroot", "bootstrap", "extra_port", "plugin_dir", "plugin_load_add", "init_file", "grant_tables"];

/** MariaDB takes dashes for underscores, these prefixes one after another, and the first letters of a name for the name. */
function isOurs(key: string): boolean {
  const bare = key.toLowerCase().replaceAll("-", "_").replace(/^((loose|skip|disable|enable|maximum|autoset)_)+/, "");
  return bare.startsWith("wsrep_") || ours.some((name) => name.startsWith(bare));
}

export const options = z.strictObject({
  vendor: z.enum(["mariadb"], { error: "only \"mariadb\" can be run yet" }),
  /** Major version, such as `10.11`; what the guest's package sources offer when left out. */
  version: z.string().regex(/^\d+\.\d+$/, { error: "give a major version such as \"10.11\"" }).optional(),
  configuration: z.record(
    z.string().regex(/^[A-Za-z][\w-]*$/, { error: "not the name of a MariaDB server option" })
      .refine((key) => !isOurs(key), { error: "is set by the package itself and cannot be given" }),
    z.union([z.string(), z.number(), z.boolean()]),
  ).default({}),
});
export type Options = z.infer<typeof options>;
