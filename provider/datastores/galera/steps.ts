import { Refused, TimedOut } from "../../errors";
import { eventually } from "../../guest/eventually";
import { letStart, settle, signed, transferred } from "../../guest/guard";
import type { Guest } from "../../guest/guest";
import { installedVersion, majorOf } from "../../guest/packages";
import { sh } from "../../guest/shell";
import { tookSettings } from "../../guest/silent";
import { hold as holdVolume, isHeld, lookAtVolume, mark, mountPoint, release } from "../../guest/volume";
import { inTurn, once } from "../../shared";
import { names, type Member } from "../../topology";
import { isUnreadable, setAside, setUnreadableAside } from "./aside";
import { dataPath as data, formerTablesFile, noHistory, positionFile, tablesFile, transferFile, unsecured } from "./configuration";
import { abortSeconds, everyone, gate, onDisk, running, startSeconds, stopSeconds, transferSeconds, type Galera } from "./gates";
import { changesVersion, givers, refuseToHaveMissed, refuseToMissMore, tellWhatItMayMiss } from "./incremental";
import { observe, reformSeconds } from "./observe";
import type { Do } from "./plan";
import { configure, configured, guarded, install, mount, refuseOtherThanOthers, type Step } from "./prepare";
import { nobodyIsNewer } from "./rules";
import type { Sight } from "./sight";
import { administrators, execute, hasStarted, unitState, wsrep } from "./sql";

/** Starts a new cluster, from a data directory made aside and moved in one go: it is whole or absent. */
const bootstrap: Step = (cluster, member, step) => start(cluster, member, sh`
if [ ! -e ${data} ]; then
  rm -rf ${data}.new
  mariadb-install-db --no-defaults --user=mysql --datadir=${data}.new --skip-test-db --auth-root-authentication-method=socket --auth-root-socket-user=root >/dev/null
  touch ${data}.new/${unsecured}; sync -f ${data}.new; mv -T ${data}.new ${data}
fi
${settle}`, step?.what);

/** Starts the cluster again from the member with the newest data, or from whose data a person has decided. */
const recover: Step = (cluster, member, step) => start(cluster, member, sh`
[ -s ${data}/ibdata1 ] || { echo "no data in ${data}" >&2; exit 1; }`, step?.what);

/**
 * Starts a cluster of one member. That it does so is told to the running systemd only, by a transient
 * unit that a lost connection does not cut, and is written nowhere: no later boot can bootstrap again. Where Galera forgot
 * the history of torn data, it gets it back from InnoDB: without it the cluster would begin another one. Its cache of
 * writes goes: torn data may be a statement ahead of their position, so nobody may join from there by writes alone. `over` is
 * what a person has decided to go on without.
 */
async function start(cluster: Galera, member: Member, prepare: string, over?: string): Promise<void> {
  const guest = await cluster.guest(member.name);
  for (const name of everyone(cluster)) {
    const state = await unitState(await cluster.guest(name));
    if (!["inactive", "failed"].includes(state))
      throw new Refused("no cluster is bootstrapped while a member is up", `MariaDB on ${name} is ${state}`, "run `pulumi up` again: it plans from what it then sees");
  }
  await release(guest, cluster.want.owner, member);
  if (over !== undefined) await writeDown(cluster, member, JSON.parse(over) as Record<string, string>);
  await guest.run(`${prepare}
${letStart}
if [ ! -e ${data}/${unsecured} ] && ${noHistory}; then
  history=$(grep -oE '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:[0-9]+' ${positionFile} | tail -n 1 | cut -d : -f 1) || { echo "nobody tells to which history these data belong" >&2; exit 1; }
  printf '# GALERA saved state\\nversion: 2.1\\nuuid:    %s\\nseqno:   -1\\nsafe_to_bootstrap: 1\\n' "$history" >${data}/grastate.dat
  chown mysql:mysql ${data}/grastate.dat
  rm -f ${data}/galera.cache
fi
[ ! -s ${data}/grastate.dat ] || sed -i 's/^safe_to_bootstrap: 0/safe_to_bootstrap: 1/' ${data}/grastate.dat
${sh`systemctl enable --quiet mariadb
systemctl reset-failed mariadb datastores-bootstrap 2>/dev/null || true
timeout ${startSeconds} systemd-run --quiet --collect --wait --unit=datastores-bootstrap galera_new_cluster || true`}`);
  await gate(cluster, [member.name], guest, { seconds: startSeconds });
}

/**
 * A decision, before it counts: then a run that is cut finds what is still to be set aside. Who holds that starts at no boot until it is: it would find
 * the cluster, which erases what it holds.
 */
async function writeDown({ guest: reach, want, leaving }: Galera, member: Member, chosenOver: Record<string, string>): Promise<void> {
  for (const other of [...want.members, ...leaving].filter(({ name }) => name in chosenOver)) {
    const guest = await reach(other.name);
    const [{ disk, mounted, hasHadData }] = await lookAtVolume(guest, want.owner, other, ":");
    if (disk === "ours" && mounted) await mark(guest, want.owner, other, { hasHadData, left: true });
  }
  const guest = await reach(member.name);
  const [{ hasHadData }] = await lookAtVolume(guest, want.owner, member, ":");
  await mark(guest, want.owner, member, { hasHadData, left: false, chosenOver });
}

const secure: Step = async (cluster, { name }) => {
  const guest = await cluster.guest(name);
  await execute(guest, administrators(cluster.passwords));
  await guest.run(sh`rm -f ${data}/${unsecured}; sync -f ${data}`);
};

const clean: Step = async (cluster, member, step) => setAside(await cluster.guest(member.name), cluster, member, step?.what === "given-up" ? step.what : "left");

/**
 * Joins a running cluster: incrementally when the data allows it, else by a full transfer from a donor. Without a state of
 * its own a member gets all anew: so does one that lost power before a transfer was on its disk, however whole it looks.
 * A bootstrap that was killed in the middle leaves its word in /run until the next boot: it goes first.
 */
const join: Step = async (cluster, member) => {
  const guest = await cluster.guest(member.name);
  await refuseOtherThanOthers(cluster, member);
  const before = await running(cluster, everyone(cluster).filter((name) => name !== member.name));
  if (before.length === 0)
    throw new Refused("a member joins a cluster that runs", "no other member is Synced or a donor", "run `pulumi up` again: it plans from what it then sees");
  const down = ["inactive", "failed"].includes(await unitState(guest));
  const self = down ? await refuseNewer(cluster, member, before) : undefined;
  const from = await givers(cluster, member, self, before);
  const [{ hasHadData, left, held }, cut] = await lookAtVolume(guest, cluster.want.owner, member, `${transferred(`$root/${transferFile}`, "$root")} || echo cut`);
  const aside = down && cut.trim() === "cut" && await isUnreadable(guest);
  if (aside) await setUnreadableAside(guest, cluster, member);
  else if (left || held) await mark(guest, cluster.want.owner, member, { hasHadData, left: false });
  await guest.run(`${letStart}${sh`
rm -f /run/mariadb-wsrep-new-cluster; systemctl unset-environment _WSREP_NEW_CLUSTER
[ -d ${data} ] || install -d -o mysql -g mysql -m 700 ${data}
case "$(systemctl is-active mariadb || true)" in inactive|failed) `}${transferred(`${mountPoint}/${transferFile}`, mountPoint)}${sh` || rm -f ${data}/grastate.dat;; esac
systemctl set-environment ${`MYSQLD_OPTS=--wsrep-sst-donor=${await donors(cluster, from)}${from.length === before.length ? "," : ""} --wsrep-cluster-address=gcomm://${addressesOf(cluster, before)}`}
systemctl enable --quiet mariadb
systemctl reset-failed mariadb 2>/dev/null || true
systemctl start --no-block mariadb`}`);
  await gate(cluster, [...before, member.name], guest);
  await onDisk(guest);
  if (aside && hasHadData) await mark(guest, cluster.want.owner, member, { hasHadData, left: false });
  await guest.run("systemctl unset-environment MYSQLD_OPTS");
};

/** What a volume under a new server holds is told only now that MariaDB is there. */
async function refuseNewer(cluster: Galera, member: Member, before: string[]): Promise<Sight> {
  const all = await Promise.all([...cluster.want.members, ...cluster.leaving].filter(({ name }) => name === member.name || before.includes(name))
    .map(async (each): Promise<[string, Sight]> => [each.name, await observe(cluster, each)]));
  const refused = nobodyIsNewer({ sights: all, running: all.filter(([name]) => name !== member.name) });
  if (refused) throw refused;
  return new Map(all).get(member.name)!;
}

/** Of those that run now: among them may be none that the options file names, for that has only who stays. */
const addressesOf = ({ want, leaving }: Galera, on: string[]): string =>
  [...want.members, ...leaving].filter(({ name }) => on.includes(name)).map(({ address }) => address).join(",");

/**
 * Who gives its data, best first: those that write least, for a donor may fall behind. A comma at the end lets any
 * other member do it when none of them can.
 */
async function donors(cluster: Galera, among: string[]): Promise<string> {
  const written = async () => Promise.all(among.map(async (name) => Number((await wsrep(await cluster.guest(name)))?.replicated_bytes ?? 0)));
  const [first, second] = [await written(), await written()];
  const byWrites = among.map((name, index) => ({ name, now: second[index]! - first[index]!, ever: second[index]! }))
    .sort((a, b) => a.now - b.now || a.ever - b.ever);
  return byWrites.slice(0, Math.max(1, byWrites.length - 1)).map(({ name }) => name).join(",");
}

/**
 * Ends a server, also one that tries again and again to start. Told to stop while it starts, MariaDB 10.11 may join the cluster and wait for ever
 * in init_slave, for a thread that has ended: that one is killed, for it never served a client, and what it applied others have.
 */
const stop: Step = async ({ guest: reach }, { name }) => {
  const guest = await reach(name);
  await guest.run("systemctl stop --no-block mariadb");
  const stopped = (seconds: number) => eventually(`MariaDB on ${name} to stop`, { seconds, say: guest.say }, async () => {
    const state = await unitState(guest);
    return ["inactive", "failed"].includes(state) ? true : `it is ${state}`;
  });
  await stopped(abortSeconds).catch(async (error) => {
    if (!(error instanceof TimedOut)) throw error;
    if (!(await hasStarted(guest))) {
      guest.say(`MariaDB was told to stop before it had started, and hangs since ${abortSeconds} s: it is killed`);
      await guest.run("systemctl kill --signal=KILL mariadb");
    }
    await stopped(stopSeconds);
  });
};

/**
 * Starts a member anew, with options that wait for it: only while all are in the cluster and none receives its data. It gets what it misses meanwhile. Of several side by side one after another
 * comes back, so that each has a donor of its own; none does once one has failed to.
 * Of a silent one nobody knows more than that its old options may be why: the others need it no less than before, so those that answer are enough.
 * What was configured before a unit that keeps in mind with which options it starts, gets it now.
 */
const restart: Step = async (cluster, member, step = { do: "restart", on: [member.name] }) => {
  const guest = await cluster.guest(member.name);
  // On the edge of what silences it, one answers now and then: what it then takes live needs no restart. Who took nothing gets one, also where it answers again in the next moment.
  if (step.what === "silent" && (await wsrep(guest)) && (await tookSettings(guest, configured(cluster, member)))) return;
  const state = await unitState(guest);
  if (step.what === "silent" && state !== "active") return;
  const silent = step.what === "silent" || (state === "active" && !(await wsrep(guest)));
  const inIt = silent ? await running(cluster, everyone(cluster)) : await once(step, () => allIn(cluster, guest));
  if (silent && inIt.length > 0) await gate(cluster, inIt, guest, { seconds: startSeconds, started: false });
  await tellWhatItMayMiss(cluster, member);
  await guarded(guest);
  await stop(cluster, member);
  if (step.do === "resize") await otherFlavor(cluster, member);
  if (inIt.some((name) => name !== member.name)) await inTurn(step, member.name, () => join(cluster, member));
  else if (everyone(cluster).length === 1) await start(cluster, member, ":");
  else return startAmongSilent(cluster, guest);
  // Of several the last to come back has found all others.
  if (step.on.length > 1) return;
  await gate(cluster, silent ? [...inIt, member.name] : inIt, await cluster.guest(member.name), { seconds: startSeconds, exactly: !silent });
};

/** Waits until all are in the cluster, and says who that is. */
async function allIn(cluster: Galera, teller: Guest): Promise<string[]> {
  const inIt = await running(cluster, everyone(cluster));
  await gate(cluster, [...new Set([...inIt, ...names(cluster.want)])], teller, { seconds: startSeconds, exactly: true, started: false });
  return inIt;
}

/** A restart in the middle of which the server gets its flavor. Whose database does not run is in nobody's way. */
const resize: Step = async (cluster, member, step) => (step?.what === "idle" ? cluster.resize!(member) : restart(cluster, member, step));

/** Ends a member as a restart does, for its server to get a new disk with its image. Whose database does not run is in nobody's way. */
const rebuild: Step = async (cluster, member, step = { do: "rebuild", on: [member.name] }) => {
  const guest = await cluster.guest(member.name);
  const hops = await changesVersion(cluster, member);
  if (step.what !== "idle") {
    await once(step, () => allIn(cluster, guest));
    await tellWhatItMayMiss(cluster, member);
    if (hops) await refuseToMissMore(cluster, member);
    await guarded(guest);
    await stop(cluster, member);
  } else if (hops) {
    await refuseToHaveMissed(cluster, member, await observe(cluster, member), await running(cluster, everyone(cluster)));
    await guarded(guest);
  }
  // Who opened the data last lies with them before another can.
  if (hops) await guest.run(signed);
  await cluster.rebuild!(member);
};

/** What starts it is the step's own act, not the boot: alone it is to start a cluster. */
async function otherFlavor(cluster: Galera, member: Member): Promise<void> {
  await (await cluster.guest(member.name)).run("systemctl disable --quiet mariadb");
  await cluster.resize!(member);
}

/** As its guest would at a boot: it finds the cluster that the others form, or it is seen that they form none. */
async function startAmongSilent(cluster: Galera, guest: Guest): Promise<void> {
  await guest.run(`${letStart}\nsystemctl reset-failed mariadb 2>/dev/null || true; systemctl start --no-block mariadb`);
  await gate(cluster, [guest.name], guest, { seconds: reformSeconds }).catch(async (error) => {
    if (!(error instanceof TimedOut) || !(await wsrep(guest))) throw error;
  });
}

/**
 * Leaves by its own word: it stops, so that the others count one fewer and their quorum stays, does not start again
 * at a boot, and its volume says that it left once the others agree. One that is down already is only kept from starting. It leaves nobody
 * alone: all who stay are in the cluster before and after, or what it holds may be the only copy of the newest rows.
 */
const leave: Step = async (cluster, member) => {
  const guest = await cluster.guest(member.name);
  const inIt = await running(cluster, everyone(cluster));
  const stay = everyone(cluster).filter((name) => name !== member.name && (inIt.includes(name) || names(cluster.want).includes(name)));
  // One that still receives its data is counted, and may be for hours: it goes without a gate when all who stay are in.
  if (inIt.includes(member.name) || !names(cluster.want).every((name) => inIt.includes(name)))
    await gate(cluster, inIt.includes(member.name) ? [...stay, member.name] : stay, guest, { seconds: startSeconds, exactly: true, started: false });
  await guest.run("systemctl disable --quiet mariadb");
  await stop(cluster, member);
  await gate(cluster, stay, guest, { seconds: startSeconds, exactly: true, started: false });
  const [{ disk, hasHadData }] = await lookAtVolume(guest, cluster.want.owner, member, ":");
  if (disk === "ours") await mark(guest, cluster.want.owner, member, { hasHadData, left: true });
};

/**
 * Stops a member until its cluster is started again. All that are not held yet are in the cluster before, and without it after. It is marked before it stops: a boot in between starts it
 * no more. Who is down is only marked.
 */
const hold: Step = async (cluster, member) => {
  const guest = await cluster.guest(member.name);
  const inIt = await running(cluster, everyone(cluster));
  if (inIt.includes(member.name)) {
    const held = await Promise.all(names(cluster.want).map(async (name) => isHeld(await cluster.guest(name))));
    const stay = names(cluster.want).filter((name, index) => !held[index] || inIt.includes(name));
    await gate(cluster, stay, guest, { seconds: startSeconds, exactly: true, started: false });
  }
  await guarded(guest);
  await holdVolume(guest, cluster.want.owner, member);
  await stop(cluster, member);
  const others = inIt.filter((name) => name !== member.name);
  if (inIt.includes(member.name) && others.length > 0) await gate(cluster, others, guest, { seconds: startSeconds, exactly: true, started: false });
};

/**
 * Brings the tables of the server's own to its version, once on each member: what others were given is not sent to this one, nor its own to them. Debian begins it by itself at a
 * start, in the background; either writes down that it is done. It works in a unit that a lost connection does not cut.
 */
const upgrade: Step = async (cluster, member) => {
  const guest = await cluster.guest(member.name);
  const unit = "datastores-upgrade";
  const [version, files] = [majorOf(await guest.look(installedVersion("mariadb-server"))), [tablesFile, formerTablesFile].map((file) => `${data}/${file}`)];
  const ofTables = async () => majorOf(await guest.look(sh`cat ${files[0]!} 2>/dev/null || cat ${files[1]!} 2>/dev/null || true`));
  const isBusy = async () => (await guest.look(sh`systemctl is-active --quiet ${unit} || pgrep -x ${"mariadb-upgrade|mysql_upgrade"} >/dev/null || exit 0; echo yes`)) !== "";
  const done = () => eventually(`the system tables of ${member.name} to be of ${version}`, { seconds: transferSeconds, say: guest.say }, async () => ((await isBusy()) ? "they are being upgraded" : true));
  await done();
  if ((await ofTables()) === version) return;
  await guest.run(sh`systemctl reset-failed ${unit} 2>/dev/null || true
systemd-run --quiet --no-block --unit=${unit} --description="Upgrade of system tables" --service-type=oneshot mariadb-upgrade --skip-write-binlog --silent`);
  await done();
  if ((await ofTables()) !== version) throw new Error(`the system tables of ${member.name} are not of ${version}: ${(await guest.look(sh`journalctl -q -o cat -n 5 -u ${unit}`)).trim().split("\n").join(" | ")}`);
};

/** All members agree, steadily; from now on an emptied volume keeps its member from starting. */
const verify: Step = async (cluster, member) => {
  const guest = await cluster.guest(member.name);
  await gate(cluster, names(cluster.want), guest, { seconds: startSeconds, exactly: true });
  // A join that was cut leaves what it told the server only; a leave that was cut and taken back, a server that no boot starts.
  await guest.run("systemctl unset-environment MYSQLD_OPTS; systemctl enable --quiet mariadb");
  await onDisk(guest);
  await mark(guest, cluster.want.owner, member, { hasHadData: true, left: false });
};

export const steps: Record<Do, Step> = { install, mount, configure, bootstrap, recover, secure, clean, join, restart, resize, rebuild, leave, stop, hold, upgrade, verify };
