import type { dynamic } from "@pulumi/pulumi";
import { byArgument, memoryOf, repeated, schemaFailures, unreachableNova, type Raw } from "./check";
import type { Needs } from "./guest/machine";
import type { Facts, Named } from "./index";
import { changedServers, flavorOf, newVolumeSize, rebuilt, resized } from "./servers";
import { failure, hasUnknown } from "./wire";

interface Asked {
  cluster: string;
  members: string[];
  /** Whose server is made again: after it is gone it would be late to learn that there is no image. */
  replace?: string[];
  /** Whose members are each to be on another host; all are one group where it is left out. */
  groups?: Record<string, string[]>;
  servers: {
    flavor: string;
    image: string;
    network: string;
    locality?: string;
    volumeType?: string;
    availabilityZones?: string[];
    volumeSize: number;
    memberOverrides?: Record<string, { zone?: string; networks?: string[]; flavor?: string }>;
  };
}

type Wrong = dynamic.CheckFailure[];

/**
 * Judges what is new: the document of a new cluster, which itself is looked at only when all servers are made; members that
 * come, and those whose server is to be made again. What was accepted stays so, for a cluster goes on when its image is
 * long gone, and what a cut `up` made already is no need any more.
 */
export async function check(olds: Partial<Asked> | undefined, news: Asked & { document: Raw; facts: Facts; late?: unknown }): Promise<dynamic.CheckResult> {
  const { document, facts, late, ...asked } = news;
  const first = olds?.members === undefined;
  const added = asked.members.filter((name) => !olds?.members?.includes(name));
  const again = asked.replace?.filter((name) => !olds?.replace?.includes(name)) ?? [];
  const come = asked.members.filter((name) => added.includes(name) || again.includes(name));
  const stay = asked.members.filter((name) => olds?.members?.includes(name));
  const others = olds?.servers ? [...resized(olds.servers, asked.servers, stay), ...rebuilt(olds.servers, asked.servers, stay)] : [];
  const changes = [...ignored(olds, asked, stay), ...parted(olds, asked), ...(olds?.servers ? await unreachableNova(olds.servers, asked.servers, stay, document.cloud) : [])];
  const wrong = [
    ...(first ? byArgument(document, [...schemaFailures(document), ...repeated(document)]) : []), ...changes,
    ...(changes.length > 0 || hasUnknown([asked, facts, late]) ? [] : [...(first ? taken(asked, facts) : []), ...missing(asked, come, others, facts, memoryOf(document)), ...exceeded(asked, added, facts, olds)]),
  ];
  if (added.length > 0 && wrong.length === 0) caution(asked, first);
  return { inputs: asked, failures: wrong.map(failure) };
}

export const create = async (asked: Asked): Promise<dynamic.CreateResult> => ({ id: asked.cluster, outs: asked });
export const update = async (_id: string, _olds: unknown, asked: Asked): Promise<dynamic.UpdateResult> => ({ outs: asked });

/**
 * A run that was cut has made some of it, and no cluster, or one that does not know the new members yet: neither could refuse a change.
 * Whether a thing is made is not known here, so none of them may change.
 */
function ignored(olds: Partial<Asked> | undefined, { servers }: Asked, stay: string[]): Wrong {
  if (!olds?.servers) return [];
  return changedServers(olds.servers, servers, stay).map(({ argument, was, why }) => ({
    property: argument,
    reason: `what is there was made ${before(was)}, and changing it ${why}; set it back. Or, if no \`pulumi up\` has made the cluster yet, let all be made anew: \`pulumi destroy\`, then \`pulumi up\``
      + (argument === "memberOverrides" ? "; if none has brought the member into it yet, only that member: take it back, `pulumi up`, then ask for it again" : ""),
  }));
}

/** Of who is named no more anew the server stays: a volume of another type would be taken from under it. */
function parted(olds: Partial<Asked> | undefined, { servers, replace = [] }: Asked): Wrong {
  const stay = replace.filter((name) => olds?.replace?.includes(name));
  if (stay.length === 0 || !olds?.servers || hasUnknown(servers) || olds.servers.volumeType === servers.volumeType) return [];
  return [{ property: "volume.type", reason: `comes with a server that is made again, and ${stay.join(", ")} was already: name another member in \`replace\`; or take ${stay.join(", ")} out, \`pulumi up\`, and name it again with this change` }];
}

/** What is long is not for people. */
function before(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  return text === undefined ? "without it" : text.length <= 80 ? `with ${text}` : "with another";
}

const thing = <T extends object>(found: Named<T> | undefined): T | undefined => (typeof found === "object" && !("unasked" in found) ? found as T : undefined);

/** What no user of a cloud can ask, said without the brackets that a step has before it: of a server that found no host its plugin says that it is in ERROR, and nothing of why. */
function caution({ cluster, members, servers: { locality } }: Asked, first: boolean): void {
  const needs = { "anti-affinity": `a host for each of its ${members.length} members`, affinity: `one host with room for all of its ${members.length} members` }[locality ?? ""];
  if (needs === undefined) return;
  console.log(`${cluster}: locality ${locality} needs ${needs}, and only the cloud's administrators see its hosts. If a server ends in ERROR (\`openstack server show\` then says "No valid host was found"), `
    + `have hosts added and run \`pulumi refresh\` and \`pulumi up\`, or lower members${first ? `, or \`pulumi destroy\` what was made and begin anew with soft-${locality}` : ""}`);
}

/** A name is taken by a cluster that another state knows, or none: of servers there may be several with a name, of keypairs not. */
const taken = ({ cluster }: Asked, { keyPair }: Facts): Wrong => (keyPair === undefined ? [] : [{
  property: "name", reason: `the keypair ${keyPair}, which is this cluster's to make, is there already, so another cluster ${cluster} may be, of a stack and a project of the same names: give this one another name, or, where nothing uses it any more, \`openstack keypair delete ${keyPair}\``,
}]);

/** What of it the cloud has not. */
function missing({ servers }: Asked, come: string[], others: string[], facts: Facts, memory: Needs["memory"] | undefined): Wrong {
  const wrong: Wrong = [];
  const say = (property: string, reason: string) => {
    if (!wrong.some((each) => each.property === property)) wrong.push({ property, reason });
  };
  const named = <T extends object>(property: string, what: string, name: string, found: Named<T> | undefined): T | undefined => {
    if (found === "none") say(property, `the cloud has no ${what} ${JSON.stringify(name)} that this project may use; \`openstack ${what} list\` shows what it has`);
    if (found === "several") say(property, `the cloud has several ${what}s with the name ${JSON.stringify(name)}: it must be one; \`openstack ${what} list\` shows them`);
    if (typeof found === "object" && "unasked" in found) say(property, `the cloud could not be asked for the ${what} ${JSON.stringify(name)}: ${found.unasked}`);
    return thing(found);
  };
  const image = come.length + others.length > 0 ? named("image", "image", servers.image, facts.images[servers.image]) : undefined;
  for (const member of new Set([...come, ...others])) {
    const own = servers.memberOverrides?.[member] ?? {};
    const argument = (key: string, common: string) => (key in own ? `memberOverrides.${member}.${key}` : common);
    const name = flavorOf(servers, member)!;
    const flavor = named(argument("flavor", "flavor"), "flavor", name, facts.flavors[name]);
    // Nova lets administrators alone make servers of these from an image (its policy zero_disk_flavor).
    if (flavor?.disk === 0)
      say(argument("flavor", "flavor"), `${name} has no disk of its own, and servers that boot from a volume cannot be made by this version: take a flavor with a disk; \`openstack flavor list\` shows them`);
    else if (flavor && image && (flavor.ram < image.minRam || flavor.disk < image.minDisk))
      say(argument("flavor", "flavor"), `${name} has ${flavor.ram} MiB of memory and ${flavor.disk} GiB of disk, but the image ${servers.image} needs ${image.minRam} MiB and ${image.minDisk} GiB: take a larger flavor`);
    else if (flavor && memory && flavor.ram < memory.mib)
      say(argument("flavor", "flavor"), `${name} has ${flavor.ram} MiB of memory, but ${memory.by} are ${memory.mib} MiB: take a larger flavor, or ask for less`);
    if (!come.includes(member)) continue;
    for (const [property, network] of [["network", servers.network] as const, ...(own.networks ?? []).map((each) => [`memberOverrides.${member}.networks`, each] as const)]) {
      const found = named(property, "network", network, facts.networks[network]);
      if (found && !found.subnets.includes(4))
        say(property, `the network ${network} has no ${found.subnets.length > 0 ? "IPv4 " : ""}subnet: members talk to each other over IPv4`);
    }
    if (own.zone !== undefined && facts.zones && !facts.zones.includes(own.zone)) say(`memberOverrides.${member}.zone`, noZone([own.zone], facts.zones));
  }
  const zones = servers.availabilityZones?.filter((zone) => facts.zones && !facts.zones.includes(zone)) ?? [];
  if (come.length > 0 && zones.length > 0) say("availabilityZones", noZone(zones, facts.zones!));
  return wrong;
}

const noZone = (zones: string[], there: string[]): string => `the cloud has no availability zone ${zones.join(", ")}; it has ${there.join(", ")}`;

const alone = ({ cluster = "", members = [] }: Partial<Asked>): Record<string, string[]> => ({ [cluster]: members });

/** What the project's quota has no room for. */
function exceeded(asked: Asked, added: string[], { flavors, quotas }: Facts, olds: Partial<Asked> | undefined): Wrong {
  const { servers, groups = alone(asked) } = asked;
  const before = olds?.members === undefined ? {} : olds.groups ?? alone(olds);
  const of = (member: string) => flavors[flavorOf(servers, member)!];
  const sum = (each: (member: string) => number) => added.map(each).reduce((all, one) => all + one, 0);
  const flavor = (key: "ram" | "vcpus") => sum((member) => thing(of(member))?.[key] ?? 0);
  const needs: Record<string, number> = {
    instances: added.length, cores: flavor("vcpus"), "MiB of RAM": flavor("ram"),
    volumes: added.length, "GiB of volumes": added.length * servers.volumeSize,
    "server groups": Object.keys(groups).filter((group) => !(group in before)).length,
    ports: sum((member) => 1 + (servers.memberOverrides?.[member]?.networks?.length ?? 0)),
  };
  const growth = newVolumeSize(olds?.servers ?? {}, servers);
  if (growth !== undefined) needs["GiB of volumes"]! += (growth - olds!.servers!.volumeSize) * asked.members.filter((name) => !added.includes(name)).length;
  const group = quotas["members of a server group"];
  const property = asked.groups ? "shards" : "members";
  const lacks = Object.entries(needs).flatMap(([what, need]) => {
    const { limit = -1, used } = quotas[what] ?? {};
    return limit >= 0 && limit - (used ?? 0) < need ? [`${need} ${what}, where ${used === undefined ? `it has ${limit}` : `${limit - used} of ${limit} are left`}`] : [];
  });
  return [
    ...(lacks.length > 0 ? [{ property: added.length > 0 ? property : "volume.size", reason: `${added.length > 0 ? `${added.length} new members need` : "larger volumes need"}, of this project's quota, ${lacks.join("; ")}: have the quota raised, or free what is not needed` }] : []),
    ...(group && added.length > 0 && group.limit > 0 && Object.values(groups).some((each) => each.length > group.limit)
      ? [{ property, reason: `a server group of this project may have ${group.limit} members: have its quota, server_group_members, raised` }] : []),
  ];
}
