import { deepEqual, equal, match, ok } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { powerCut, powerOn } from "../../../devcloud";
import { until } from "../trial";
import { named, type RedisTrial } from "./trial";

const three = named(3, 1);

/** What a cluster of three shards that was created is, and how it fares when servers fail and nobody changes it. */
export function qualities(trial: RedisTrial): void {
  it("speaks TLS alone, between members and to clients, and knows no client without the password", async () => {
    const { password, caCertificate } = await trial.outputs<{ password: string; caCertificate: string }>();
    for (const name of trial.cluster.names) {
      const guest = trial.cluster.guest(name);
      match(await guest.look(`openssl s_client -connect $(hostname):6379 -CAfile /etc/datastores/redis/ca.pem -verify_hostname $(hostname) </dev/null 2>&1; true`), /Verify return code: 0 \(ok\)/);
      match(await guest.look("(printf 'PING\\r\\n'; sleep 1) | timeout 3 nc -q1 127.0.0.1 6379 2>&1 | head -c 200 | cat -v || true"), /^(?!.*PONG)/);
      match(await guest.look("redis-cli --tls --cacert /etc/datastores/redis/ca.pem PING 2>&1 || true"), /NOAUTH/);
      equal((await guest.look("cat /etc/datastores/redis/ca.pem")).trim(), caCertificate.trim());
    }
    ok(password.length >= 16);
  });

  it("lets clients do all with their keys, and nothing to the cluster", async () => {
    for (const command of [["FLUSHALL"], ["CONFIG", "GET", "dir"], ["SHUTDOWN"], ["CLUSTER", "RESET"], ["CLUSTER", "FAILOVER", "TAKEOVER"], ["KEYS", "'*'"], ["ACL", "LIST"], ["DEBUG", "SLEEP", "0"], ["MODULE", "LIST"], ["REPLICAOF", "NO", "ONE"]])
      match(await trial.ask("sessions-1-1", ...command, "2>&1 || true"), /NOPERM|not allowed/, command.join(" "));
  });

  it("keeps what it was told on its disks: keys appended to each second, and who is in the cluster written through", async () => {
    for (const name of three) {
      match(await trial.ask(name, "INFO", "persistence"), /aof_enabled:1/);
      match(await trial.cluster.guest(name).look("xfs_io -r -c lsattr /var/lib/datastore/redis/cluster/nodes.conf"), /^-*s-*X? /);
    }
  });

  it("keeps no password and no key in plain text: not in the state, not on a guest's command lines or journal", async () => {
    const { stdout: state } = await trial.stack.pulumi(["stack", "export"]);
    const { password } = await trial.outputs<{ password: string }>();
    const key = readFileSync(trial.stack.keyFile, "utf8").split("\n")[2]!;
    for (const secret of [password, key]) ok(!state.includes(secret));
    const found = async (name: string, what: string) => Number(await trial.cluster.guest(name).look(
      "exec 3<&0; { journalctl -q -o cat; cat /proc/*/cmdline /proc/*/environ 2>/dev/null; } | grep -acF -f /dev/fd/3 || true", what));
    for (const name of three) {
      const masterauth = (await trial.cluster.guest(name).look("sed -n 's/^masterauth //p' /etc/datastores/redis/server.conf")).trim().replace(/"/g, "");
      ok(masterauth.length > 16);
      for (const secret of [password, key, masterauth]) equal(await found(name, secret), 0);
      ok(await found(name, "redis-server") > 0, "the search finds what is there");
      deepEqual((await trial.cluster.guest(name).look("stat -c '%a %U' /etc/datastores/redis/server.key /etc/datastores/redis/server.conf")).trim().split("\n"), ["600 redis", "600 redis"]);
    }
  });

  it("is told by `status` to be well, and what is wrong when a member stops", async () => {
    const well = await trial.cli("status");
    match(well.all!, /all well/);
    await trial.cluster.guest("sessions-3-2").look("systemctl stop redis-server");
    const ill = await trial.cli("status");
    equal(ill.exitCode, 1);
    match(ill.all!, /the server on sessions-3-2 is inactive/);
    await trial.cluster.guest("sessions-3-2").look("systemctl start redis-server");
    await trial.whole(three);
  });

  it("answers its administrator at a command line of ours, and says there what it does not do", async () => {
    match((await trial.cli("client", "sessions-1-1", "CLUSTER", "INFO")).stdout, /^cluster_state:ok/);
    const { exitCode, all } = await trial.cli("client", "sessions-1-1", "CLUSTER", "FORGET", "0".repeat(40));
    equal(exitCode, 2);
    match(all!, /CLUSTER FORGET on sessions-1-1: ERR Unknown node/);
  });

  it("comes back by itself with all that was acknowledged when a primary is killed", async () => {
    const old = (await trial.primaries())["1"]!;
    await trial.during("kill a primary", async () => {
      await trial.cluster.guest(old).look("systemctl kill -s KILL redis-server");
      await until(`${old} to be back`, async () => (await trial.nodes(old)).length === three.length);
    }, { patience: 3 });
    await trial.whole(three);
  });

  it("does not start a primary whose data volume was emptied, and its replica has taken over; its journal says why", async () => {
    const old = (await trial.primaries())["3"]!;
    const guest = trial.cluster.guest(old);
    await trial.during("empty a primary's volume", async () => {
      await guest.look("systemctl stop redis-server; mv /var/lib/datastore/redis /var/lib/datastore/aside; systemctl start redis-server");
      match(await guest.look("journalctl -q -o cat -u redis-server -n 20"), /not started: the data volume once held data and is empty now/);
      await until("its replica to take over", async () => (await trial.primariesBut(old))["3"] !== undefined);
    }, { patience: 3, whole: false, mayLose: 2 });
    await trial.refresh();
    match((await trial.previewed()).join("; "), new RegExp(`^clean ${old}; start ${old}; join ${old}; verify `));
    await trial.up();
    await trial.whole(three);
    await trial.nothingToDo();
  });

  it("comes back by itself with all that was acknowledged, but for the last second or two, when all lose power at once", async () => {
    await trial.during("power cut of all", async () => {
      await powerCut(three);
      await powerOn(three);
      await trial.again();
    }, { patience: 3, mayLose: 2 });
    await trial.whole(three);
    await trial.refresh();
    deepEqual(await trial.previewed(), []);
    await trial.nothingToDo();
  });
}
