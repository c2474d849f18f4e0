import { drops, only } from "../../authorities";
import { bundle, certificatesIn, certified, sumOf } from "../../bundle";
import { reason, Refused } from "../../errors";
import { presentBundle, showsCertificate, writeCertificates } from "../../guest/certificates";
import { eventually } from "../../guest/eventually";
import { guardUnit } from "../../guest/guard";
import type { Guest } from "../../guest/guest";
import { holdPackages, installPackages, installedVersion, majorAmong, offeredVersion, sparePackages } from "../../guest/packages";
import { sh } from "../../guest/shell";
import { lookAtVolume, mountVolume } from "../../guest/volume";
import type { Step as Planned } from "../../plan";
import type { Member } from "../../topology";
import { certificates, dataDirectory, droppedFile, families, hostsText, isVersion, noHistory, ofVersion, optionsFile, optionsText, positionFile, runningFile, sha256, transferFile } from "./configuration";
import { everyone, gate, running, startSeconds, transferSeconds, type Galera } from "./gates";
import { judgeOptions } from "./judge";
import type { Do } from "./plan";
import { differing, fixedOf, setLive, withoutFixed } from "./settings";
import { execute, isDown, unitState, wsrep } from "./sql";

/** What is done on one member. */
export type Step = (cluster: Galera, member: Member, step?: Planned<Do>) => Promise<void>;

/**
 * The guard comes before the package, whose own start of the server it skips, and after all else that keeps it: where it is, an installation
 * that was cut left out nothing. Debian's socket units would hold port 3306.
 * A package that is mended under a server that runs may start it anew: then it is waited for.
 */
export const install: Step = async (cluster, member) => {
  const { want } = cluster;
  const { name } = member;
  const guest = await cluster.guest(name);
  const before = (await unitState(guest)) === "active" ? await running(cluster, everyone(cluster)) : [];
  await guest.run("systemctl mask --quiet mariadb.socket mariadb-extra.socket");
  await sparePackages(guest, families);
  await guarded(guest);
  const { version = (await versionOfOthers(cluster, name)) ?? (await lookAtVolume(guest, want.owner, member, ":"))[0].writtenBy } = want.options;
  await installPackages(guest, ofVersion({ version })).catch(async (error) => {
    refuseOther(version, `${name} is offered`, await guest.look(offeredVersion("mariadb-server")));
    throw error;
  });
  refuseOther(version, `${name} has`, await guest.look(installedVersion("mariadb-server")));
  await holdPackages(guest, families);
  if (before.length > 0) await gate(cluster, before, guest, { seconds: startSeconds });
};

export const guarded = (guest: Guest): Promise<void> => guardUnit(guest, "mariadb.service", {
  server: "mariadb-server", user: "mysql", configured: optionsFile, data: dataDirectory, transfers: { file: transferFile, anew: noHistory },
  first: `/bin/sh -c "rm -f ${positionFile} ${droppedFile}; mkdir -p /run/datastores; cp ${optionsFile} ${runningFile}"`,
});

/** The version that others have, where `version` names none. */
const versionOfOthers = (cluster: Galera, name: string): Promise<string | undefined> =>
  majorAmong(everyone(cluster).filter((other) => other !== name).map(cluster.guest), "mariadb-server");

/** A member that starts meets the wanted version, or the others' where `version` names none, also where its packages were installed before they had one. */
export async function refuseOtherThanOthers(cluster: Galera, { name }: Member): Promise<void> {
  const version = cluster.want.options.version ?? await versionOfOthers(cluster, name);
  refuseOther(version, `${name} has`, await (await cluster.guest(name)).look(`${installedVersion("mariadb-server")} || true`));
}

/** Of another major version than is wanted, or than the others are. */
function refuseOther(wanted: string | undefined, who: string, version: string): void {
  if (version.trim() !== "" && !isVersion({ version: wanted }, version.trim()))
    throw new Refused("members run one major version of the database, the one that `version` names", `${who} MariaDB ${version.trim()}, wanted ${wanted}`,
      "give `image` one whose package sources have that version, or `version` the one that `image` has; before there is a cluster, `version` may be left out");
}

export const mount: Step = async ({ guest: reach, want }, member) => mountVolume(await reach(member.name), want.owner, member, want.volumeSize);

/**
 * A server that runs takes at once what it can: certificates, for connections from then on, and settings. The options file is
 * written last: seen as wanted, it says that all else was done too.
 */
export const configure: Step = async (cluster, member, step) => void (await configured(cluster, member, step));

/** The same; whether a server was told: one that is down or silent is not. */
export async function configured(cluster: Galera, member: Member, step?: Planned<Do>): Promise<boolean> {
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
  const answers = (await wsrep(guest)) !== undefined;
  if (answers) {
    await execute(guest, "FLUSH SSL; SET GLOBAL wsrep_provider_options = 'socket.ssl_reload=1';");
    await reconfigure(guest, running, options);
    if (anew || !before.includes(sha256(bundle(authority))))
      await showsCertificate(guest, authority, [`-starttls mysql -connect ${member.address}:3306`, `-connect ${member.address}:4567`], { folder: certificates });
  } else if (!isDown(state)) await writeOptions(guest, runningFile, running);
  await writeOptions(guest, optionsFile, options);
  return answers;
}

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
