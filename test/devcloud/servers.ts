import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import execa from "execa";
import { Cloud, until } from "./cloud";

interface Named {
  id: string;
  name: string;
}

/** Of a network, made before the server that gets it. */
export interface Port {
  id: string;
  address: string;
}

/** Runs a command on a guest, as the image's user. Guests come and go at the same address: no host key is kept. */
export function sshTo(address: string, key: string, command: string): execa.ExecaChildProcess {
  const options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "ConnectTimeout=3", "LogLevel=ERROR"].flatMap((option) => ["-o", option]);
  return execa("ssh", ["-i", key, ...options, `debian@${address}`, command], { timeout: 120_000 });
}

/** Small servers that a test reaches by SSH, and their volumes. All of it is called by the test's name and goes with `remove`. */
export class Servers {
  readonly ids: Record<string, string> = {};
  readonly volumes: Record<string, string> = {};
  readonly addresses: Record<string, string> = {};
  private readonly ports: string[] = [];
  private readonly folder = mkdtempSync(join(tmpdir(), "servers-"));
  private readonly key = join(this.folder, "key");
  group = "";

  private constructor(readonly cloud: Cloud, private readonly test: string, private readonly cloudsYaml?: string) {}

  static async of(test: string, cloudsYaml?: string): Promise<Servers> {
    const servers = new Servers(await Cloud.connect("devcloud", cloudsYaml), test, cloudsYaml);
    await servers.letIn();
    return servers;
  }

  private async letIn(): Promise<void> {
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", this.key]);
    await this.cloud.post("compute", "/os-keypairs", { keypair: { name: this.test, public_key: readFileSync(`${this.key}.pub`, "utf8") } });
    const { security_group } = await this.cloud.post<{ security_group: Named }>("network", "/security-groups", { security_group: { name: this.test } });
    this.group = security_group.id;
    await this.open({ port_range_min: 22, port_range_max: 22 });
  }

  /** One more thing that is let in. */
  async open(rule: object): Promise<void> {
    await this.cloud.post("network", "/security-group-rules", {
      security_group_rule: { security_group_id: this.group, direction: "ingress", protocol: "tcp", ...rule },
    });
  }

  /** Returns when it answers SSH. `more` is added to what Nova is asked for; the first network is the one that it is reached by. */
  async create(name: string, more: object = {}, networks?: string[]): Promise<void> {
    const ports: Port[] = [];
    for (const network of networks ?? [await this.network()]) ports.push(await this.port(network));
    await this.boot(name, ports, ports[0]!.address, more);
  }

  async port(network: string): Promise<Port> {
    const { port } = await this.cloud.post<{ port: { id: string; fixed_ips: { ip_address: string }[] } }>("network", "/ports", {
      port: { network_id: network, security_groups: [this.group] },
    });
    this.ports.push(port.id);
    return { id: port.id, address: port.fixed_ips[0]!.ip_address };
  }

  async boot(name: string, ports: Port[], address: string, more: object = {}): Promise<void> {
    this.addresses[name] = address;
    const networks = ports.map(({ id }) => ({ port: id }));
    const server = { name, imageRef: await this.image(), flavorRef: await this.flavor("m1.tiny"), key_name: this.test, networks, ...more };
    this.ids[name] = (await this.cloud.post<{ server: Named }>("compute", "/servers", { server })).server.id;
    await until(`SSH on ${name}`, () => this.ssh(name, "hostname"));
    await this.settled(name, "ACTIVE");
  }

  administrator(): Promise<Cloud> {
    return Cloud.connect("devcloud-admin", this.cloudsYaml);
  }

  async network(): Promise<string> {
    return (await this.cloud.get<{ networks: Named[] }>("network", "/networks?name=private")).networks[0]!.id;
  }

  async image(name = "debian-12"): Promise<string> {
    return (await this.cloud.get<{ images: Named[] }>("image", `/images?name=${name}`)).images[0]!.id;
  }

  async flavor(name: string): Promise<string> {
    return (await this.cloud.get<{ flavors: Named[] }>("compute", "/flavors")).flavors.find((flavor) => flavor.name === name)!.id;
  }

  /** Gives a server a volume and returns the path of its disk in there. */
  async attach(name: string): Promise<string> {
    const { volume } = await this.cloud.post<{ volume: Named }>("block-storage", "/volumes", { volume: { name: this.test, size: 1 } });
    this.volumes[name] = volume.id;
    await this.volumeIs(name, "available");
    await this.cloud.post("compute", `/servers/${this.ids[name]}/os-volume_attachments`, { volumeAttachment: { volumeId: volume.id } });
    await this.volumeIs(name, "in-use");
    return `/dev/disk/by-id/virtio-${volume.id.slice(0, 20)}`;
  }

  start(name: string, command: string): execa.ExecaChildProcess {
    return sshTo(this.addresses[name]!, this.key, command);
  }

  async ssh(name: string, command: string): Promise<string> {
    return (await this.start(name, command)).stdout;
  }

  act(name: string, action: object): Promise<unknown> {
    return this.cloud.post("compute", `/servers/${this.ids[name]}/action`, action);
  }

  async status(name: string): Promise<string> {
    return (await this.cloud.get<{ server: { status: string } }>("compute", `/servers/${this.ids[name]}`)).server.status;
  }

  settled(name: string, wanted: string): Promise<boolean> {
    return until(`${name} to be ${wanted}`, async () => {
      const status = await this.status(name);
      if (status !== wanted) throw new Error(`it is ${status}`);
      return true;
    });
  }

  volumeIs(name: string, wanted: string): Promise<boolean> {
    return this.volumeStatus(this.volumes[name]!, wanted);
  }

  volumeStatus(id: string, wanted: string): Promise<boolean> {
    return until(`the volume to be ${wanted}`, async () =>
      (await this.cloud.get<{ volume: { status: string } }>("block-storage", `/volumes/${id}`)).volume.status === wanted);
  }

  /** The volume that a server boots from. */
  async rootVolume(name: string): Promise<string> {
    type Attachments = { volumeAttachments: { device: string; volumeId: string }[] };
    const { volumeAttachments } = await this.cloud.get<Attachments>("compute", `/servers/${this.ids[name]}/os-volume_attachments`);
    return volumeAttachments.find(({ device }) => device === "/dev/vda")!.volumeId;
  }

  async delete(...names: string[]): Promise<void> {
    const ids = names.map((name) => this.ids[name]!);
    for (const id of ids) await this.cloud.delete("compute", `/servers/${id}`);
    await until("the servers to go", async () => {
      const left = (await this.cloud.get<{ servers: Named[] }>("compute", "/servers")).servers.map(({ id }) => id);
      return !ids.some((id) => left.includes(id));
    });
    for (const name of names) delete this.ids[name];
  }

  async remove(): Promise<void> {
    rmSync(this.folder, { recursive: true, force: true });
    await this.delete(...Object.keys(this.ids));
    for (const [name, id] of Object.entries(this.volumes)) {
      await this.volumeIs(name, "available");
      await this.cloud.delete("block-storage", `/volumes/${id}`);
    }
    for (const id of this.ports) await this.cloud.delete("network", `/ports/${id}`);
    await this.cloud.delete("network", `/security-groups/${this.group}`);
    await this.cloud.delete("compute", `/os-keypairs/${this.test}`);
  }
}
