import { reason, Refused, TimedOut } from "../../errors";
import { drops, only } from "../../authorities";
import { bundle, certificatesIn, certified, sumOf } from "../../bundle";
import { presentBundle, showsCertificate, writeCertificates } from "../../guest/certificates";
import { eventually } from "../../guest/eventually";
import type { Guest } from "../../guest/guest";
import { installPackages, installedVersion, majorAmong, offeredVersion, sparePackages } from "../../guest/packages";
import { sh } from "../../guest/shell";
import { tookSettings } from "../../guest/silent";
import { guardUnit, letStart, lookAtVolume, mark, mountPoint, mountVolume, settle, transferred } from "../../guest/volume";
import type { Step as Planned } from "../../plan";
import { names, type Member } from "../../topology";
import { isUnreadable, setAside, setUnreadableAside } from "./aside";
import { certificates, dataDirectory, dataPath as data, droppedFile, families, hostsText, isVersion, noHistory, ofVersion, optionsFile, optionsText, positionFile, runningFile, sha256, transferFile, unsecured } from "./configuration";
import { abortSeconds, everyone, gate, onDisk, running, startSeconds, stopSeconds, transferSeconds, type Galera } from "./gates";
import { judgeOptions } from "./judge";
import { observe, reformSeconds } from "./observe";
import type { Do } from "./plan";
import { nobodyIsNewer } from "./rules";
import { differing, fixedOf, setLive, withoutFixed } from "./settings";
import type { Sight } from "./sight";
import { administrators, execute, hasStarted, isDown, unitState, wsrep } from "./sql";

type Step = (cluster: Galera, member: Member, step?: Planned<Do>) => Promise<void>;

/**
 * The guard comes before the package, whose own start of the server it skips, and after all else that keeps it: where it is, an installation
 * that was cut left out nothing. Debian's socket units would hold port 3306.
 * A package that is mended under a server that runs may start it anew: then it is waited for.
 */
const install: Step = async (cluster, { name }) => {
  const { want } = cluster;
  const guest = await cluster.guest(name);
  const before = (await unitState(guest)) === "active" ? await running(cluster, everyone(cluster)) : [];
  await guest.run("systemctl mask --quiet mariadb.socket mariadb-extra.socket");
  await sparePackages(guest, families);
  await guarded(guest);
  const { version = await versionOfOthers(cluster, name) } = want.options;
  await installPackages(guest, ofVersion({ version })).catch(async (error) => {
    refuseOther(version, `${name} is offered`, await guest.look(offeredVersion("mariadb-server")));
    throw error;
  });
  refuseOther(version, `${name} has`, await guest.look(installedVersion("mariadb-server")));
  if (before.length > 0) await gate(cluster, before, guest, { seconds: startSeconds });
};

const guarded = (guest: Guest): Promise<void> => guardUnit(guest, "mariadb.service", {
  configured: optionsFile, data: dataDirectory, transfers: { file: transferFile, anew: noHistory },
  first: `/bin/sh -c "rm -f ${positionFile} ${droppedFile}; mkdir -p /run/datastores; cp ${optionsFile} ${runningFile}"`,
});

/** A state transfer copies files, which another major version may not read. */
const versionOfOthers = (cluster: Galera, name: string): Promise<string | undefined> =>
  majorAmong(everyone(cluster).filter((other) => other !== name).map(cluster.guest), "mariadb-server");

/** Of another major version than is wanted, or than the others are. */
function refuseOther(wanted: string | undefined, who: string, version: string): void {
  if (version.trim() !== "" && !isVersion({ version: wanted }, version.trim()))
    throw new Refused("members run one major version of the database, the one that `version` names", `${who} MariaDB ${version.trim()}, wanted ${wanted}`,
      "give `image` one whose package sources have that version; before there is a cluster, `version` may be left out");
}

const mount: Step = async ({ guest: reach, want }, member) => mountVolume(await reach(member.name), want.owner, member, want.volumeSize);

/**
 * A server that runs takes at once what it can: certificates, for connections from then on, and settings. The options file is
 * written last: seen as wanted, it says that all else was done too.
 */
const configure: Step = async (cluster, member, step) => {
  const { want } = cluster;
  const guest = await cluster.guest(member.name);
  await eventually("a start that is under way to end", { seconds: transferSeconds, say: guest.say }, async () =>
    (await unitState(guest)) === "activating" && !(await wsrep(guest)) ? "MariaDB is starting" : true);
  await guest.run(sh`mkdir -p ${certificates} /etc/cloud/cloud.cfg.d /run/datastores`);
  if (step?.what === "drop") await noteDropped(guest, cluster);
  const { authority, anew } = await writeCertificates(guest, member, cluster.authority, step?.what, { folder: certificates, owner: "mysql:mysql" });
  await guest.write("/etc/cloud/cloud.cfg.d/99-datastore.cfg", "manage_etc_hosts: false\n");
  await guest.write("/etc/hosts", hostsText(want));
  const options = optionsText(want, member, authority);
  const before = await textOf(guest, optionsFile);
  await judge(cluster, guest, before, options);
  const state = await unitState(guest);
  const running = (await textOf(guest, runningFile)) || before;
  if (await wsrep(guest)) {
    await execute(guest, "FLUSH SSL; SET GLOBAL wsrep_provider_options = 'socket.ssl_reload=1';");
    await reconfigure(guest, running, options);
    if (anew || !before.includes(sha256(bundle(authority))))
      await showsCertificate(guest, authority, [`-starttls mysql -connect ${member.address}:3306`, `-connect ${member.address}:4567`], { folder: certificates });
  } else if (!isDown(state)) await writeOptions(guest, runningFile, running);
  await writeOptions(guest, optionsFile, options);
};

/** Galera forgets whom it trusts at a start alone: until then this is seen, and another step starts it anew. */
async function noteDropped(guest: Guest, { authority, want: { authorities: wanted = only } }: Galera): Promise<void> {
  const dropped = certificatesIn(await presentBundle(guest, { folder: certificates })).filter((bundle) => drops(wanted, certified(wanted, authority, { bundle })));
  const before = await textOf(guest, droppedFile);
  await guest.write(droppedFile, `${[...new Set([...before.split("\n").filter(Boolean), ...dropped.map(sumOf)])].join("\n")}\n`);
}

const textOf = (guest: Guest, file: string): Promise<string> => guest.look(sh`cat ${file} 2>/dev/null || true`);
const writeOptions = (guest: Guest, file: string, text: string): Promise<boolean> => guest.write(file, text, { mode: "640", owner: "root:mysql" });

/**
 * Gives a server that runs the settings that it takes. With which it runs then is written first: a setting may be the last thing that it is told, for want of a
 * connection after it, and then is seen to be what has to be taken back.
 */
async function reconfigure(guest: Guest, running: string, options: string): Promise<void> {
  const fixed = await fixedOf(guest, differing(running, options));
  await writeOptions(guest, runningFile, withoutFixed(running, options, fixed));
  await setLive(guest, running, options).catch((error) => {
    if (fixed.length === 0) throw new Error(`${reason(error)}. MariaDB on ${guest.name} does not take this while it runs: mend it in \`configuration\`, or let it count from the next start: change \`restartTrigger\` too`);
    guest.say(`${reason(error)}: it counts from the restart on`);
  });
}

/**
 * Has the server judge options before they are written. What it says of them as of those before is no news: it may know more of them when it has its data,
 * whose plugins are in these.
 */
async function judge(cluster: Galera, guest: Guest, before: string, options: string): Promise<void> {
  const refused = await judgeOptions(guest, options);
  if (refused === undefined) return;
  const known = before === "" ? (await running(cluster, everyone(cluster))).length > 0 : (await judgeOptions(guest, before)) === refused;
  if (!known) throw new Error(refused);
  guest.say(refused);
}

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
  refuseOther(await versionOfOthers(cluster, member.name), `${member.name} has`, await guest.look(`${installedVersion("mariadb-server")} || true`));
  const before = await running(cluster, everyone(cluster).filter((name) => name !== member.name));
  if (before.length === 0)
    throw new Refused("a member joins a cluster that runs", "no other member is Synced or a donor", "run `pulumi up` again: it plans from what it then sees");
  const down = ["inactive", "failed"].includes(await unitState(guest));
  if (down) await refuseNewer(cluster, member, before);
  const [{ hasHadData, left }, cut] = await lookAtVolume(guest, cluster.want.owner, member, `${transferred(`$root/${transferFile}`, "$root")} || echo cut`);
  const aside = down && cut.trim() === "cut" && await isUnreadable(guest);
  if (aside) await setUnreadableAside(guest, cluster, member);
  else if (left) await mark(guest, cluster.want.owner, member, { hasHadData, left: false });
  await guest.run(`${letStart}${sh`
rm -f /run/mariadb-wsrep-new-cluster; systemctl unset-environment _WSREP_NEW_CLUSTER
[ -d ${data} ] || install -d -o mysql -g mysql -m 700 ${data}
case "$(systemctl is-active mariadb || true)" in inactive|failed) `}${transferred(`${mountPoint}/${transferFile}`, mountPoint)}${sh` || rm -f ${data}/grastate.dat;; esac
systemctl set-environment ${`MYSQLD_OPTS=--wsrep-sst-donor=${await donors(cluster, before)} --wsrep-cluster-address=gcomm://${addressesOf(cluster, before)}`}
systemctl enable --quiet mariadb
systemctl reset-failed mariadb 2>/dev/null || true
systemctl start --no-block mariadb`}`);
  await gate(cluster, [...before, member.name], guest);
  await onDisk(guest);
  if (aside && hasHadData) await mark(guest, cluster.want.owner, member, { hasHadData, left: false });
  await guest.run("systemctl unset-environment MYSQLD_OPTS");
};

/** What a volume under a new server holds is told only now that MariaDB is there. */
async function refuseNewer(cluster: Galera, member: Member, before: string[]): Promise<void> {
  const all = await Promise.all([...cluster.want.members, ...cluster.leaving].filter(({ name }) => name === member.name || before.includes(name))
    .map(async (each): Promise<[string, Sight]> => [each.name, await observe(cluster, each)]));
  const refused = nobodyIsNewer({ sights: all, running: all.filter(([name]) => name !== member.name) });
  if (refused) throw refused;
}

/** Of those that run now: among them may be none that the options file names, for that has only who stays. */
const addressesOf = ({ want, leaving }: Galera, on: string[]): string =>
  [...want.members, ...leaving].filter(({ name }) => on.includes(name)).map(({ address }) => address).join(",");

/**
 * Who gives its data, best first: those that write least, for a donor may fall behind. The comma at the end lets any
 * other member do it when none of them can.
 */
async function donors(cluster: Galera, among: string[]): Promise<string> {
  const written = async () => Promise.all(among.map(async (name) => Number((await wsrep(await cluster.guest(name)))?.replicated_bytes ?? 0)));
  const [first, second] = [await written(), await written()];
  const byWrites = among.map((name, index) => ({ name, now: second[index]! - first[index]!, ever: second[index]! }))
    .sort((a, b) => a.now - b.now || a.ever - b.ever);
  return `${byWrites.slice(0, Math.max(1, byWrites.length - 1)).map(({ name }) => name).join(",")},`;
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
 * Starts a member anew, with options that wait for it: only while all are in the cluster and none receives its data. It gets what it misses meanwhile.
 * Of a silent one nobody knows more than that its old options may be why: the others need it no less than before, so those that answer are enough.
 * What was configured before a unit that keeps in mind with which options it starts, gets it now.
 */
const restart: Step = async (cluster, member, step) => {
  const guest = await cluster.guest(member.name);
  // On the edge of what silences it, one answers now and then: what it then takes live needs no restart.
  if (step?.what === "silent" && (await wsrep(guest)) && (await tookSettings(guest, configure(cluster, member)))) return;
  const inIt = await running(cluster, everyone(cluster));
  const silent = (await unitState(guest)) === "active" && !(await wsrep(guest));
  if (step?.what === "silent" && !silent) return;
  if (!silent) await gate(cluster, [...new Set([...inIt, ...names(cluster.want)])], guest, { seconds: startSeconds, exactly: true, started: false });
  else if (inIt.length > 0) await gate(cluster, inIt, guest, { seconds: startSeconds, started: false });
  await tellWhatItMayMiss(cluster, member);
  await guarded(guest);
  await stop(cluster, member);
  if (step?.do === "resize") await otherFlavor(cluster, member);
  if (inIt.some((name) => name !== member.name)) await join(cluster, member);
  else if (everyone(cluster).length === 1) await start(cluster, member, ":");
  else return startAmongSilent(cluster, guest);
  await gate(cluster, silent ? [...inIt, member.name] : inIt, await cluster.guest(member.name), { seconds: startSeconds, exactly: !silent });
};

/** A restart in the middle of which the server gets its flavor. Whose database does not run is in nobody's way. */
const resize: Step = async (cluster, member, step) => (step?.what === "idle" ? cluster.resize!(member) : restart(cluster, member, step));

/** Ends a member as a restart does, for its server to get a new disk with its image. Whose database does not run is in nobody's way. */
const rebuild: Step = async (cluster, member, step) => {
  if (step?.what !== "idle") {
    const guest = await cluster.guest(member.name);
    const all = [...new Set([...await running(cluster, everyone(cluster)), ...names(cluster.want)])];
    await gate(cluster, all, guest, { seconds: startSeconds, exactly: true, started: false });
    await tellWhatItMayMiss(cluster, member);
    await stop(cluster, member);
  }
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

/** Whether the others keep the writes that a member misses while it is away, and at their pace of now for how long: after that it gets all data anew. */
async function tellWhatItMayMiss(cluster: Galera, { name }: Member): Promise<void> {
  const views = async () => Promise.all(everyone(cluster).filter((other) => other !== name).map(async (other) => wsrep(await cluster.guest(other))));
  const began = Date.now();
  const [first, second] = [await views(), await views()];
  const last = (of: typeof first) => Math.max(...of.map((view) => Number(view?.last_committed ?? 0)));
  if (second.length === 0) return;
  const kept = last(second) - Math.min(...second.map((view) => Number(view?.local_cached_downto ?? Infinity)));
  const pace = (last(second) - last(first)) / (Date.now() - began) * 1000;
  const guest = await cluster.guest(name);
  guest.say(kept > 0 ? `the others keep the last ${kept} writes${pace > 0 ? `, ${Math.round(kept / pace)} s of them at this pace` : ""}: for as long it gets only what it misses` : "the others keep no writes: it gets all data anew");
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

/** All members agree, steadily; from now on an emptied volume keeps its member from starting. */
const verify: Step = async (cluster, member) => {
  const guest = await cluster.guest(member.name);
  await gate(cluster, names(cluster.want), guest, { seconds: startSeconds, exactly: true });
  // A join that was cut leaves what it told the server only; a leave that was cut and taken back, a server that no boot starts.
  await guest.run("systemctl unset-environment MYSQLD_OPTS; systemctl enable --quiet mariadb");
  await onDisk(guest);
  await mark(guest, cluster.want.owner, member, { hasHadData: true, left: false });
};

export const steps: Record<Do, Step> = { install, mount, configure, bootstrap, recover, secure, clean, join, restart, resize, rebuild, leave, stop, verify };
