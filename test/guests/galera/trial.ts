import { deepEqual, equal } from "node:assert/strict";
import { join } from "node:path";
import { Trial, until, type Lost } from "../trial";
import type { Database } from "../writer";
import { Client } from "./client";

/** What a member says of the cluster, by the names of MariaDB's status variables. */
export type Wsrep = Record<string, string | undefined>;

/** The cluster `orders` of the program beside this file. */
export class GaleraTrial extends Trial {
  private writing: Client | undefined;

  constructor(suite: Mocha.Suite) {
    super(suite, { program: join(__dirname, "program"), cluster: "orders", model: join(__dirname, "compared") });
  }

  async wsrep(name: string): Promise<Wsrep> {
    return Object.fromEntries((await this.cluster.sql(name, "SHOW GLOBAL STATUS LIKE 'wsrep_%'")).split("\n").map((row) => row.split("\t")));
  }

  override told(name: string, text: string, unit = "-u mariadb"): Promise<number> {
    return super.told(name, text, unit);
  }

  /** One word for each start of each member's server. */
  async starts(names = this.cluster.names): Promise<Record<string, string>> {
    const started = async (name: string) => [name, await this.cluster.guest(name).look("systemctl show -P InvocationID mariadb")];
    return Object.fromEntries(await Promise.all(names.map(started))) as Record<string, string>;
  }

  /** What a member has for these variables. */
  settings(name: string, ...variables: string[]): Promise<string> {
    return this.cluster.sql(name, `SELECT ${variables.map((variable) => `@@GLOBAL.${variable}`).join(", ")}`);
  }

  /** The tablespace of each member: a full transfer makes another, and the writes that a member had missed do not. */
  async tablespaces(): Promise<Record<string, string>> {
    const stat = async (name: string) => [name, await this.cluster.guest(name).look("stat -c %i:%.9W /var/lib/datastore/mysql/ibdata1")];
    return Object.fromEntries(await Promise.all(this.cluster.names.map(stat))) as Record<string, string>;
  }

  /** The members that got all data anew since then. */
  async gotAllAnew(before: Record<string, string>): Promise<string[]> {
    const now = await this.tablespaces();
    return Object.keys(now).filter((name) => now[name] !== before[name]);
  }

  /** These are the members, each says itself that it is Synced, and all say the same. */
  async whole(names: string[]): Promise<void> {
    await this.again();
    deepEqual(this.cluster.names, names);
    await this.settled();
    const views = await Promise.all(names.map((name) => this.wsrep(name)));
    for (const { wsrep_cluster_size, wsrep_cluster_status, wsrep_local_state_comment } of views)
      deepEqual([wsrep_cluster_size, wsrep_cluster_status, wsrep_local_state_comment], [String(names.length), "Primary", "Synced"]);
    equal(new Set(views.map((view) => `${view.wsrep_cluster_state_uuid}/${view.wsrep_cluster_conf_id}`)).size, 1);
  }

  /** A member counts in the cluster's size before it is Synced, when it comes back by itself. */
  protected override readonly settled = (): Promise<void> => until("all members to be Synced", async () =>
    (await Promise.all(this.cluster.names.map((name) => this.wsrep(name)))).every(({ wsrep_local_state_comment }) => wsrep_local_state_comment === "Synced"));

  /** Whether a member lets clients in with this password. */
  async letsIn(name: string, password: string): Promise<boolean> {
    const answer = await this.cluster.guest(name).look(`mariadb --defaults-file=/dev/stdin --ssl-ca=/etc/mysql/datastore/ca.pem --ssl-verify-server-cert -N -B -h ${name} -e 'SELECT 1' 2>&1 || true`, `[client]\nuser=root\npassword="${password}"\n`);
    if (answer.trim() !== "1" && !answer.includes("Access denied")) throw new Error(`${name} says ${answer}`);
    return answer.trim() === "1";
  }

  /** The client's next connection has another password. */
  changeOver(password: string): void {
    this.writing!.changeOver(password);
  }

  /** The member that the client writes to. */
  get written(): string {
    const address = this.writing!.to.split(":")[0];
    return this.cluster.names.find((name) => this.cluster.address(name) === address)!;
  }

  /** What verifies the members now, which the client goes by from its next connection on. */
  async trust(): Promise<string> {
    const { caCertificate } = await this.outputs<{ caCertificate: string }>();
    this.writing!.trust(caCertificate);
    return caCertificate;
  }

  protected override async client(): Promise<Database> {
    const { endpoints, rootPassword: password, caCertificate } = await this.outputs<{ endpoints: string[]; rootPassword: string; caCertificate: string }>();
    return (this.writing = await Client.start({ endpoints, password, caCertificate }));
  }

  protected override async lostOf(acknowledged: number[]): Promise<Lost[]> {
    const each = await Promise.all(this.cluster.names.map(async (name) => {
      const ids = new Set((await this.cluster.sql(name, "SET SESSION wsrep_sync_wait=1; SELECT id FROM written.rows_")).split("\n").map(Number));
      return acknowledged.filter((id) => !ids.has(id)).map((id) => ({ id, on: name }));
    }));
    return each.flat();
  }
}
