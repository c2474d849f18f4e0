import { byName } from "../provider/datastores";
import type { Cluster, Datastore } from "../provider/datastores/datastore";
import { reason, Refused, TimedOut } from "../provider/errors";
import { holder } from "../provider/guest/lease";
import { sh } from "../provider/guest/shell";
import { mountPoint, usage } from "../provider/guest/volume";
import type { Access, Outputs } from "../provider/inputs";
import { dueOf, givenBefore } from "../provider/machines";
import { describe } from "../provider/plan";
import { observe, wantedOf } from "../provider/reconcile";
import { names, type Member } from "../provider/topology";
import { everyone, flags, reached, type Where } from "./stack";

type AnyDatastore = Datastore<unknown, unknown, string>;

/** From this share of a volume on, it is time to act. */
const full = 0.9;

/** One cluster at this moment, as `--json` prints it: keys are added, and never changed. */
export interface ClusterStatus {
  name: string;
  datastore: string;
  well: boolean;
  /** The run that changes it just now, in that run's words. */
  underWay: string | null;
  members: MemberStatus[];
  /** What the next run would do. Unknown, so empty, while a run is under way, and of one that would refuse. */
  plan: string[];
  wrong: Wrong[];
}

export interface MemberStatus {
  name: string;
  address: string;
  /** The last run did not prove it gone. */
  leaving: boolean;
  role: string;
  state: string;
  /** In words, and in the datastore's own measures. */
  lag: { words: string } & Record<string, number | string> | null;
  /** Bytes of its data volume. */
  disk: { used: number; size: number } | null;
  version: string | null;
}

export interface Wrong {
  /** Of the whole cluster when it is nobody's. */
  member: string | null;
  what: string;
  /** The command that shows more or mends it; null when `what` says the way forward. */
  next: string | null;
}

interface Forecast {
  lines: string[];
  /** Why there are none. */
  refused?: string;
}

/** Looks at all guests of a cluster, side by side. It changes nothing and takes no lease. */
export async function statusOf(state: Outputs, where: Where, say: (line: string) => void): Promise<ClusterStatus> {
  const it = byName(state.datastore);
  const members = everyone(state);
  const { guests, cluster } = reached(state, say);
  const pulumi = (...words: string[]) => sh`pulumi ${[...words, ...flags(where)]}`;
  try {
    // Asked once all are dialled, so that the answer is fresh when the volumes are looked into.
    const dialled = Promise.allSettled(members.map(({ name }) => cluster.guest(name)));
    const holders = dialled.then(() => Promise.all(members.map(({ name }) => cluster.guest(name).then(holder).catch(() => ""))));
    // In the middle of a run it would foretell what that run does, and look into a volume that is just being mounted.
    const foretold = holders.then((held): Promise<Forecast> | Forecast => (held.some(Boolean) ? { lines: [] } : forecast(it, { ...cluster, glance: true }, state)));
    const [looks, held, { lines, refused }] = await Promise.all([Promise.all(members.map((member) => look(it, cluster, member, state, where))), holders, foretold]);
    const underWay = held.find(Boolean) ?? null;
    const wrong: Wrong[] = [
      ...looks.flatMap((each) => each.wrong),
      ...(state.status === "failed" && underWay === null ? [{ member: null, what: "the last `pulumi up` did not come to its end", next: pulumi("up") }] : []),
      ...(refused === undefined ? [] : [{ member: null, what: refused, next: null }]),
      ...(lines.length === 0 ? [] : [{ member: null, what: `as it is now, the next run would do: ${lines.join("; ")}`, next: `${pulumi("refresh")} && ${pulumi("up")}` }]),
    ];
    return { name: state.owner.cluster, datastore: state.datastore, well: wrong.length === 0, underWay, members: looks.map(({ status }) => status), plan: lines, wrong };
  } finally {
    await guests.close();
  }
}

/** The planner's own steps from what is seen now, or why it refuses any. */
async function forecast(it: AnyDatastore, cluster: Cluster<unknown>, state: Outputs): Promise<Forecast> {
  const seen = await observe(it, cluster);
  try {
    return { lines: describe(it.plan({ ...wantedOf(cluster.want), due: dueOf(names(state), givenBefore(state.members, state), state.servers) }, seen)) };
  } catch (error) {
    if (error instanceof Refused) return { lines: [], refused: error.message };
    throw error;
  }
}

async function look(it: AnyDatastore, cluster: Cluster<unknown>, member: Member, state: Outputs, where: Where): Promise<{ status: MemberStatus; wrong: Wrong[] }> {
  const { name, address, server } = member;
  const known = { name, address, leaving: !names(state).includes(name) };
  const told = (what: string, next: string): Wrong => ({ member: name, what, next });
  try {
    const guest = await cluster.guest(name);
    const [{ role, state: says, lag, version = null, wrong }, disk = null] = await Promise.all([it.report(cluster, member), usage(guest)]);
    return {
      status: { ...known, role, state: says, lag: lag ? { words: lag.words, ...lag.measures } : null, disk, version },
      wrong: [
        ...(wrong ? [told(wrong.what, wrong.shownBy ? over(state.access, address, wrong.shownBy) : sh`npx pulumi-openstack-datastores logs ${[name, ...flags(where)]}`)] : []),
        ...(disk && disk.used >= full * disk.size ? [told(`the volume of ${name} is filling up: ${fullness(disk)}`, over(state.access, address, `du -xh --max-depth=2 ${mountPoint} | sort -h`))] : []),
      ],
    };
  } catch (error) {
    return {
      status: { ...known, role: "unreachable", state: error instanceof TimedOut ? error.saw : reason(error), lag: null, disk: null, version: null },
      wrong: [told(`${name} cannot be looked at: ${reason(error)}`, sh`openstack server show ${server}`)],
    };
  }
}

/** The same command for a person who has the key. */
function over({ user, bastion }: Access, address: string, command: string): string {
  const jump = bastion ? ["-J", `${bastion.user}@${bastion.host}${bastion.port === undefined ? "" : `:${bastion.port}`}`] : [];
  return sh`ssh ${[...jump, `${user}@${address}`, user === "root" ? command : `sudo ${command}`]}`;
}

export const fullness = ({ used, size }: { used: number; size: number }): string =>
  `${Math.floor(used / size * 100)} %, ${(used / 2 ** 30).toFixed(1)} of ${(size / 2 ** 30).toFixed(1)} GiB`;
