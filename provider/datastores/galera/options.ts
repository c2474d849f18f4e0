import { z } from "zod";

/** Settings that the package itself decides: another value would break the cluster or its safety. */
const ours = ["datadir", "port", "socket", "bind_address", "binlog_format", "default_storage_engine", "innodb_autoinc_lock_mode",
  "ssl_ca", "ssl_cert", "ssl_key", "pid_file", "user", "plugin_load_add", "init_file", "skip_grant_tables"];

const canonical = (key: string) => key.toLowerCase().replaceAll("-", "_");

export const options = z.strictObject({
  vendor: z.enum(["mariadb"], { error: "only \"mariadb\" can be run yet" }),
  /** Major version, such as `10.11`; what the guest's package sources offer when left out. */
  version: z.string().regex(/^\d+\.\d+$/, { error: "give a major version such as \"10.11\"" }).optional(),
  configuration: z.record(
    z.string().regex(/^[A-Za-z][\w-]*$/, { error: "not the name of a MariaDB server option" })
      .refine((key) => !ours.includes(canonical(key)) && !canonical(key).startsWith("wsrep_"),
        { error: "is set by the package itself and cannot be given" }),
    z.union([z.string(), z.number(), z.boolean()]),
  ).default({}),
});
export type Options = z.infer<typeof options>;
