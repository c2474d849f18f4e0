import { type Container, run } from "./container";
import { type Supervised, supervised } from "./supervisor";

/** What runs in the devcloud. */
export interface Status {
  services: Supervised[];
  /** Each line: name, state, host. */
  guests: string[];
  /** Each line: name, state, size. */
  volumes: string[];
  /** Memory of all processes, guests' included; shared pages are counted once. */
  mebibytes: number;
}

/** Read from the databases and the kernel, so that it answers also when the APIs do not. */
export async function statusOf(container: Container): Promise<Status> {
  const lines = async (query: string) => (await rows(container, query)).map((row) => row.join(" "));
  const [services, guests, volumes, memory] = await Promise.all([
    supervised(container),
    lines("select display_name, vm_state, coalesce(host, '') from nova.instances where deleted = 0"),
    lines("select coalesce(nullif(display_name, ''), id), status, concat(size, ' GiB') from cinder.volumes where not deleted"),
    run(container, "cat /proc/[0-9]*/smaps_rollup 2>/dev/null | awk '/^Pss:/ { sum += $2 } END { print int(sum / 1024) }'"),
  ]);
  return { services, guests, volumes, mebibytes: Number(memory) };
}

/** What a query finds, nothing without a database. */
export async function rows(container: Container, query: string): Promise<string[][]> {
  const output = await run(container, `mariadb --defaults-file=/etc/devcloud/mariadb.cnf --skip-column-names --batch -e "${query}" || true`);
  return output.split("\n").filter(Boolean).map((line) => line.split("\t"));
}
