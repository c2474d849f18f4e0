import { deepEqual, equal, match, ok } from "node:assert/strict";
import { readFileSync } from "node:fs";
import execa from "execa";
import { exec, powerCut, powerOn } from "../../../devcloud";
import { needsRestart } from "../../../provider/datastores/galera/live";
import { until } from "../trial";
import type { GaleraTrial } from "./trial";

const quiet = () => undefined;

/** What a cluster of three that was created is, and how it fares when servers fail and nobody changes it. */
export function qualities(trial: GaleraTrial): void {
  it("has one authority on all members, that which the state knows, though a killed run may have taken another with it", async () => {
    const { caCertificate } = await trial.outputs<{ caCertificate: string }>();
    for (const name of trial.cluster.names) {
      equal((await trial.cluster.guest(name).look("cat /etc/mysql/datastore/ca.pem")).trim(), caCertificate.trim());
      // What the running server shows, not what lies beside it.
      match(await trial.cluster.guest(name).look("cd /etc/mysql/datastore; openssl s_client -starttls mysql -connect 127.0.0.1:3306 -CAfile ca.pem </dev/null 2>&1; true"), /Verify return code: 0 \(ok\)/);
      match(await trial.cluster.guest(name).look("cd /etc/mysql/datastore; openssl s_client -connect $(hostname):4567 -cert server.pem -key server.key -CAfile ca.pem </dev/null 2>&1; true"), /Verify return code: 0 \(ok\)/);
    }
  });

  it("is one Primary component whose members are all Synced", async () => {
    deepEqual(trial.cluster.names, ["orders-1", "orders-2", "orders-3"]);
    const uuids = new Set<string>();
    for (const name of trial.cluster.names) {
      const status = await trial.wsrep(name);
      deepEqual([status.wsrep_cluster_size, status.wsrep_cluster_status, status.wsrep_local_state_comment], ["3", "Primary", "Synced"]);
      uuids.add(status.wsrep_cluster_state_uuid!);
    }
    equal(uuids.size, 1);
  });

  it("gives every row to every member", async () => {
    await trial.cluster.sql("orders-1", "CREATE DATABASE shop; CREATE TABLE shop.rows (id INT AUTO_INCREMENT PRIMARY KEY, by_member TEXT)");
    for (const name of trial.cluster.names) await trial.cluster.sql(name, `INSERT INTO shop.rows (by_member) VALUES ('${name}')`);
    for (const name of trial.cluster.names)
      equal(await trial.cluster.sql(name, "SET wsrep_sync_wait=1; SELECT GROUP_CONCAT(by_member ORDER BY by_member) FROM shop.rows"), "orders-1,orders-2,orders-3");
  });

  it("answers its administrator at a command line of ours, and says there what it does not understand", async () => {
    match((await trial.cli("client", "orders-2", "SELECT @@hostname AS name")).stdout, /^\+-+\+\n\| name +\|\n\+-+\+\n\| orders-2 +\|\n\+-+\+$/);
    const { exitCode, all } = await trial.cli("client", "orders-2", "SELECT");
    equal(exitCode, 2);
    match(all!, /ERROR 1064 \(42000\) at line 1/);
  });

  it("speaks TLS between members and to clients, from the first start", async () => {
    match(await trial.cluster.sql("orders-1", "SHOW VARIABLES LIKE 'wsrep_provider_options'"), /socket\.ssl = YES/);
    const transfers = await trial.cluster.guest("orders-3").look("journalctl -q -o cat -u mariadb | grep -c \"MODE='VERIFY_CA', encrypt='3'\"");
    ok(Number(transfers) > 0);
    const { rootPassword } = await trial.outputs<{ rootPassword: string }>();
    const login = (options: string) => trial.cluster.guest("orders-1").look(
      `mariadb --defaults-file=/dev/stdin ${options} -N -B -h orders-3 -e "SHOW STATUS LIKE 'Ssl_cipher'" 2>&1 || true`,
      `[client]\nuser=root\npassword="${rootPassword}"\n`);
    match(await login("--ssl-ca=/etc/mysql/datastore/ca.pem --ssl-verify-server-cert"), /Ssl_cipher\tTLS_/);
    match(await login("--skip-ssl"), /Access denied/);
  });

  it("lets those in that an argument names, and nobody else", async () => {
    const script = (port: number) => ["timeout", "3", "bash", "-c", `exec 3<>/dev/tcp/$0/${port}`, trial.cluster.address("orders-1")] as const;
    const fromHost = async (port: number) => (await execa(script(port)[0], script(port).slice(1), { reject: false })).exitCode;
    const fromGateway = async (port: number) => (await exec([...script(port)], { reject: false })).exitCode;
    deepEqual([await fromHost(22), await fromHost(3306), await fromHost(4567)], [0, 0, 124]);
    deepEqual([await fromGateway(22), await fromGateway(3306), await fromGateway(4567)], [0, 124, 124]);
  });

  it("is what was asked for: version, options, zones, flavors, hosts apart", async () => {
    for (const name of trial.cluster.names) match(await trial.cluster.sql(name, "SELECT VERSION(), @@max_connections"), /^10\.11\..*\t321$/);
    const { stdout } = await exec(["openstack", "--os-cloud", "devcloud-admin", "server", "list", "--all-projects", "--long", "-f", "json"]);
    const servers = (JSON.parse(stdout) as Record<string, string>[]).filter((server) => trial.cluster.names.includes(server.Name!)).sort((a, b) => a.Name!.localeCompare(b.Name!));
    deepEqual(servers.map((server) => server["Availability Zone"]), ["az1", "az3", "az2"]);
    equal(new Set(servers.map((server) => server.Host)).size, 3);
    const ram = await Promise.all(servers.map(async ({ ID }) =>
      (await exec(["openstack", "--os-cloud", "devcloud-admin", "server", "show", ID!, "-f", "value", "-c", "flavor"])).stdout.split(" ")[0]));
    deepEqual(ram, ["m1.small", "m1.medium", "m1.small"]);
  });

  it("takes nothing for live that MariaDB says it takes only when it starts", async () => {
    const rows = await trial.cluster.sql("orders-1", "SELECT LOWER(VARIABLE_NAME) FROM information_schema.SYSTEM_VARIABLES WHERE READ_ONLY = 'YES'");
    const fixed = rows.split("\n");
    ok(fixed.length > 100);
    deepEqual(fixed.filter((name) => !needsRestart(name)), []);
  });

  it("has nothing to do at a second `up`, nor after a refresh", async () => {
    await trial.nothingToDo();
    await trial.stack.pulumi(["up", "--yes", "--skip-preview", "--expect-no-changes"]);
    await trial.refresh();
    await trial.nothingToDo();
  });

  it("keeps no password and no key in plain text: not in the state, not on a guest's command lines or journal", async () => {
    const { stdout: state } = await trial.stack.pulumi(["stack", "export"]);
    const { rootPassword } = await trial.outputs<{ rootPassword: string }>();
    const key = readFileSync(trial.stack.keyFile, "utf8").split("\n")[2]!;
    for (const secret of [rootPassword, key]) ok(!state.includes(secret));
    ok(!/BEGIN (EC |OPENSSH )?PRIVATE KEY/.test(state));
    const found = async (name: string, what: string) => Number(await trial.cluster.guest(name).look(
      "exec 3<&0; { journalctl -q -o cat; cat /proc/*/cmdline /proc/*/environ 2>/dev/null; } | grep -acF -f /dev/fd/3 || true", what));
    for (const name of trial.cluster.names) {
      for (const secret of [rootPassword, key, "PRIVATE KEY-----"]) equal(await found(name, secret), 0);
      ok(await found(name, "mariadbd") > 0, "the search finds what is there");
      deepEqual((await trial.cluster.guest(name).look("stat -c '%a %U' /etc/mysql/datastore/server.key /etc/mysql/mariadb.conf.d/99-datastore.cnf")).trim().split("\n"), ["600 mysql", "640 root"]);
    }
  });

  it("refuses a number of members that bears no failure, at preview, and says what would be lost", async () => {
    await trial.want({ members: 2 });
    const refusal = await trial.refused(["preview"]);
    await trial.want({ members: 3 });
    match(refusal, /members must be odd and at least 3; it is 2, so when one fails the other stops too/);
  });

  it("comes back by itself when a member reboots", async () => {
    await trial.cluster.guest("orders-2").look("systemctl reboot --no-block").catch(quiet);
    await until("orders-2 to leave", async () => (await trial.wsrep("orders-1")).wsrep_cluster_size === "2");
    await until("orders-2 to be back", async () => (await trial.wsrep("orders-1")).wsrep_cluster_size === "3");
    await trial.again();
    await until("orders-2 to be Synced", async () => (await trial.wsrep("orders-2")).wsrep_local_state_comment === "Synced");
  });

  it("does not start a member whose data volume was emptied; its journal says why, and the preview after a refresh refuses", async () => {
    const guest = trial.cluster.guest("orders-3");
    await guest.look("systemctl stop mariadb; mv /var/lib/datastore/mysql /var/lib/datastore/aside; systemctl start mariadb");
    match(await guest.look("journalctl -q -o cat -u mariadb -n 20"), /not started: the data volume once held data and is empty now/);
    await trial.refresh();
    match(await trial.refused(["preview"]), /refused: a member whose data vanished neither starts a cluster nor joins one.*orders-3 is down without data, but once had some/);
    await guest.look("mv /var/lib/datastore/aside /var/lib/datastore/mysql; systemctl start mariadb");
    await until("orders-3 to be back", async () => (await trial.wsrep("orders-1")).wsrep_cluster_size === "3");
    await trial.refresh();
    await trial.nothingToDo();
  });

  it("loses no acknowledged row when the member that is written to loses power, and comes back by itself", async () => {
    const written = trial.written;
    const other = ["orders-1", "orders-2"].find((name) => name !== written)!;
    await trial.during("power cut of the written member", async () => {
      await powerCut([written]);
      await until(`${written} to be out`, async () => (await trial.wsrep(other)).wsrep_cluster_size === "2");
      await powerOn([written]);
      await until(`${written} to be back`, async () => (await trial.wsrep(other)).wsrep_cluster_size === "3");
    }, { patience: 3 });
    await trial.whole(["orders-1", "orders-2", "orders-3"]);
  });

  it("loses no acknowledged row when all lose power at once, and forms again by itself", async () => {
    await trial.during("power cut of all", async () => {
      await powerCut(["orders-1", "orders-2", "orders-3"]);
      await powerOn(["orders-1", "orders-2", "orders-3"]);
      await trial.again();
      await trial.refresh();
      deepEqual(await trial.previewed(), []);
    }, { patience: 3 });
    await trial.whole(["orders-1", "orders-2", "orders-3"]);
    await trial.nothingToDo();
  });

  it("cannot be destroyed while it is protected; to end that needs no guest", async () => {
    match(await trial.refused(["destroy", "--yes", "--skip-preview"]), /set deletionProtection to false, run `pulumi up`, then destroy/);
    await trial.nothingToDo();
    for (const name of trial.cluster.names) {
      const { wsrep_cluster_size, wsrep_cluster_status } = await trial.wsrep(name);
      deepEqual([wsrep_cluster_size, wsrep_cluster_status], ["3", "Primary"], name);
    }
    await trial.want({ deletionProtection: false });
    const { stdout } = await trial.up();
    ok(!/\[orders.*(step|lease|SSH)/.test(stdout), stdout);
    await trial.want({ deletionProtection: true });
    await trial.up();
  });
}
