import { match, deepEqual, equal, ok } from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import execa from "execa";
import { down, exec, up } from "../../devcloud";
import { engine } from "../../tools/engine";
import { members, type Members } from "../../demo/members";
import { stack, type Stack } from "../../demo/stack";

const folder = join(__dirname, "../../.demo/test");
const quiet = () => undefined;

/** One life of a cluster, through the real engine, plugin, OpenStack, SSH and MariaDB. The tests go on from one another. */
describe("a Galera cluster on real guests", function () {
  this.timeout("15m");
  this.bail(true);
  let galera: Stack;
  let cluster: Members;

  before(async function () {
    if (process.getuid?.() !== 0) {
      console.log("    skipped: guests need root");
      return this.skip();
    }
    rmSync(folder, { recursive: true, force: true });
    const tools = await engine(quiet);
    await up(quiet);
    galera = await stack(tools, join(__dirname, "program"), folder, "test");
    await galera.pulumi(["config", "set", "privateKeyFile", galera.keyFile]);
  });

  after(async () => {
    if (process.getuid?.() !== 0) return;
    cluster?.close();
    // Servers and volumes go with their cloud, also those of a cluster that a failed test left protected.
    await down(quiet);
    rmSync(folder, { recursive: true, force: true });
  });

  it("goes on after `kill -9` of the CLI in the middle of a join, without a second bootstrap", async () => {
    const run = galera.pulumi(["up", "--yes", "--skip-preview"], { reject: false, all: true });
    await new Promise<void>((resolve, reject) => {
      run.all!.on("data", (text: Buffer) => { if (/step \d+\/\d+ join orders-2/.test(String(text))) resolve(); });
      void run.on("exit", () => reject(new Error("`up` ended before the join")));
    });
    run.kill("SIGKILL");
    await run;
    await galera.pulumi(["cancel", "--yes"]);
    const { stdout } = await galera.pulumi(["up", "--yes", "--skip-preview"]);
    ok(!/step .* bootstrap/.test(stdout), stdout);
    cluster = await members(galera);
    const bootstraps = await Promise.all(cluster.names.map((name) =>
      cluster.guest(name).look("journalctl -q -o cat -u mariadb | grep -c 'wsrep-new-cluster' || true")));
    deepEqual(bootstraps.map((count) => Number(count) > 0), [true, false, false]);
  });

  it("has one authority on all members, that which the state knows, though the killed run took another with it", async () => {
    const { caCertificate } = JSON.parse((await galera.pulumi(["stack", "output", "--json"])).stdout) as { caCertificate: string };
    for (const name of cluster.names) {
      equal((await cluster.guest(name).look("cat /etc/mysql/datastore/ca.pem")).trim(), caCertificate.trim());
      // What the running server shows, not what lies beside it.
      match(await cluster.guest(name).look("cd /etc/mysql/datastore; openssl s_client -starttls mysql -connect 127.0.0.1:3306 -CAfile ca.pem </dev/null 2>&1; true"), /Verify return code: 0 \(ok\)/);
      match(await cluster.guest(name).look("cd /etc/mysql/datastore; openssl s_client -connect $(hostname):4567 -cert server.pem -key server.key -CAfile ca.pem </dev/null 2>&1; true"), /Verify return code: 0 \(ok\)/);
    }
  });

  it("makes one SSH connection to each guest in a run", async () => {
    // Those of the run that was killed, of the one that went on, and ours.
    for (const name of cluster.names)
      equal((await cluster.guest(name).look("journalctl -q -o cat -t sshd | grep -c '^Accepted publickey'")).trim(), "3", name);
  });

  it("is one Primary component whose members are all Synced", async () => {
    deepEqual(cluster.names, ["orders-1", "orders-2", "orders-3"]);
    const uuids = new Set<string>();
    for (const name of cluster.names) {
      const status = await wsrep(name);
      deepEqual([status.wsrep_cluster_size, status.wsrep_cluster_status, status.wsrep_local_state_comment], ["3", "Primary", "Synced"]);
      uuids.add(status.wsrep_cluster_state_uuid!);
    }
    equal(uuids.size, 1);
  });

  it("gives every row to every member", async () => {
    await cluster.sql("orders-1", "CREATE DATABASE shop; CREATE TABLE shop.rows (id INT AUTO_INCREMENT PRIMARY KEY, by_member TEXT)");
    for (const name of cluster.names) await cluster.sql(name, `INSERT INTO shop.rows (by_member) VALUES ('${name}')`);
    for (const name of cluster.names)
      equal(await cluster.sql(name, "SET wsrep_sync_wait=1; SELECT GROUP_CONCAT(by_member ORDER BY by_member) FROM shop.rows"), "orders-1,orders-2,orders-3");
  });

  it("speaks TLS between members and to clients, from the first start", async () => {
    match(await cluster.sql("orders-1", "SHOW VARIABLES LIKE 'wsrep_provider_options'"), /socket\.ssl = YES/);
    const transfers = await cluster.guest("orders-3").look("journalctl -q -o cat -u mariadb | grep -c \"MODE='VERIFY_CA', encrypt='3'\"");
    ok(Number(transfers) > 0);
    const { rootPassword } = await secrets();
    const login = (options: string) => cluster.guest("orders-1").look(
      `mariadb --defaults-file=/dev/stdin ${options} -N -B -h orders-3 -e "SHOW STATUS LIKE 'Ssl_cipher'" 2>&1 || true`,
      `[client]\nuser=root\npassword="${rootPassword}"\n`);
    match(await login("--ssl-ca=/etc/mysql/datastore/ca.pem --ssl-verify-server-cert"), /Ssl_cipher\tTLS_/);
    match(await login("--skip-ssl"), /Access denied/);
  });

  it("lets those in that an argument names, and nobody else", async () => {
    const script = (port: number) => ["timeout", "3", "bash", "-c", `exec 3<>/dev/tcp/$0/${port}`, cluster.address("orders-1")] as const;
    const fromHost = async (port: number) => (await execa(script(port)[0], script(port).slice(1), { reject: false })).exitCode;
    const fromGateway = async (port: number) => (await exec([...script(port)], { reject: false })).exitCode;
    deepEqual([await fromHost(22), await fromHost(3306), await fromHost(4567)], [0, 0, 124]);
    deepEqual([await fromGateway(22), await fromGateway(3306), await fromGateway(4567)], [0, 124, 124]);
  });

  it("is what was asked for: version, options, zones, flavors, hosts apart", async () => {
    for (const name of cluster.names) match(await cluster.sql(name, "SELECT VERSION(), @@max_connections"), /^10\.11\..*\t321$/);
    const { stdout } = await exec(["openstack", "--os-cloud", "devcloud-admin", "server", "list", "--all-projects", "--long", "-f", "json"]);
    const servers = (JSON.parse(stdout) as Record<string, string>[]).filter((server) => cluster.names.includes(server.Name!)).sort((a, b) => a.Name!.localeCompare(b.Name!));
    deepEqual(servers.map((server) => server["Availability Zone"]), ["az1", "az1", "az3"]);
    equal(new Set(servers.map((server) => server.Host)).size, 3);
    const ram = await Promise.all(servers.map(async ({ ID }) =>
      (await exec(["openstack", "--os-cloud", "devcloud-admin", "server", "show", ID!, "-f", "value", "-c", "flavor"])).stdout.split(" ")[0]));
    deepEqual(ram, ["m1.small", "m1.medium", "m1.small"]);
  });

  it("has nothing to do at a second `up`, nor after a refresh", async () => {
    await galera.pulumi(["preview", "--expect-no-changes"]);
    await galera.pulumi(["up", "--yes", "--skip-preview", "--expect-no-changes"]);
    await galera.pulumi(["refresh", "--yes", "--skip-preview"]);
    await galera.pulumi(["preview", "--expect-no-changes"]);
  });

  it("keeps no password and no key in plain text: not in the state, not on a guest's command lines or journal", async () => {
    const { stdout: state } = await galera.pulumi(["stack", "export"]);
    const { rootPassword } = await secrets();
    const key = readFileSync(galera.keyFile, "utf8").split("\n")[2]!;
    for (const secret of [rootPassword, key]) ok(!state.includes(secret));
    ok(!/BEGIN (EC |OPENSSH )?PRIVATE KEY/.test(state));
    for (const name of cluster.names)
      equal(await cluster.guest(name).look("{ journalctl -q -o cat; cat /proc/*/cmdline; } | grep -acF -f /dev/stdin || true", rootPassword), "0\n");
  });

  it("refuses by name what it cannot do yet, before anything is touched", async () => {
    await galera.pulumi(["config", "set", "members", "5"]);
    const { exitCode, stdout } = await galera.pulumi(["preview"], { reject: false });
    await galera.pulumi(["config", "rm", "members"]);
    ok(exitCode !== 0);
    match(stdout, /growing from 3 to 5 cannot be done by this version/);
  });

  it("comes back by itself when a member reboots", async () => {
    await cluster.guest("orders-2").look("systemctl reboot --no-block").catch(quiet);
    await until("orders-2 to leave", async () => (await wsrep("orders-1")).wsrep_cluster_size === "2");
    await until("orders-2 to be back", async () => (await wsrep("orders-1")).wsrep_cluster_size === "3");
    cluster.close();
    cluster = await members(galera);
    await until("orders-2 to be Synced", async () => (await wsrep("orders-2")).wsrep_local_state_comment === "Synced");
  });

  it("does not start a member whose data volume was emptied, and its journal says why", async () => {
    const guest = cluster.guest("orders-3");
    await guest.look("systemctl stop mariadb; mv /var/lib/datastore/mysql /var/lib/datastore/aside; systemctl start mariadb");
    match(await guest.look("journalctl -q -o cat -u mariadb -n 20"), /not started: the data volume once held data and is empty now/);
    await guest.look("mv /var/lib/datastore/aside /var/lib/datastore/mysql; systemctl start mariadb");
    await until("orders-3 to be back", async () => (await wsrep("orders-1")).wsrep_cluster_size === "3");
  });

  it("cannot be destroyed while it is protected; to end that needs no guest", async () => {
    const protectedStill = await galera.pulumi(["destroy", "--yes", "--skip-preview"], { reject: false, all: true });
    ok(protectedStill.exitCode !== 0);
    match(protectedStill.all!, /set deletionProtection to false, run `pulumi up`, then destroy/);
    deepEqual((await galera.pulumi(["preview", "--expect-no-changes"])).exitCode, 0);
    for (const name of cluster.names) {
      const { wsrep_cluster_size, wsrep_cluster_status } = await wsrep(name);
      deepEqual([wsrep_cluster_size, wsrep_cluster_status], ["3", "Primary"], name);
    }
    await galera.pulumi(["config", "set", "deletionProtection", "false"]);
    const { stdout } = await galera.pulumi(["up", "--yes", "--skip-preview"]);
    ok(!/\[orders.*(step|lease|SSH)/.test(stdout), stdout);
  });

  it("leaves nothing in the cloud when it is destroyed", async () => {
    await galera.pulumi(["destroy", "--yes", "--skip-preview"]);
    for (const kind of ["server", "port", "volume", "keypair", "server group"]) {
      const { stdout } = await exec(["openstack", "--os-cloud", "devcloud", ...kind.split(" "), "list", "-f", "value"]);
      equal(stdout.split("\n").filter((line) => line.includes("orders")).join("\n"), "", kind);
    }
  });

  const wsrep = async (name: string): Promise<Record<string, string | undefined>> =>
    Object.fromEntries((await cluster.sql(name, "SHOW GLOBAL STATUS LIKE 'wsrep_%'")).split("\n").map((row) => row.split("\t")));

  const secrets = async () =>
    JSON.parse((await galera.pulumi(["stack", "output", "--json", "--show-secrets"])).stdout) as { rootPassword: string };
});

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 120_000; Date.now() < end; await sleep(250))
    if (await holds().catch(() => false)) return;
  throw new Error(`waited 120 s for ${what}`);
}
