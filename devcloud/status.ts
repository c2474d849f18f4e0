import { type Container, run } from "./container";
import { hosts } from "./daemons";
import { type Supervised, supervised } from "./supervisor";

/** What runs in the devcloud. */
export interface Status {
  services: Supervised[];
  servers: { name: string; state: string; host: string; flavor: string; addresses: string; mebibytes: number }[];
  volumes: { name: string; state: string; gibibytes: number; server: string }[];
  hosts: { name: string; zone: string; servers: number }[];
  /** Memory of all processes but the servers', which have their own; pages that several share are counted once. */
  mebibytes: number;
}

/** Read from the databases and the kernel, so that it answers also when the APIs do not. */
export async function statusOf(container: Container): Promise<Status> {
  const [services, servers, volumes, used] = await Promise.all([
    supervised(container),
    rows(container, `select uuid, display_name, concat_ws(' ', vm_state, task_state), coalesce(host, ''),
      (select json_value(flavor, '$.cur.\\"nova_object.data\\".name') from nova.instance_extra where instance_uuid = uuid),
      (select coalesce(group_concat(ip_address separator ' '), '') from neutron.ports join neutron.ipallocations on port_id = id where device_id = uuid)
      from nova.instances where deleted = 0 order by display_name`),
    rows(container, `select coalesce(nullif(display_name, ''), id), status, size, coalesce((select group_concat(display_name)
      from cinder.volume_attachment join nova.instances on uuid = instance_uuid where volume_id = volumes.id and not volume_attachment.deleted), '')
      from cinder.volumes where not deleted order by display_name`),
    memory(container),
  ]);
  return {
    services,
    servers: servers.map(([id = "", name = "", state = "", host = "", flavor = "", addresses = ""]) => ({ name, state, host, flavor, addresses, mebibytes: used.get(id) ?? 0 })),
    volumes: volumes.map(([name = "", state = "", size, server = ""]) => ({ name, state, gibibytes: Number(size), server })),
    hosts: Object.entries(hosts).map(([name, zone]) => ({ name, zone, servers: servers.filter(([, , , host]) => host === name).length })),
    mebibytes: used.get("") ?? 0,
  };
}

/** MiB of the processes of each server, by its ID, and of all others: a server's are in a control group of its own. */
async function memory(container: Container): Promise<Map<string, number>> {
  const processes = "for each in /proc/[0-9]*; do echo process; cat $each/cgroup $each/smaps_rollup; done 2>/dev/null";
  const sums = `/^process/ { server = "" } /\\/devcloud-/ { split($0, part, "/"); server = part[3] } /^Pss:/ { kibibytes[server] += $2 } END { for (each in kibibytes) print each "=" int(kibibytes[each] / 1024) }`;
  const lines = (await run(container, `${processes} | awk '${sums}'`)).split("\n");
  return new Map(lines.map((line) => line.split("=")).map(([id = "", mebibytes]) => [id, Number(mebibytes)]));
}

/** What a query finds, nothing without a database. */
export async function rows(container: Container, query: string): Promise<string[][]> {
  const output = await run(container, `mariadb --defaults-file=/etc/devcloud/mariadb.cnf --skip-column-names --batch -e "${query}" || true`);
  return output.split("\n").filter(Boolean).map((line) => line.split("\t"));
}
