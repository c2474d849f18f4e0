import { Refused } from "../../errors";
import { oneByOne, together, type Step } from "../../plan";

export type Do = "install" | "mount" | "configure" | "bootstrap" | "secure" | "join" | "verify";

/** What lies in a member's data directory while its server is down. */
export type Data =
  | { is: "none" }
  | { is: "whole" | "partial"; uuid: string; seqno: number; safeToBootstrap: boolean };

export interface Prepared {
  installed: boolean;
  mounted: boolean;
  configured: boolean;
  /** The volume's marker says that it once held the whole data. */
  hasHadData: boolean;
}

export type Sight =
  | { is: "unreachable"; why: string }
  | { is: "foreign"; why: string }
  | { is: "down"; data: Data } & Prepared
  | { is: "starting" } & Prepared
  | { is: "up"; primary: boolean; state: string; size: number; uuid: string; secured: boolean } & Prepared;

/** Pure: the steps from what is seen to a running cluster of `members`. */
export function plan(members: string[], seen: Record<string, Sight>): Step<Do>[] {
  const sights = members.map((name) => [name, seen[name] ?? { is: "unreachable", why: "not looked at" }] as const);
  const refusal = unsafe(sights);
  if (refusal) throw refusal;

  const where = (holds: (sight: Sight & Prepared) => boolean) =>
    sights.filter(([, sight]) => "installed" in sight && holds(sight)).map(([name]) => name);
  const running = where(runs);
  const seed = running.length === 0 ? [seedOf(sights)] : [];
  const steps: Step<Do>[] = [
    ...together("install", where((sight) => !sight.installed)),
    ...together("mount", where((sight) => !sight.mounted)),
    ...together("configure", where((sight) => !sight.configured)),
    ...together("bootstrap", seed),
    ...together("secure", where((sight) => sight.is === "up" && !sight.secured).length > 0 ? running.slice(0, 1) : seed),
    ...oneByOne("join", members.filter((name) => ![...running, ...seed].includes(name))),
  ];
  return steps.length > 0 || where((sight) => !sight.hasHadData).length > 0 ? [...steps, { do: "verify", on: members }] : [];
}

/** Part of the running cluster. A donor is, for as long as it gives its data to a joiner or a backup. */
export const inCluster = (primary: boolean, state = ""): boolean => primary && ["Synced", "Donor/Desynced"].includes(state);

const runs = (sight: Sight) => sight.is === "up" && inCluster(sight.primary, sight.state);

/** The history that a member runs, or that its whole data belong to. */
const historyOf = (sight: Sight): string | undefined =>
  sight.is === "up" ? (/^[0-]+$/.test(sight.uuid) ? undefined : sight.uuid) : sight.is === "down" && sight.data.is === "whole" ? sight.data.uuid : undefined;

type Sights = (readonly [name: string, sight: Sight])[];

/** Nothing is planned while a member is unknown, a disk is not ours, or there are two histories or no quorum. */
function unsafe(sights: Sights): Refused | undefined {
  const those = (is: (sight: Sight) => boolean) => sights.filter(([, sight]) => is(sight));
  const unreachable = those(({ is }) => is === "unreachable");
  if (unreachable.length > 0)
    return new Refused("every member and its volume must be seen before anything is changed", evidence(unreachable),
      "start the server, mend its network or attach its volume, then run `pulumi up` again; `openstack server show` tells its state");
  const foreign = those(({ is }) => is === "foreign");
  if (foreign.length > 0)
    return new Refused("a volume that we did not format is never touched", evidence(foreign),
      "empty the volume yourself if its data may go, or give the member another volume");
  const emptied = those((sight) => sight.is === "down" && sight.hasHadData && sight.data.is === "none");
  if (emptied.length > 0)
    return new Refused("a member whose data vanished neither starts a cluster nor joins one", evidence(sights),
      "attach the volume that holds its data; if that is lost and other members run, delete the member's server and volume, then `pulumi refresh` and `pulumi up`");
  const up = those(({ is }) => is === "up");
  const running = up.filter(([, sight]) => runs(sight));
  if (running.length === 0 && those(({ is }) => is === "up" || is === "starting").length > 0)
    return new Refused("no cluster is bootstrapped while a member is up", evidence(sights),
      "wait a minute for the members to find each other, then run `pulumi up` again");
  const histories = new Set(sights.map(([, sight]) => historyOf(sight)).filter(Boolean));
  if (up.length > 0 && histories.size > 1)
    return new Refused("a member with another history is no part of this cluster, and a join would erase it", evidence(sights),
      "two clusters exist: decide which data is right, and stop MariaDB and move the data directory aside on the members of the other");
  const outside = up.filter(([, sight]) => sight.is === "up" && !sight.primary);
  if (outside.length > 0)
    return new Refused("a member that runs outside the cluster must find back before anything is changed", evidence(sights),
      "mend its network and wait a minute, or run `systemctl restart mariadb` on it; then run `pulumi up` again");
  const sizes = new Set(running.map(([, sight]) => (sight as { size: number }).size));
  const [size = 0] = sizes;
  if (running.length > 0 && (sizes.size > 1 || size < running.length || size > sights.length))
    return new Refused("members that run must be one cluster of nobody else", evidence(sights),
      "if members are just finding each other, run `pulumi up` again; else stop MariaDB on those that do not belong together");
  return undefined;
}

/** The member a cluster is started from: the only one that holds data, else the first. */
function seedOf(sights: Sights): string {
  const holders = sights.filter(([, sight]) => sight.is === "down" && sight.data.is !== "none");
  if (holders.length === 0) return sights[0]![0];
  const [[name, sight]] = holders as [Sights[number]];
  if (holders.length > 1 || (sight.is === "down" && sight.data.is === "partial"))
    throw new Refused("a cluster that is down with data on several members is not started by this version", evidence(sights),
      "start MariaDB by hand on the member with the newest data as MariaDB's documentation on full outages says, then run `pulumi up` again");
  return name;
}

/** What was seen, one clause a member. */
export const evidence = (sights: Sights): string =>
  sights.map(([name, sight]) => `${name} ${words(sight)}`).join("; ");

function words(sight: Sight): string {
  switch (sight.is) {
    case "unreachable": return `cannot be seen (${sight.why})`;
    case "foreign": return `has a volume that is not ours (${sight.why})`;
    case "starting": return "is starting";
    case "up": return `is up (${sight.primary ? "Primary" : "non-Primary"}, ${sight.state}, size ${sight.size}, ${sight.uuid})`;
    case "down": return sight.data.is === "none" ? `is down without data${sight.hasHadData ? ", but once had some" : ""}`
      : `is down with ${sight.data.is} data ${sight.data.uuid}:${sight.data.seqno}${sight.data.safeToBootstrap ? " (safe to bootstrap)" : ""}`;
  }
}
