import { deepEqual, doesNotMatch, equal, match } from "node:assert/strict";
import { join } from "node:path";
import { accounts } from "../../../provider/datastores/redis/configuration";
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
    return this.askWith(this.password, name, ...command);
  }

  private async askWith(password: string, name: string, ...command: string[]): Promise<string> {
    return (await this.cluster.guest(name).look(`export REDISCLI_AUTH="$(cat)"; ${this.server.split("-")[0]}-cli --tls --cacert /etc/datastores/redis/ca.pem -h $(hostname -I | cut -d ' ' -f 1) ${command.join(" ")} 2>&1`, password)).trim();
  }

  /** Whether a member lets clients in with this password. */
  async letsIn(name: string, password: string): Promise<boolean> {
    const answer = await this.askWith(password, name, "PING");
    if (answer !== "PONG" && !answer.includes("WRONGPASS")) throw new Error(`${name} says ${answer}`);
    return answer === "PONG";
  }

  /** The next connections, the client's and our own, have another password. */
  changeOver(password: string): void {
    this.writing!.changeOver(password);
    this.password = password;
  }

  nodes = async (name: string): Promise<Node[]> => nodesOf(await this.ask(name, "CLUSTER", "NODES"));

  /** Waits until all members say the same of whose the slots are, all slots are served, and each replica follows. */
  protected override readonly settled = (): Promise<void> => until("all members to agree", async () => {
    const signatures = await Promise.all(this.cluster.names.map(async (name) => {
      const nodes = await this.nodes(name).catch(async (error) => {
        throw new Error(`${String(error)}; ${await this.cluster.guest(name).look(`systemctl status --no-pager -n 20 ${this.server} 2>&1 || true`)}`);
      });
      const [info, replication] = [await this.ask(name, "CLUSTER", "INFO"), await this.ask(name, "INFO", "replication")];
      match(info, /cluster_state:ok/, name);
      equal(nodes.length, this.cluster.names.length, name);
      doesNotMatch(replication, /master_link_status:down/, name);
      deepEqual(nodes.filter(({ flags }) => flags.some((flag) => flag.startsWith("fail"))), [], name);
      return signature(nodes);
    }));
    equal(new Set(signatures).size, 1);
    return true;
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

  /** Keys that stay as they are, so that moves have something to move. */
  async fill(keys: number): Promise<void> {
    const { cluster } = this.writing!;
    for (let at = 0; at < keys; at += 2000)
      await Promise.all(Array.from({ length: 2000 }, (_, index) => cluster.set(`filled:${at + index}`, "x".repeat(200))));
  }

  /** Keys a second of all moves so far that came to their end, as the members' journals tell. */
  async moved(): Promise<number> {
    const journals = await Promise.all(this.cluster.names.map((name) => this.cluster.guest(name).look("journalctl -q -o cat -u datastores-move | grep -E '^([0-9]+) of \\1 slots' || true")));
    const moves = journals.join("\n").split("\n").flatMap((line) => {
      const [, keys, rate] = /(\d+) keys, (\d+) a second/.exec(line) ?? [];
      return Number(rate) > 0 ? [{ keys: Number(keys), seconds: Number(keys) / Number(rate) }] : [];
    });
    const sum = (of: "keys" | "seconds") => moves.reduce((all, each) => all + each[of], 0);
    return sum("keys") / sum("seconds");
  }

  /** Keys a second when `redis-cli` moves so many slots from the primary of one shard to that of another. */
  async resharded(from: string, to: string, slots: number): Promise<number> {
    const primaries = await this.primaries();
    const [giver, taker] = [primaries[from]!, primaries[to]!];
    const id = async (name: string) => (await this.nodes(name)).find(isSelf)!.id;
    const { name: user, password } = accounts(await this.authority()).administrator;
    const script = `export REDISCLI_AUTH="$(cat)"
redis-cli --tls --cacert /etc/datastores/redis/ca.pem --user ${user} --cluster reshard ${this.cluster.address(giver)}:6379 --cluster-from ${await id(giver)} --cluster-to ${await id(taker)} --cluster-slots ${slots} --cluster-yes 2>&1 >/tmp/reshard || tail -n 5 /tmp/reshard`;
    const before = Number(await this.ask(giver, "DBSIZE"));
    const began = Date.now();
    equal(await this.cluster.guest(giver).look(script, password), "");
    const seconds = (Date.now() - began) / 1000;
    return (before - Number(await this.ask(giver, "DBSIZE"))) / seconds;
  }

  /** The cluster's authority with its key, of which members' passwords are made. */
  private async authority(): Promise<{ key: string }> {
    const { stdout } = await this.stack.pulumi(["stack", "export", "--show-secrets"]);
    const { deployment } = JSON.parse(stdout) as { deployment: { resources: { type: string; outputs?: { authority?: unknown } }[] } };
    const sealed = deployment.resources.find(({ outputs }) => outputs?.authority)!.outputs!.authority as { plaintext: string };
    return JSON.parse(sealed.plaintext) as { key: string };
  }

  /** What verifies the members now, which the client goes by from its next connection on. */
  async trust(): Promise<string> {
    const { caCertificate } = await this.outputs<{ caCertificate: string }>();
    this.writing!.trust(caCertificate);
    return caCertificate;
  }

  protected override async client(): Promise<Database> {
    return (this.writing = new Client(await this.outputs<Access>()));
  }

  protected override async lostOf(acknowledged: number[]): Promise<Lost[]> {
    return (await this.writing!.missing(acknowledged)).map((id) => ({ id }));
  }
}
