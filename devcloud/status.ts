import { type Container, run } from "./container";
import { hosts } from "./daemons";
import { type Supervised, supervised } from "./supervisor";

/** What runs in the devcloud. */
export interface Status {
  services: Supervised[];
  servers: { name: string; state: string; host: string; flavor: string; addresses: string }[];
  volumes: { name: string; state: string; gibibytes: number; server: string }[];
  hosts: { name: string; zone: string; servers: number }[];
  /** Memory of all processes, guests' included; shared pages are counted once. */
  mebibytes: number;
}

/** Read from the databases and the kernel, so that it answers also when the APIs do not. */
export async function statusOf(container: Container): Promise<Status> {
  const [services, servers, volumes, memory] = await Promise.all([
    supervised(container),
    rows(container, `select display_name, concat_ws(' ', vm_state, task_state), coalesce(host, ''),
      (select json_value(flavor, '$.cur.\\"nova_object.data\\".name') from nova.instance_extra where instance_uuid = uuid),
      (select coalesce(group_concat(ip_address separator ' '), '') from neutron.ports join neutron.ipallocations on port_id = id where device_id = uuid)
      from nova.instances where deleted = 0 order by display_name`),
    rows(container, `select coalesce(nullif(display_name, ''), id), status, size, coalesce((select group_concat(display_name)
      from cinder.volume_attachment join nova.instances on uuid = instance_uuid where volume_id = volumes.id and not volume_attachment.deleted), '')
      from cinder.volumes where not deleted order by display_name`),
    run(container, "cat /proc/[0-9]*/smaps_rollup 2>/dev/null | awk '/^Pss:/ { sum += $2 } END { print int(sum / 1024) }'"),
  ]);
  return {
    services,
    servers: servers.map(([name = "", state = "", host = "", flavor = "", addresses = ""]) => ({ name, state, host, flavor, addresses })),
    volumes: volumes.map(([name = "", state = "", size, server = ""]) => ({ name, state, gibibytes: Number(size), server })),
    hosts: Object.entries(hosts).map(([name, zone]) => ({ name, zone, servers: servers.filter(([, , host]) => host === name).length })),
    mebibytes: Number(memory),
  };
}

/** What a query finds, nothing without a database. */
export async function rows(container: Container, query: string): Promise<string[][]> {
  const output = await run(container, `mariadb --defaults-file=/etc/devcloud/mariadb.cnf --skip-column-names --batch -e "${query}" || true`);
  return output.split("\n").filter(Boolean).map((line) => line.split("\t"));
}
