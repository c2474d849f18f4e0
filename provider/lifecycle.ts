import type { dynamic } from "@pulumi/pulumi";
import { Admission } from "./admission";
import { changed, type Document, type Raw } from "./check";
import { byName } from "./datastores";
import type { Datastore } from "./datastores/datastore";
import { cloudOf, type Cloud } from "./cloud";
import { credentials } from "./credentials";
import { needsNoGuest, refreshed } from "./diff";
import { endWithEngine } from "./engine";
import { reason } from "./errors";
import { forecast, outdatedBy } from "./forecast";
import type { Guest } from "./guest/guest";
import { lease } from "./guest/lease";
import { inputs, outputs, parse, type Inputs, type Outputs } from "./inputs";
import { formerKeys } from "./keys";
import { givenBefore, Machines } from "./machines";
import { OpenStack } from "./openstack";
import { broken, placesOf } from "./placement";
import { loginSeconds, reach } from "./reach";
import { observe, reconcile } from "./reconcile";
import { leavers, names, type Member } from "./topology";
import { plain } from "./wire";

export { check } from "./check";
export { diff } from "./diff";
export { check as checkRequirements, create as createRequirements, update as updateRequirements } from "./requirements";

const say = (line: string) => console.log(line);

export async function create(news: Raw): Promise<dynamic.CreateResult> {
  // The steps that `check` announced.
  const announced = Object.values((news as Pick<Inputs, "plan">).plan).flat();
  return { id: (news as Document).owner.cluster, outs: await converge(news, announced) };
}

export async function update(_id: string, olds: Outputs, news: Raw): Promise<dynamic.UpdateResult> {
  if (needsNoGuest(olds, news, changed(olds, news))) return { outs: plain({ ...olds, ...Object.fromEntries(changed(olds, news).map((key) => [key, undefined])), ...news }) };
  return { outs: await converge(news, forecast(olds, news as Document).lines, olds) };
}

/** Create and update are one: both look first, for neither the call's name nor an empty state proves that nothing exists. */
async function converge(raw: Raw, announced: string[], olds?: Outputs): Promise<Raw> {
  endWithEngine();
  const news = parse(inputs, raw, "cluster");
  const it = byName(news.datastore);
  const [title = ""] = Object.keys(news.plan);
  const leaving = leavers(news, olds?.known ?? []);
  const former = formerKeys(news.access.privateKey, olds);
  const { guests, cluster } = reach(news, { leaving, pins: olds?.pins ?? {}, former, say });
  const cloud = nova(news);
  const machines = new Machines(news.members, news.servers, givenBefore(news.members, olds), cloud);
  const result = async (status: Outputs["status"], known: Member[], { seen, unreached }: Look) =>
    plain({ ...raw, stateVersion: 1, status, known, seen: Object.fromEntries(names({ members: known }).map((name) => [name, seen[name]])), unreached, ...machines.given, warnings: await warningsOf(it, news, cloud, olds?.warnings), pins: await guests.shown(known), ...(status === "failed" && former.length > 0 && { formerKeys: former }) });
  try {
    for (const [name, keys] of Object.entries(await machines.keysOfCutRebuilds())) guests.renew(name, keys);
    // One that cannot be reached holds no lease: the planner sees it so, and says what that means.
    const everyone = names({ members: [...news.members, ...leaving] }).sort();
    const members = (await Promise.allSettled(everyone.map(guests.reach))).flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
    const held = await lease(members, cluster.run, `${news.owner.project}/${news.owner.stack}: ${title}`);
    try {
      /** Its guest ends, and another comes, which shows the host keys of the one before or those that `act` answers. */
      const through = async (member: Member, act: (say: Guest["say"]) => Promise<string[] | void>) => {
        const guest = await guests.reach(member.name);
        await held.through(guest, async () => guests.again(member.name, await act(guest.say)));
      };
      const resize = (member: Member) => through(member, (say) => machines.resize(member, say));
      const rebuild = (member: Member) => through(member, (say) => machines.rebuild(member, say));
      const keys = new Admission(news, former, guests, held, machines);
      const names = members.map(({ name }) => name);
      await keys.admit([...news.members, ...leaving].filter(({ name }) => names.includes(name)));
      const seen = await reconcile(it, { ...cluster, due: () => machines.due(), resize, rebuild }, announced, (line) => console.log(`[${news.owner.cluster}] ${line}`));
      await keys.dismiss(news.members);
      return await result("ready", news.members, { seen: it.kept(seen), unreached: [] });
    } finally {
      await held.release();
    }
  } catch (error) {
    // Thrown with an id, Pulumi keeps these properties and calls update at the next `up`. It prints only `reasons`.
    const reasons = error instanceof AggregateError ? error.errors.map(reason) : [reason(error)];
    const known = [...news.members, ...leaving];
    // What was seen of another server under the same name is nothing to remember. Of who is not reached now it is not known whether it has got what this run brought.
    const same = known.filter(({ name, server }) => olds?.seen[name] !== undefined && olds.known.some((old) => old.name === name && old.server === server));
    const outdated = olds && outdatedBy(olds, news);
    const before = Object.fromEntries(names({ members: same }).map((name) => [name, leaving.some((each) => each.name === name) ? olds!.seen[name] : outdated!(olds!.seen[name])]));
    const properties = await result("failed", known, remembering(it, before, await observe(it, cluster)));
    throw Object.assign(new Error(reasons.join("\n"), { cause: error }), { id: news.owner.cluster, reasons, properties });
  } finally {
    await guests.close();
  }
}

/**
 * Serves `pulumi refresh`: what is seen now. It never throws, and a guest that cannot be reached changes
 * neither `status` nor what was seen of it.
 */
export async function read(id: string, props: Outputs): Promise<dynamic.ReadResult> {
  refreshed.add(id);
  try {
    return { id, props: await look(parse(outputs, props, "state"), props) };
  } catch (error) {
    console.log(`[${id}] refresh could not look: ${reason(error)}`);
    return { id, props };
  }
}

async function look(olds: Outputs, props: Outputs): Promise<Raw> {
  const it = byName(olds.datastore);
  const { guests, cluster } = reach(olds, { leaving: leavers(olds, olds.known), pins: olds.pins, former: olds.formerKeys, seconds: loginSeconds, say });
  try {
    const now = await observe(it, { ...cluster, glance: olds.maintenance });
    const { seen, unreached } = remembering(it, olds.seen, now);
    for (const name of unreached) console.log(`[${olds.owner.cluster}] ${name} cannot be seen (${it.unseen(now[name])}); what was seen of it before is kept`);
    return plain({ ...props, seen, unreached, warnings: await warningsOf(it, olds, nova(olds), olds.warnings), pins: await guests.shown(olds.known) });
  } finally {
    await guests.close();
  }
}

/** The cloud that the servers are in, where there is access to it: looked for when it is first asked. */
function nova({ cloud: name }: Pick<Inputs, "cloud">): () => Promise<Cloud | undefined> {
  let cloud: Promise<Cloud | undefined> | undefined;
  return () => cloud ??= credentials(name).then((access) => access && cloudOf(new OpenStack(access)));
}

/** What the cloud has not kept, said where that is news; as before where it does not tell. */
async function warningsOf(it: Pick<Datastore<unknown, unknown, string>, "group">, { owner, members, servers }: Inputs, cloud: () => Promise<Cloud | undefined>, before?: string[]): Promise<string[] | undefined> {
  const nova = await cloud().catch(() => undefined);
  const places = nova && await placesOf(members, (server) => nova.server(server));
  if (!places || Object.values(places).every((place) => place === undefined)) return before;
  const warnings = broken(names({ members }), it.group, places, servers);
  for (const warning of warnings.filter((each) => !before?.includes(each))) console.log(`[${owner.cluster}] warning: ${warning}`);
  return warnings;
}

type Look = Pick<Outputs, "seen" | "unreached">;

/** Not to have reached a guest now is no news of it: what was seen of it before stays. */
function remembering(it: Datastore<unknown, unknown, string>, before: Record<string, unknown>, now: Record<string, unknown>): Look {
  const unreached = Object.keys(now).filter((name) => it.unseen(now[name]) !== undefined);
  return { seen: Object.fromEntries(Object.entries(it.kept(now)).map(([name, sight]) => [name, unreached.includes(name) ? before[name] ?? sight : sight])), unreached };
}

/** Needs no guest: the servers go with it, and draining member after member would only take time. */
export async function remove(_id: string, props: Outputs): Promise<void> {
  if (props.deletionProtection)
    throw new Error(`${props.owner.cluster} is protected from deletion: set deletionProtection to false, run \`pulumi up\`, then destroy`);
}
