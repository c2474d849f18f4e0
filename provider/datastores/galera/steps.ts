import { Refused } from "../../errors";
import { isLeaf, newLeaf } from "../../certificates";
import { eventually } from "../../guest/eventually";
import type { Guest } from "../../guest/guest";
import { installPackages, installedVersion } from "../../guest/packages";
import { assignments, sh } from "../../guest/shell";
import { guardUnit, mark, mountPoint, mountVolume } from "../../guest/volume";
import type { Member } from "../../topology";
import { names } from "../../topology";
import type { Cluster } from "../datastore";
import { certificates, dataDirectory, hostsText, isVersion, neverStarted, optionsFile, optionsText, packages } from "./configuration";
import type { Options } from "./options";
import { inCluster, type Do } from "./plan";
import { administrators, execute, isStarting, wsrep } from "./sql";

type Galera = Cluster<Options>;
type Step = (cluster: Galera, member: Member) => Promise<void>;

const data = `${mountPoint}/${dataDirectory}`;
/** Seconds for a state transfer without end in sight. The gate fails at once when the server gives up. */
const transferSeconds = 4 * 3600;
/** Seconds for what transfers nothing. */
const startSeconds = 300;

/** The guard comes before the package, whose own start of the server it skips. Debian's socket units would hold port 3306. */
const install: Step = async ({ guest: reach, want }, { name }) => {
  const guest = await reach(name);
  await guardUnit(guest, "mariadb.service", optionsFile, dataDirectory);
  await guest.run("systemctl mask --quiet mariadb.socket mariadb-extra.socket");
  await installPackages(guest, packages);
  const version = (await guest.look(installedVersion("mariadb-server"))).trim();
  if (!isVersion(want.options, version))
    throw new Refused("the wanted version is installed or nothing", `${name}'s package sources offer MariaDB ${version}, wanted ${want.options.version}`,
      "leave `version` out, or take an image whose package sources have that version");
};

const mount: Step = async ({ guest: reach, want }, member) => mountVolume(await reach(member.name), want.owner, member);

/**
 * The options file is written last: seen as wanted, it says that all else is there too. A server that runs takes
 * new certificates at once, so that members agree again whose they trust.
 */
const configure: Step = async ({ guest: reach, want, authority }, member) => {
  const guest = await reach(member.name);
  await eventually("a start that is under way to end", { seconds: transferSeconds, say: guest.say }, async () =>
    (await isStarting(guest)) ? "MariaDB is starting" : true);
  await guest.run(sh`mkdir -p ${certificates} /etc/cloud/cloud.cfg.d`);
  const present = await guest.look(sh`cat ${certificates}/server.pem 2>/dev/null || true`);
  if (!(await isLeaf(present, authority, member.name, member.address))) {
    const leaf = await newLeaf(authority, member.name, member.address);
    await guest.write(`${certificates}/server.key`, leaf.key, { mode: "600", owner: "mysql:mysql" });
    await guest.write(`${certificates}/server.pem`, leaf.certificate);
  }
  const renewed = await guest.write(`${certificates}/ca.pem`, authority.certificate);
  await guest.write("/etc/cloud/cloud.cfg.d/99-datastore.cfg", "manage_etc_hosts: false\n");
  await guest.write("/etc/hosts", hostsText(want));
  const changed = await guest.write(optionsFile, optionsText(want, member));
  if (!(await wsrep(guest))) return;
  if (renewed) await execute(guest, "FLUSH SSL; SET GLOBAL wsrep_provider_options = 'socket.ssl_reload=1';");
  if (changed) guest.say("MariaDB runs with its old options until its next start");
};

/**
 * Starts a new cluster from one member. That it does so is told to the running systemd only, by a transient
 * unit that a lost connection does not cut, and is written nowhere: no later boot can bootstrap again.
 */
const bootstrap: Step = async (cluster, member) => {
  const guest = await cluster.guest(member.name);
  for (const name of names(cluster.want)) {
    const state = (await (await cluster.guest(name)).look("systemctl is-active mariadb || true")).trim();
    if (!["inactive", "failed"].includes(state))
      throw new Refused("no cluster is bootstrapped while a member is up", `MariaDB on ${name} is ${state}`, "run `pulumi up` again: it plans from what it then sees");
  }
  // Made aside and moved in one go: a data directory is whole or absent.
  await guest.run(sh`
if [ ! -e ${data} ]; then
  rm -rf ${data}.new
  mariadb-install-db --no-defaults --user=mysql --datadir=${data}.new --skip-test-db --auth-root-authentication-method=socket --auth-root-socket-user=root >/dev/null
  touch ${data}.new/${neverStarted}; sync -f ${data}.new; mv -T ${data}.new ${data}
fi
[ ! -s ${data}/grastate.dat ] || sed -i 's/^safe_to_bootstrap: 0/safe_to_bootstrap: 1/' ${data}/grastate.dat
systemctl enable --quiet mariadb
systemctl reset-failed mariadb datastores-bootstrap 2>/dev/null || true
timeout ${startSeconds} systemd-run --quiet --collect --wait --unit=datastores-bootstrap galera_new_cluster || true`);
  await gate(cluster, [member.name], guest, startSeconds);
};

const secure: Step = async (cluster, { name }) => {
  await execute(await cluster.guest(name), administrators(cluster.rootPassword));
};

/**
 * Joins a running cluster: incrementally when the data allows it, else by a full transfer from a donor.
 * A bootstrap that was killed in the middle leaves its word in /run until the next boot: it goes first.
 */
const join: Step = async (cluster, member) => {
  const guest = await cluster.guest(member.name);
  const others = await running(cluster, names(cluster.want).filter((name) => name !== member.name));
  if (others.length === 0)
    throw new Refused("a member joins a cluster that runs", "no other member is Synced or a donor", "run `pulumi up` again: it plans from what it then sees");
  await guest.run(sh`
rm -f /run/mariadb-wsrep-new-cluster; systemctl unset-environment _WSREP_NEW_CLUSTER
[ -d ${data} ] || install -d -o mysql -g mysql -m 700 ${data}
systemctl enable --quiet mariadb
systemctl reset-failed mariadb 2>/dev/null || true
systemctl start --no-block mariadb`);
  await gate(cluster, [...others, member.name], guest);
};

/** All members agree, steadily; from now on an emptied volume keeps its member from starting. */
const verify: Step = async (cluster, member) => {
  const guest = await cluster.guest(member.name);
  await gate(cluster, names(cluster.want), guest, startSeconds);
  await guest.run(sh`rm -f ${data}/${neverStarted}`);
  await mark(guest, cluster.want.owner, member, true);
};

export const steps: Record<Do, Step> = { install, mount, configure, bootstrap, secure, join, verify };

async function running(cluster: Galera, among: string[]): Promise<string[]> {
  const views = await Promise.all(among.map(async (name) => wsrep(await cluster.guest(name))));
  return among.filter((_, index) => inCluster(views[index]?.cluster_status === "Primary", views[index]?.local_state_comment));
}

/**
 * Waits until each of `on` itself says that it is Synced in one Primary component of these members, or more of the
 * wanted: a member whose transfer an earlier run began counts at once, and may still be at it.
 */
async function gate(cluster: Galera, on: string[], starting: Guest, seconds = transferSeconds): Promise<void> {
  await eventually(`${on.join(", ")} to be one Synced cluster`, { seconds, steady: 3, say: starting.say }, async () => {
    await failedToStart(starting);
    const views = await Promise.all(on.map(async (name) => [name, await wsrep(await cluster.guest(name))] as const));
    const lagging = views.filter(([, view]) => !view || view.cluster_status !== "Primary" || view.local_state_comment !== "Synced"
      || view.ready !== "ON" || Number(view.cluster_size) < on.length || Number(view.cluster_size) > cluster.want.members.length);
    if (lagging.length > 0)
      return lagging.map(([name, view]) => `${name} ${view ? `${view.local_state_comment}, ${view.cluster_status}, size ${view.cluster_size}` : "does not answer yet"}`).join("; ");
    const histories = new Set(views.map(([, view]) => `${view!.cluster_state_uuid}/${view!.cluster_conf_id}`));
    return histories.size === 1 ? true : `different views: ${[...histories].join(" and ")}`;
  });
}

async function failedToStart(guest: Guest): Promise<void> {
  const { ActiveState, Result, Job } = assignments(await guest.look("systemctl show -p ActiveState -p Result -p Job mariadb"));
  if (ActiveState !== "failed" && !(ActiveState === "inactive" && Result === "exec-condition" && !Job)) return;
  const log = await guest.look("journalctl -q -o cat -n 40 -u mariadb | grep -E 'ERROR|not started|Failed' | tail -n 5 || true");
  throw new Error(`MariaDB does not start on ${guest.name}: ${log.trim().split("\n").join(" | ") || `result ${Result}`}`);
}
