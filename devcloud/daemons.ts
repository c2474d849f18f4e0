import type { Place } from "./network";

/** A program that the supervisor keeps running. */
export interface Daemon {
  name: string;
  command: string;
  /** In the supervisor's notation: KEY="value",… */
  environment?: string;
  /** What must be ready before this is started: names of daemons and jobs. */
  needs: string[];
  /** A shell command that ends when it serves: it waits by itself, for polling from outside would cost more than the daemons. */
  ready?: string;
}

/** A command that runs to its end before what needs it. */
export interface Job {
  name: string;
  run: string;
  needs: string[];
  /** Its result is in the state folder, so a devcloud that was complete and comes back skips it. */
  once?: boolean;
}

/** The compute hosts and their zones. */
export const hosts: Record<string, string> = { host1: "az1", host2: "az1", host3: "az2", host4: "az2", host5: "az3" };

const etc = "/etc/devcloud";
const service = (program: string, ...files: string[]) =>
  [program, ...files.map((file) => `--config-file ${etc}/${file}`)].join(" ");
const agents = { l3: "neutron.cmd.eventlet.agents.l3", linuxbridge: "neutron.cmd.eventlet.plugins.linuxbridge_neutron_agent" };
const agent = (name: keyof typeof agents, ...files: string[]) => service(`/opt/devcloud/hypervisor/neutron-agent ${agents[name]}`, ...files);
const port = (address: string, number: number) => `until exec 3<>/dev/tcp/${address}/${number}; do sleep 0.2; done 2>/dev/null`;
const sql = (query: string) => `mariadb --defaults-file=${etc}/mariadb.cnf --delimiter=// -e "${query}"`;

/** Waits in the database for a row: a client that asks again and again would cost more. */
const appears = (table: string, condition: string) =>
  sql(`begin not atomic while not exists(select 1 from ${table} where ${condition}) do do sleep(0.3); end while; end`);

/** Written since the database was started: older rows say nothing about this run. */
const recent = (column: string) =>
  `${column} > utc_timestamp() - interval (select variable_value from information_schema.global_status where variable_name = 'uptime') second`;

const reported = (database: string, condition: string) =>
  appears(`${database}.services`, `${condition} and ${recent("greatest(created_at, coalesce(updated_at, 0))")}`);

/** Each connection is closed after its answer and said to be, else clients that keep connections fail at random. */
const wsgi = (address: string, number: number, file: string, threads: number) =>
  `uwsgi --http-socket ${address}:${number} --plugins python3 --enable-threads ` +
  `--die-on-term --no-orphans --buffer-size 65535 --need-app --processes 1 --threads ${threads} ` +
  `--add-header "Connection: close" --disable-logging --wsgi-file ${file}`;

const seed = (part: string) => `python3 /opt/devcloud/openstack/seed.py ${part}`;

export const database: Daemon = {
  name: "mariadb",
  command: `mariadbd --defaults-file=${etc}/mariadb.cnf`,
  needs: [],
  ready: `until ${sql("select 1")}; do sleep 0.2; done 2>/dev/null`,
};

/** The control plane. Nova's conductor and scheduler die without their user; a compute without a conductor sleeps a minute. */
export function daemonsAt({ inside, api, gateway }: Place): Daemon[] {
  // A worker that outlives its killed parent for a moment takes a connection and answers nothing.
  const answers = (number: number) => `${port(inside, number)}; until curl -s -o /dev/null ${api}:${number}/; do sleep 0.5; done`;
  return [
    database,
    { name: "memcached", command: "memcached -u root -l 127.0.0.1 -p 11211 -U 0 -m 64", needs: [], ready: port("127.0.0.1", 11211) },
    {
      name: "rabbitmq",
      command: "/usr/lib/rabbitmq/bin/rabbitmq-server",
      environment:
        `HOME="/var/lib/rabbitmq",RABBITMQ_CONF_ENV_FILE="/dev/null",RABBITMQ_CONFIG_FILE="${etc}/rabbitmq.conf",` +
        'RABBITMQ_NODENAME="devcloud@localhost",RABBITMQ_DIST_PORT="25672",ERL_EPMD_ADDRESS="127.0.0.1",' +
        'RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +S 2:2"',
      needs: [],
      ready: port("127.0.0.1", 5672),
    },
    {
      name: "package-cache",
      command: `nsenter --net=/run/host-network apt-cacher-ng -c ${etc}/package-cache`,
      needs: [],
    },
    {
      name: "keystone",
      command: wsgi(inside, 5000, "/usr/bin/keystone-wsgi-public", 8),
      environment: `OS_KEYSTONE_CONFIG_FILES="${etc}/keystone.conf"`,
      needs: ["mariadb", "memcached"],
      ready: answers(5000),
    },
    {
      name: "placement",
      command: wsgi(inside, 8778, "/usr/bin/placement-api", 4),
      environment: `OS_PLACEMENT_CONFIG_DIR="${etc}"`,
      needs: ["mariadb"],
      ready: answers(8778),
    },
    { name: "glance", command: service("glance-api", "glance-api.conf"), needs: ["mariadb"], ready: answers(9292) },
    {
      name: "neutron",
      command: service("neutron-server", "neutron.conf", "ml2.ini"),
      needs: ["mariadb", "rabbitmq"],
      ready: answers(9696),
    },
    {
      name: "linuxbridge-agent",
      command: agent("linuxbridge", "neutron.conf", "linuxbridge.ini"),
      environment: 'PATH="/opt/devcloud/hypervisor/bin:/usr/sbin:/usr/bin:/sbin:/bin"',
      needs: ["neutron"],
      ready: appears("neutron.agents", `agent_type = 'Linux bridge agent' and ${recent("heartbeat_timestamp")}`),
    },
    {
      name: "l3-agent",
      command: agent("l3", "neutron.conf", "l3.ini"),
      needs: ["neutron"],
      ready: appears("neutron.agents", `agent_type = 'L3 agent' and ${recent("heartbeat_timestamp")}`),
    },
    {
      name: "nova-conductor",
      command: service("nova-conductor", "nova.conf"),
      needs: ["users", "rabbitmq"],
      ready: reported("nova", "services.binary = 'nova-conductor'"),
    },
    { name: "nova-scheduler", command: service("nova-scheduler", "nova.conf"), needs: ["users", "rabbitmq"] },
    { name: "nova-api", command: service("/opt/devcloud/hypervisor/nova-api", "nova.conf"), needs: ["mariadb", "rabbitmq"], ready: answers(8774) },
    {
      name: "nova-compute",
      command: `${service("/opt/devcloud/hypervisor/nova-compute", "nova.conf")} -- ${Object.keys(hosts).map((host) => `${etc}/${host}.conf`).join(" ")}`,
      needs: ["nova-conductor", "placement"],
      // A server can be put on a host that placement has and that the scheduler, which looks every two seconds, has seen.
      ready: Object.keys(hosts).flatMap((host) => [
        reported("nova", `services.binary = 'nova-compute' and host = '${host}'`),
        appears("placement.resource_providers", `name = '${host}'`),
        appears("nova_api.host_mappings", `host = '${host}'`),
      ]).join(" && "),
    },
    {
      name: "cinder-api",
      command: `${wsgi(inside, 8776, "/usr/bin/cinder-wsgi", 8)} --pyargv "--config-file ${etc}/cinder.conf"`,
      needs: ["mariadb", "rabbitmq"],
      ready: answers(8776),
    },
    { name: "cinder-scheduler", command: service("cinder-scheduler", "cinder.conf"), needs: ["mariadb", "rabbitmq"] },
    {
      name: "cinder-volume",
      command: service("/opt/devcloud/hypervisor/cinder-volume", "cinder.conf"),
      needs: ["mariadb", "rabbitmq"],
      ready: reported("cinder", "services.binary = 'cinder-volume'"),
    },
    {
      name: "dns",
      // Knows servers, and answers at once that it knows no other name: a guest that waits for its resolver needs minutes to join a database.
      command: `dnsmasq --keep-in-foreground --conf-file=/dev/null --no-hosts --no-resolv --address=/#/ --hostsdir=/run/names --domain=devcloud.internal --expand-hosts --bind-interfaces --listen-address=${gateway}`,
      needs: ["gateway"],
    },
  ];
}

/** Shell scripts beside the templates, and what the SDK does with their result. */
export const jobsAt = ({ api }: Place): Job[] => [
  { name: "identity", run: `bash /opt/devcloud/openstack/identity.sh ${api}:5000/v3/`, needs: ["mariadb"], once: true },
  { name: "users", run: seed("users"), needs: ["keystone", "identity"], once: true },
  { name: "cloud", run: seed("cloud"), needs: ["users", "nova-api", "glance", "neutron", "cinder-api"], once: true },
  { name: "zones", run: seed("zones"), needs: ["nova-api", "nova-compute"], once: true },
  { name: "pools", run: seed("pools"), needs: ["users", "cinder-api", "cinder-scheduler", "cinder-volume"] },
  { name: "gateway", run: "bash /opt/devcloud/container/gateway.sh", needs: ["cloud"] },
];
