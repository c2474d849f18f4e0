import { deepEqual } from "node:assert/strict";
import { join } from "node:path";
import { nodesOf, isSelf, signature, type Node } from "../../../provider/datastores/redis/nodes";
import { Trial, until, type Lost } from "../trial";
import type { Database } from "../writer";
import { Client, type Access } from "./client";

/** The names of so many shards, each with so many replicas. */
export const named = (shards: number, replicas: number): string[] =>
  Array.from({ length: shards }, (_, shard) => Array.from({ length: replicas + 1 }, (__, number) => `sessions-${shard + 1}-${number + 1}`)).flat();

/** The cluster `sessions` of the program beside this file. */
export class RedisTrial extends Trial {
  private writing: Client | undefined;
  private password: string | undefined;

  /** `server` is the package of the vendor's server, and its unit. */
  constructor(suite: Mocha.Suite, readonly server = "redis-server") {
    super(suite, { program: join(__dirname, "program"), cluster: "sessions", model: join(__dirname, "compared") });
  }

  /** What a member's own server answers a client. */
  async ask(name: string, ...command: string[]): Promise<string> {
    this.password ??= (await this.outputs<Access>()).password;
    return (await this.cluster.guest(name).look(`export REDISCLI_AUTH="$(cat)"; ${this.server.split("-")[0]}-cli --tls --cacert /etc/datastores/redis/ca.pem -h $(hostname -I | cut -d ' ' -f 1) ${command.join(" ")}`, this.password)).trim();
  }

  nodes = async (name: string): Promise<Node[]> => nodesOf(await this.ask(name, "CLUSTER", "NODES"));

  /** Waits until all members say the same of whose the slots are, all slots are served, and each replica follows. */
  protected override readonly settled = (): Promise<void> => until("all members to agree", async () => {
    const said = await Promise.all(this.cluster.names.map(async (name) => ({ nodes: await this.nodes(name), info: await this.ask(name, "CLUSTER", "INFO"), replication: await this.ask(name, "INFO", "replication") })));
    return said.every(({ info, replication, nodes }) => /cluster_state:ok/.test(info) && nodes.length === this.cluster.names.length && !/master_link_status:down/.test(replication) && !nodes.some(({ flags }) => flags.some((flag) => flag.startsWith("fail"))))
      && new Set(said.map(({ nodes }) => signature(nodes))).size === 1;
  });

  /** These are the members, they agree, and each shard has one primary. */
  async whole(names: string[]): Promise<void> {
    await this.again();
    deepEqual(this.cluster.names, names);
    await this.settled();
    const primaries = await this.primaries();
    deepEqual(Object.keys(primaries).sort(), [...new Set(names.map((name) => name.split("-")[1]!))].sort());
  }

  /** The primary of each shard, by its number. */
  primaries = (): Promise<Record<string, string>> => this.primariesOf(this.cluster.names);

  /** The same, while one member is away. */
  primariesBut = (away: string): Promise<Record<string, string>> => this.primariesOf(this.cluster.names.filter((name) => name !== away));

  /** Which life each member's server is in. */
  async starts(): Promise<Record<string, string>> {
    return Object.fromEntries(await Promise.all(this.cluster.names.map(async (name) =>
      [name, (await this.cluster.guest(name).look(`systemctl show -P InvocationID ${this.server}`)).trim()] as const)));
  }

  private async primariesOf(names: string[]): Promise<Record<string, string>> {
    const all = await Promise.all(names.map(async (name) => [name, (await this.nodes(name)).find(isSelf)!] as const));
    return Object.fromEntries(all.filter(([, { of, slots }]) => of === undefined && slots !== "").map(([name]) => [name.split("-")[1]!, name]));
  }

  protected override async client(): Promise<Database> {
    return (this.writing = new Client(await this.outputs<Access>()));
  }

  protected override async lostOf(acknowledged: number[]): Promise<Lost[]> {
    return (await this.writing!.missing(acknowledged)).map((id) => ({ id }));
  }
}
