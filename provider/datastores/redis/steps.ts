import { dirname } from "node:path/posix";
import { CommandFailed, Refused, TimedOut } from "../../errors";
import { isOlder } from "../../hops";
import { eventually } from "../../guest/eventually";
import { letStart, signed } from "../../guest/guard";
import type { Guest } from "../../guest/guest";
import { installedVersion, majorOf } from "../../guest/packages";
import { sh } from "../../guest/shell";
import { tookSettings } from "../../guest/silent";
import { hold as holdVolume, isHeld, lookAtVolume, mark, mountPoint, release } from "../../guest/volume";
import type { Step as Planned } from "../../plan";
import { once } from "../../shared";
import { names, type Member } from "../../topology";
import { addressOf, ask, isEstranged, tell, viewOf, type Command, type Redis, type Said } from "./client";
import { dataFile, dataPath, nodesFile, port, vendorOf } from "./configuration";
import { agreed, answers, chooses, dataSeconds, everyone, followed, follows, gateSeconds, linked, saidBy, silent } from "./gates";
import { move } from "./move";
import { hasFailed, isKnown, isSelf } from "./nodes";
import { isDown, unitState } from "./observe";
import type { Do } from "./plan";
import { configure, configured, guarded, install, mount, refuseOtherThanOthers, secure, type Step } from "./prepare";
import { shardOf } from "./sight";
import { evenly, joined, missing, read, type Slots } from "./slots";

/** Its keys are gone and others have them: it begins anew, under another identity. What is left of the old one goes aside, and is there before the mark is: marked first, a cut would have it start as who it was. */
const clean: Step = async ({ guest: reach, want }, member) => {
  const guest = await reach(member.name);
  const aside = `${dataPath}.emptied-${new Date().toISOString().slice(0, 19).replace(/\D/g, "")}`;
  await guest.run(sh`[ ! -e ${dataPath} ] || mv -T ${dataPath} ${aside}
sync -f ${mountPoint}`);
  await mark(guest, want.owner, member, { hasHadData: false, left: false });
};

/** Whether a server runs with other users than this run's. */
const isStrange = async (cluster: Redis, guest: Guest): Promise<boolean> => isEstranged((await viewOf(guest, cluster.authority)).why);

/** Starts a server, with the identity that lies with its data, or as a new one. A replica of a cluster that was stopped starts once the primaries agree, for it follows one of them. */
const start: Step = async (cluster, member, step) => {
  const guest = await cluster.guest(member.name);
  const { server, user } = vendorOf(cluster.want.options);
  const writtenThrough = dirname(`${dataPath}/${nodesFile}`);
  await refuseOtherThanOthers(cluster, member);
  if (step.what === "replicas") await once(step, () => agreed(cluster, everyone(cluster), guest));
  await release(guest, cluster.want.owner, member);
  const [{ hasHadData, left }] = await lookAtVolume(guest, cluster.want.owner, member, ":");
  if (left) {
    // It left with its keys, which others have: it comes back as a new one.
    await clean(cluster, member, { do: "clean", on: [member.name] });
  }
  await guest.run(`${letStart}\n${sh`[ -d ${dataPath} ] || install -d -o ${user} -g ${user} -m 700 ${dataPath}
[ -d ${writtenThrough} ] || install -d -o ${user} -g ${user} -m 700 ${writtenThrough}
xfs_io -c "chattr +s" ${writtenThrough}
systemctl enable --quiet ${server}
systemctl reset-failed ${server} 2>/dev/null || true
systemctl ${!hasHadData && (await isStrange(cluster, guest)) ? "restart" : "start"} --no-block ${server}`}`);
  await answers(cluster, guest, hasHadData ? dataSeconds : gateSeconds);
};

/** The first of each shard makes the cluster: each with an epoch of its own before they meet, for no two may have the same. */
const bootstrap: Step = async (cluster) => {
  const { want, authority } = cluster;
  const heads = [...new Set(names(want).map(shardOf))].map((shard) => names(want).find((name) => shardOf(name) === shard)!);
  const guests = await Promise.all(heads.map(cluster.guest));
  const before = await saidBy(cluster, heads);
  for (const [index, name] of heads.entries()) {
    if (!before.has(name)) silent(name);
    const [keys] = await ask(guests[index]!, authority, [["DBSIZE"]]);
    if (keys !== 0) throw new Refused("a cluster is made of empty members", `${name} holds ${String(keys)} keys`, "empty it yourself if its keys may go, or give the member another volume");
  }
  for (const [index, name] of heads.entries()) {
    const { nodes } = before.get(name)!;
    if (nodes.length === 1 && nodes.find(isSelf)!.epoch === 0) await tell(guests[index]!, authority, [["CLUSTER", "SET-CONFIG-EPOCH", index + 1]]);
  }
  await tell(guests[0]!, authority, heads.slice(1).map((name) => ["CLUSTER", "MEET", addressOf(cluster, name), port]));
  await eventually(`${heads.join(", ")} to know each other`, { seconds: gateSeconds, say: guests[0]!.say }, async () => {
    const said = await saidBy(cluster, heads);
    const ids = [...said.values()].map(({ id }) => id);
    const strangers = heads.filter((name) => !ids.every((id) => said.get(name)?.nodes.some((node) => node.id === id && isKnown(node))));
    return strangers.length === 0 ? true : `${strangers.join(", ")} do not know all`;
  });
  const owned = new Map([...(await saidBy(cluster, heads))].map(([name, { nodes }]) => [name, read(nodes.find(isSelf)!.slots)]));
  const nobodys = missing(joined(...owned.values()));
  const dealt = evenly(heads.length);
  for (const [index, guest] of guests.entries()) {
    const ranges = common(dealt[index]!, nobodys).flatMap(([first, last]) => [first, last]);
    if (ranges.length > 0) await tell(guest, authority, [["CLUSTER", "ADDSLOTSRANGE", ...ranges]]);
  }
  await agreed(cluster, heads, guests[0]!, "in");
};

const common = (some: Slots, others: Slots): Slots => missing(joined(missing(some), missing(others)));

/** Meets the cluster, and follows who owns the slots of its shard. */
const join: Step = async (cluster, member) => {
  const { authority } = cluster;
  const guest = await cluster.guest(member.name);
  const before = await saidBy(cluster, everyone(cluster));
  const own = before.get(member.name) ?? silent(member.name);
  const inIt = [...before].filter(([name, { nodes }]) => name !== member.name && nodes.length > 1);
  if (inIt.length === 0) throw new Refused("a member joins a cluster that runs", "no other member is in one", "run `pulumi up` again: it plans from what it then sees");
  const knows = ({ nodes }: Said, { id }: Said) => nodes.some((node) => node.id === id && isKnown(node));
  // Both ways: one that lost power right after it was met may have written nobody down, and hears none of those that know it.
  const strangers = inIt.filter(([, other]) => !knows(other, own) || !knows(own, other)).map(([name]) => name);
  // Who has forgotten it lets nobody else tell it again for a minute; of one that is new the others hear.
  for (const name of strangers.length === inIt.length ? strangers.slice(0, 1) : strangers)
    await tell(await cluster.guest(name), authority, [["CLUSTER", "MEET", addressOf(cluster, member.name), port]]);
  const now = await agreed(cluster, [...inIt.map(([name]) => name), member.name], guest, "in");
  const self = now.get(member.name)!.nodes.find(isSelf)!;
  const ofShard = [...now].filter(([name]) => name !== member.name && shardOf(name) === shardOf(member.name)).map(([, said]) => said.nodes.find(isSelf)!);
  const primary = ofShard.find(({ slots, of }) => of === undefined && slots !== "") ?? (self.slots === "" ? ofShard.find(({ of }) => of === undefined) : undefined);
  if (!primary || self.slots !== "") return;
  if (self.of !== primary.id) await tell(guest, authority, [["CLUSTER", "REPLICATE", primary.id]]);
  await follows(cluster, guest, primary.id);
};

/** Hands over a shard to a replica that has all, without a write lost: its primary holds writes for as long. */
const promote: Step = async (cluster, member) => {
  const guest = await cluster.guest(member.name);
  const isPrimary = async () => {
    const { said } = await viewOf(guest, cluster.authority);
    const self = said?.nodes.find(isSelf);
    return self !== undefined && self.of === undefined && self.slots !== "";
  };
  const ofShard = everyone(cluster).filter((name) => shardOf(name) === shardOf(member.name) && name !== member.name);
  const older = await olderThan(cluster, member.name);
  const runs = async (name: string) => !isDown(await unitState(await cluster.guest(name), cluster));
  // Until its own server is made anew an older one follows it. What it then misses a newer one cannot give it whole, so it never takes over again.
  for (const name of older) if (await runs(name)) await tell(await cluster.guest(name), cluster.authority, [["CONFIG", "SET", "cluster-replica-no-failover", "yes"]]);
  await linked(cluster, guest);
  // A failover that does not end within 5 s is given up by the replica itself: it is asked again.
  for (let tries = 1; !(await isPrimary()); tries++) {
    if (tries > 5) throw new Error(`${member.name} does not take over: see \`sudo journalctl -u ${vendorOf(cluster.want.options).server}\` there`);
    await tell(guest, cluster.authority, [["CLUSTER", "FAILOVER"]]);
    await eventually(`${member.name} to take over`, { seconds: 10, every: 100 }, async () => ((await isPrimary()) ? true : "it is a replica")).catch((error) => {
      if (!(error instanceof TimedOut)) throw error;
    });
  }
  const { id } = (await saidBy(cluster, [member.name])).get(member.name)!;
  for (const name of ofShard) if (await runs(name)) await (older.includes(name) ? chooses : follows)(cluster, await cluster.guest(name), id);
};

/** Others of its shard that have an older major version installed than a member has. */
async function olderThan(cluster: Redis, name: string): Promise<string[]> {
  const versionOf = async (each: string) => majorOf(await (await cluster.guest(each)).look(`${installedVersion(vendorOf(cluster.want.options).server)} || true`));
  const own = await versionOf(name);
  const ofShard = everyone(cluster).filter((each) => each !== name && shardOf(each) === shardOf(name));
  const others = await Promise.all(ofShard.map(versionOf));
  return own === undefined ? [] : ofShard.filter((_, index) => others[index] !== undefined && isOlder(others[index]!, own));
}

/** Leaves once it owns nothing, as all others see it: it stops, and all forget it within the minute in which none may tell another of it. */
const leave: Step = async (cluster, member) => {
  const guest = await cluster.guest(member.name);
  const stay = everyone(cluster).filter((name) => name !== member.name);
  const said = await saidBy(cluster, stay);
  const { said: own } = await viewOf(guest, cluster.authority);
  const id = own?.id;
  for (const [name, { nodes }] of said) {
    const seen = nodes.find((node) => node.id === id);
    if (seen && seen.slots !== "") throw new Refused("nobody leaves who owns slots", `${name} says that ${member.name} owns ${seen.slots}`, "run `pulumi up` again: it plans from what it then sees");
  }
  const { server } = vendorOf(cluster.want.options);
  await mark(guest, cluster.want.owner, member, { hasHadData: true, left: true });
  await guest.run(sh`systemctl disable --quiet ${server}; systemctl stop ${server}`);
  if (id !== undefined) await forget(cluster, [...said].filter(([, { nodes }]) => nodes.some((node) => node.id === id)).map(([name]) => name), [id]);
};

/** All at once: one that still knows it would tell the others again. */
async function forget(cluster: Redis, among: string[], ids: string[]): Promise<void> {
  await Promise.all(among.map(async (name) => tell(await cluster.guest(name), cluster.authority, ids.map((id): Command => ["CLUSTER", "FORGET", id]))));
}

/** Who has a link to this primary, of those that answer. */
const followersOf = (id: string, said: Map<string, Said>): string[] =>
  [...said].filter(([, { nodes, info }]) => nodes.find(isSelf)!.of === id && info.master_link_status === "up").map(([name]) => name);

/** Who is primary is read again: a failover since the plan was made may have given a member its slots back. */
async function refusePrimary(cluster: Redis, member: Member): Promise<Map<string, Said>> {
  const before = await saidBy(cluster, everyone(cluster));
  const id = before.get(member.name)?.nodes.find(isSelf)!.slots ? before.get(member.name)!.id : undefined;
  const [heir] = id === undefined ? [] : followersOf(id, before);
  if (heir !== undefined)
    throw new Refused("a primary is restarted once another of its shard has taken over", `${member.name} is the primary, and ${heir} follows it: a failover came between`, "run `pulumi up` again: it plans from what it then sees");
  return before;
}

/** Takes the settings that wait for it. */
const restart: Step = async (cluster, member, step) => {
  let guest = await cluster.guest(member.name);
  const { server } = vendorOf(cluster.want.options);
  // On the edge of what silences it, one answers now and then: what it then takes live needs no restart.
  if (step.what === "silent" && (await viewOf(guest, cluster.authority)).said && (await tookSettings(guest, configured(cluster, member, step)))) return;
  const before = await refusePrimary(cluster, member);
  await stop(cluster, guest);
  if (step.do === "resize") {
    await cluster.resize!(member);
    guest = await cluster.guest(member.name);
  }
  // It has started, says systemd, once it has read its data, which is waited for below.
  await guest.run(`${letStart}\n${sh`systemctl start --no-block ${server}`}`);
  await answers(cluster, guest, dataSeconds);
  const { id, nodes } = (await saidBy(cluster, [member.name])).get(member.name) ?? silent(member.name);
  const { of } = nodes.find(isSelf)!;
  // Until it follows again, or those that did follow it, there is nobody who could take over.
  if (of !== undefined) await follows(cluster, guest, of);
  else await followed(cluster, guest, id, followersOf(id, before));
  await agreed(cluster, everyone(cluster), guest);
};

/** A restart in the middle of which the server gets its flavor. Whose database does not run is in nobody's way. */
const resize: Step = (cluster, member, step) => (step.what === "idle" ? cluster.resize!(member) : restart(cluster, member, step));

/** Ends a member, for its server to get a new disk with its image. Whose database does not run is in nobody's way. */
const rebuild: Step = async (cluster, member, step) => {
  const guest = await cluster.guest(member.name);
  const { server } = vendorOf(cluster.want.options);
  const installed = majorOf(await guest.look(`${installedVersion(server)} || true`));
  const hops = installed !== undefined && cluster.want.options.version !== undefined && installed !== cluster.want.options.version;
  if (hops) await guarded(cluster, guest);
  if (step.what !== "idle") {
    await refusePrimary(cluster, member);
    await stop(cluster, guest);
  }
  // Who opened the data last lies with them before another can.
  if (hops) await guest.run(signed);
  await cluster.rebuild!(member);
};

/**
 * Stops a member, with its data saved, until its cluster is started again. It is marked before it stops: a boot in between starts it no more. Before the first replica stops all agree; before
 * a primary does nobody follows it any more, or a failover came between.
 */
const hold: Step = async (cluster, member, step) => {
  const guest = await cluster.guest(member.name);
  await once(step, () => mayRest(cluster, step, guest));
  await guarded(cluster, guest);
  await holdVolume(guest, cluster.want.owner, member);
  await stop(cluster, guest);
};

/**
 * Stops a server. What one of `snapshots` has in memory alone, with no setting `save`, a stop by systemd would not write; of one that cannot write it, none is stopped. It answers that by
 * ending the connection.
 */
async function stop({ authority, want: { options } }: Redis, guest: Guest): Promise<void> {
  if (options.persistence === "snapshots" && (await viewOf(guest, authority)).said)
    await tell(guest, authority, [["SHUTDOWN", "SAVE"]]).catch((error) => {
      if (!(error instanceof CommandFailed && error.stderr.includes("ended the connection"))) throw error;
    });
  await guest.run(sh`systemctl stop ${vendorOf(options).server}`);
}

/** Before one is held of a cluster that runs all are in and agree. Of those that stop side by side none follows another. */
async function mayRest(cluster: Redis, { on }: Planned<Do>, teller: Guest): Promise<void> {
  let said = await saidBy(cluster, everyone(cluster));
  const begun = (await Promise.all(everyone(cluster).map(async (name) => isHeld(await cluster.guest(name))))).includes(true);
  if (said.size > 0 && !begun) said = await agreed(cluster, names(cluster.want), teller, "exactly");
  const ofStep = new Map([...said].filter(([name]) => on.includes(name)).map(([name, { id, nodes }]) => [id, { name, of: nodes.find(isSelf)!.of }]));
  const followed = [...ofStep.values()].flatMap(({ name, of }) => (of !== undefined && ofStep.has(of) ? [`${name} follows ${ofStep.get(of)!.name}`] : []));
  if (followed.length > 0) throw new Refused("a primary stops once nobody follows it", `${followed.join(", ")}: a failover came between`, "run `pulumi up` again: it plans from what it then sees");
}

/** All members agree, steadily, and each follows or serves; from now on an emptied volume keeps its member from starting. */
const verify: Step = async (cluster, member, step) => {
  const guest = await cluster.guest(member.name);
  await once(step, () => tidied(cluster, guest));
  await guest.run(sh`systemctl enable --quiet ${vendorOf(cluster.want.options).server}`);
  if (cluster.want.options.persistence === "snapshots") await snapshot(cluster, guest);
  await mark(guest, cluster.want.owner, member, { hasHadData: true, left: false });
};

/** A server that has written no snapshot yet writes one: without it a volume that is said to hold data counts as emptied, and its member would not start. */
async function snapshot({ authority, want: { options } }: Redis, guest: Guest): Promise<void> {
  let told = false;
  await eventually(`${guest.name} to have a snapshot`, { seconds: dataSeconds, say: guest.say }, async () => {
    if ((await guest.look(sh`[ ! -e ${`${dataPath}/${dataFile(options)}`} ] || echo yes`)) !== "") return true;
    const { said, why } = await viewOf(guest, authority);
    if (!said) return why;
    if (said.info.rdb_bgsave_in_progress === "1") return "it is being written";
    if (told && said.info.rdb_last_bgsave_status === "err") throw new Error(`${guest.name} could not write a snapshot: see \`sudo journalctl -u ${vendorOf(options).server}\` there`);
    await tell(guest, authority, [["BGSAVE", "SCHEDULE"]]);
    told = true;
    return "it is begun";
  });
}

/** Takes away what cuts have left in the members' tables, and waits until they agree. While one does not answer nobody knows which node it is: none is forgotten then. */
async function tidied(cluster: Redis, teller: Guest): Promise<void> {
  const all = names(cluster.want);
  const said = await saidBy(cluster, all);
  const ids = [...said.values()].map(({ id }) => id);
  // Moves that were cut are done by now: what still says so is a mark that nobody took away. Of a replica it is its primary's word.
  for (const [name, { nodes }] of said) {
    const { open, of } = nodes.find(isSelf)!;
    if (open.length > 0 && of === undefined) await tell(await cluster.guest(name), cluster.authority, open.map(({ slot }): Command => ["CLUSTER", "SETSLOT", slot, "STABLE"]));
  }
  const gone = [...said.values()].flatMap(({ nodes }) => nodes.filter((node) => !ids.includes(node.id) && hasFailed(node) && node.slots === "").map((node) => node.id));
  if (said.size === all.length)
    for (const id of new Set(gone)) await forget(cluster, all.filter((name) => said.get(name)!.nodes.some((node) => node.id === id)), [id]);
  await agreed(cluster, all, teller, "exactly");
}

export const steps: Record<Do, Step> = { install, mount, configure, secure, clean, start, bootstrap, join, move, promote, leave, restart, resize, rebuild, hold, verify };
