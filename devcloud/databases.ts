import execa from "execa";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cached } from "../tools/cache";
import type { Progress } from "../tools/progress";
import { type Container, run } from "./container";
import { database } from "./daemons";
import { ready } from "./start";
import { startDaemon, stopDaemon } from "./supervisor";

const schemas = join(__dirname, "openstack", "schemas.sh");

/** Fills `state/mariadb` with the databases as the schema migrations leave them, migrated once and then copied. */
export async function databases(container: Container, tree: string, state: string, progress: Progress): Promise<void> {
  const files = join(state, "mariadb");
  const migrated = await cached(
    {
      name: "databases",
      title: "OpenStack's database schemas",
      from: { tree, schemas: readFileSync(schemas, "utf8") },
      async build(folder) {
        await migrate(container);
        await execa("cp", ["--archive", "--sparse=always", `${files}/.`, folder]);
        await execa("rm", ["--recursive", files]);
      },
    },
    progress,
  );
  await execa("cp", ["--archive", "--sparse=always", "--reflink=auto", migrated, files]);
}

async function migrate(container: Container): Promise<void> {
  await run(container, "mariadb-install-db --defaults-file=/etc/devcloud/mariadb.cnf --skip-test-db >/var/log/devcloud/mariadb-install.log 2>&1");
  await startDaemon(container, database.name);
  await ready(container, database);
  await run(container, "bash /opt/devcloud/openstack/schemas.sh >/var/log/devcloud/schemas.log 2>&1");
  await stopDaemon(container, database.name);
}
