import { type Container, exec, run } from "./container";
import { eventually } from "./eventually";
import { rows } from "./status";

/** A server as Nova knows it. */
interface Server {
  name: string;
  id: string;
  host: string;
  /** Nova's, with what Nova is about to do to it. */
  state: string;
}

export async function freeze(container: Container, names: string[]): Promise<void> {
  await tell(container, "freeze", await find(container, names));
}

export async function thaw(container: Container, names: string[]): Promise<void> {
  await tell(container, "thaw", await find(container, names));
}

/** All stand still before the first is lost: none sees another go. */
export async function powerCut(container: Container, names: string[]): Promise<void> {
  const servers = await find(container, names);
  await tell(container, "freeze", servers);
  await Promise.all(servers.map((server) => tell(container, "lose_power", [server])));
  await settled(container, names, "stopped");
}

export async function powerOn(container: Container, names: string[]): Promise<void> {
  const servers = await find(container, names);
  await exec(container, ["openstack", "--os-cloud", "devcloud-admin", "server", "start", ...servers.map(({ id }) => id)]);
  await settled(container, names, "active");
}

/** Takes all free room on the volume that a server has mounted on `point`; its writes then fail as on any full disk. */
export async function fillDisk(container: Container, name: string, point: string): Promise<void> {
  await tell(container, "fill", await find(container, [name]), `point=${point}`);
}

/** What servers that start from now on need to boot: seconds more, or for ever. */
export async function hinderBoots(container: Container, hindrance: number | "never"): Promise<void> {
  if (hindrance !== "never" && !(hindrance >= 0)) throw new Error(`a boot is hindered for seconds, or "never" ends: not ${hindrance}`);
  await run(container, hindrance === 0 ? "rm -f /run/hindrance" : `echo ${hindrance} >/run/hindrance`);
}

/** Nothing that `from` sends reaches `to` any more, within the networks that they share; what `to` sends still does. */
export async function cutNetwork(container: Container, from: string[], to: string[]): Promise<void> {
  await filter(container, "-I", from, to);
}

export async function mendNetwork(container: Container, from: string[], to: string[]): Promise<void> {
  await filter(container, "-D", from, to);
}

async function filter(container: Container, change: "-I" | "-D", from: string[], to: string[]): Promise<void> {
  const [sends, receives] = [await links(container, from), await links(container, to)];
  const rules = sends.flatMap(([each, network]) => receives.filter(([, other]) => other === network)
    .map(([other]) => `ebtables ${change} FORWARD -i ${each} -o ${other} -j DROP`));
  if (rules.length === 0) throw new Error(`${from.join(", ")} and ${to.join(", ")} share no network: between networks only a router could be cut`);
  await run(container, rules.join(" && "));
}

/** The ends of servers' links at their bridges, each with its network. */
async function links(container: Container, names: string[]): Promise<string[][]> {
  const ids = (await find(container, names)).map(({ id }) => `'${id}'`);
  return rows(container, `select concat('tap', left(id, 11)), network_id from neutron.ports where device_id in (${ids.join(",")})`);
}

/** Of the machine that a server has: host and ID, as in the folder's name. */
export async function machineOf(container: Container, name: string): Promise<string> {
  const [server] = await find(container, [name]);
  return `${server!.host}/${server!.id}`;
}

async function find(container: Container, names: string[]): Promise<Server[]> {
  const found = await rows(container, "select display_name, uuid, host, concat_ws(' ', vm_state, task_state) from nova.instances where deleted = 0");
  const servers = found.map(([name, id, host, state]) => ({ name, id, host, state }) as Server);
  return names.map((wanted) => {
    const [server, another] = servers.filter(({ name }) => name === wanted);
    if (!server || another) throw new Error(`${server ? "more than one" : "no"} server is called ${wanted}`);
    return server;
  });
}

async function settled(container: Container, names: string[], wanted: string): Promise<void> {
  await eventually(`${names.join(", ")} to be ${wanted}`, 120, async () =>
    (await find(container, names)).every(({ state }) => state === wanted) || undefined);
}

/** Tells the servers' machines, of which Nova hears nothing: one after another, each when the one before has done it. */
async function tell(container: Container, command: "freeze" | "thaw" | "lose_power" | "fill", servers: Server[], ...options: string[]): Promise<void> {
  const folders = servers.map(({ host, id }) => `/var/lib/devcloud/guests/${host}/${id}`);
  await exec(container, ["python3", "/opt/devcloud/hypervisor/monitor.py", command, ...folders, ...options]);
}
