import { bundle } from "../../bundle";
import { Refused } from "../../errors";
import { showsCertificate, writeCertificates } from "../../guest/certificates";
import { guardUnit } from "../../guest/guard";
import type { Guest } from "../../guest/guest";
import { holdPackages, installPackages, installedVersion, majorAmong, offeredVersion, sparePackages } from "../../guest/packages";
import { sh } from "../../guest/shell";
import { lookAtVolume, mountVolume } from "../../guest/volume";
import type { Step as Planned } from "../../plan";
import type { Member } from "../../topology";
import { tell, viewOf, type Command, type Redis } from "./client";
import { busPort, clientLine, clientOf, dataDirectory, dataFile, dataPath, families, folder, headerLines, isVersion, logins, ofVersion, optionsFile, optionsText, port, runningFile, runningHeader, settings, sha256, users, vendorOf, withClient } from "./configuration";
import { everyone, saidOnceRead } from "./gates";
import type { Do } from "./plan";

/** What is done on one member. */
export type Step = (cluster: Redis, member: Member, step: Planned<Do>) => Promise<void>;

const sysctl = "/etc/sysctl.d/60-datastore-redis.conf";

export const install: Step = async (cluster, member) => {
  const { want } = cluster;
  const { name } = member;
  const guest = await cluster.guest(name);
  const { server } = vendorOf(want.options);
  await sparePackages(guest, families);
  await guest.run(sh`mkdir -p ${folder}`);
  // While a server writes its data anew it needs room for what changes meanwhile; the kernel would ask for room for all of it. In a container the host's word counts.
  await guest.write(sysctl, "vm.overcommit_memory = 1\n");
  await guest.run(sh`sysctl -q -p ${sysctl} || true`);
  await guarded(cluster, guest);
  const { version = (await versionOfOthers(cluster, name)) ?? (await lookAtVolume(guest, want.owner, member, ":"))[0].writtenBy } = want.options;
  await installPackages(guest, ofVersion({ ...want.options, version })).catch(async (error) => {
    refuseOther(version, `${name} is offered`, await guest.look(offeredVersion(server)));
    throw error;
  });
  refuseOther(version, `${name} has`, await guest.look(installedVersion(server)));
  await holdPackages(guest, families);
};

export const guarded = ({ want: { options } }: Redis, guest: Guest): Promise<void> => {
  const { server, user } = vendorOf(options);
  return guardUnit(guest, `${server}.service`, {
    server, user, configured: optionsFile, data: `${dataDirectory}/${dataFile(options)}`, first: `/bin/sh -c "mkdir -p /run/datastores; head -n ${headerLines} ${optionsFile} >${runningFile}"`,
    service: ["ExecStart=", `ExecStart=/usr/bin/${server} ${optionsFile} --supervised systemd --daemonize no`, `ReadWritePaths=-${dataPath}`, `User=${user}`],
  });
};

/** The version that others have, where `version` names none. */
const versionOfOthers = (cluster: Redis, name: string): Promise<string | undefined> =>
  majorAmong(everyone(cluster).filter((other) => other !== name).map(cluster.guest), vendorOf(cluster.want.options).server);

/** A member that starts meets the wanted version, or the others' where `version` names none, also where its packages were installed before they had one. */
export async function refuseOtherThanOthers(cluster: Redis, { name }: Member): Promise<void> {
  const { server } = vendorOf(cluster.want.options);
  const version = cluster.want.options.version ?? await versionOfOthers(cluster, name);
  refuseOther(version, `${name} has`, await (await cluster.guest(name)).look(`${installedVersion(server)} || true`));
}

/** Of another major version than is wanted, or than the others are. */
function refuseOther(wanted: string | undefined, who: string, version: string): void {
  if (version.trim() !== "" && !isVersion({ version: wanted }, version.trim()))
    throw new Refused("members run one major version of the database, the one that `version` names", `${who} ${version.trim()}, wanted ${wanted}`,
      "give `image` one whose package sources have that version, or `version` the one that `image` has; before there is a cluster, `version` may be left out");
}

export const mount: Step = async ({ guest: reach, want }, member) => mountVolume(await reach(member.name), want.owner, member, want.volumeSize);

/** A server that runs takes at once what it can: users, certificates and live settings. The options file is written last: seen as wanted, it says that all else was done too. */
export const configure: Step = async (cluster, member, step) => void (await configured(cluster, member, step));

/** The same; whether a server was told: one that is down or silent is not. */
export async function configured(cluster: Redis, member: Member, step: Planned<Do>): Promise<boolean> {
  const { want, passwords } = cluster;
  const guest = await cluster.guest(member.name);
  const { server, user } = vendorOf(want.options);
  const owner = `${user}:${user}`;
  await guest.run(sh`mkdir -p ${folder}; chown ${owner} ${folder}; chmod 700 ${folder}`);
  const { authority, anew } = await writeCertificates(guest, member, cluster.authority, step.what, { folder, owner, shared: owner });
  const text = optionsText(want, member, passwords, authority);
  const start = () => guest.look(sh`systemctl show --value -p InvocationID ${server}`);
  const told = await start();
  const said = await saidOnceRead(cluster, guest);
  if (!said) await judge(guest, server, user, text);
  else {
    const live = Object.entries(settings(want.options).live).flat();
    const { replica } = logins(authority)[0]!;
    // Written first: a setting may be the last thing that a server is told, for want of a connection after it, and then is seen to be what has to be taken back.
    await guest.write(runningFile, runningHeader(want.options, await guest.look(sh`cat ${runningFile} 2>/dev/null || true`)));
    await tell(guest, cluster.authority, [...Object.entries(users(passwords, authority)).map(setUser), ["CONFIG", "SET", "masteruser", replica.name, "masterauth", replica.password],
      ["CONFIG", "SET", "tls-ca-cert-file", `${folder}/ca.pem`, "tls-cert-file", `${folder}/server.pem`, "tls-key-file", `${folder}/server.key`], ["CONFIG", "SET", ...live]]);
    const { said: then, why } = await viewOf(guest, cluster.authority);
    if (!then) throw new Error(`the server on ${guest.name} does not answer its administrator any more with these settings: ${why}. Take them back in \`configuration\`, or mend them, and run \`pulumi up\``);
    if (anew || (await guest.look(sh`grep -c ${sha256(bundle(authority))} ${optionsFile} 2>/dev/null || true`)).trim() !== "1")
      await showsCertificate(guest, authority, [port, busPort].map((end) => `-connect ${member.address}:${end}`), { folder });
  }
  const wrote = await guest.write(optionsFile, text, { mode: "600", owner });
  // One that was started anew after it was told has read the former file: nobody would see that it runs with that.
  return said && wrote && (await start()) !== told ? configured(cluster, member, step) : said !== undefined;
}

/** Replaces a user whole, in one piece: who is connected stays so, and an ended password ends. */
const setUser = ([name, rules]: [name: string, rules: string]): Command => ["ACL", "SETUSER", name, ...rules.split(" ")];

/** The user of clients alone, of a server that runs and in its file: other settings may have to wait. */
export const secure: Step = async (cluster, { name }) => {
  const { want, authority, passwords } = cluster;
  const guest = await cluster.guest(name);
  const { user } = vendorOf(want.options);
  if (await saidOnceRead(cluster, guest)) await tell(guest, authority, [setUser(["default", clientOf(passwords)])]);
  const text = await guest.look(sh`cat ${optionsFile}`);
  await guest.write(optionsFile, withClient(text, clientLine(passwords)), { mode: "600", owner: `${user}:${user}` });
};

/** Asks the server that is installed whether it would start so: it knows its own settings, no list of ours does. One that listens nowhere has read all of them. Its data directory may not be there yet. */
async function judge(guest: Guest, server: string, user: string, text: string): Promise<void> {
  const answer = await guest.look(sh`runuser -u ${user} -- timeout 10 ${`/usr/bin/${server}`} - --port 0 --tls-port 0 --unixsocket '' --daemonize no --dir /tmp --cluster-enabled no 2>&1 || true`, text.replace(/^dir .*\n/m, ""));
  const wrong = /FATAL CONFIG FILE ERROR[^\n]*\n(?:Reading the configuration file, at line \d+\n)?([^]*)/.exec(answer)?.[1]?.trim().split("\n").slice(0, 2).join(": ");
  if (wrong !== undefined) throw new Error(`the server on ${guest.name} would not start with this configuration: ${wrong}. Mend it in \`configuration\``);
}
