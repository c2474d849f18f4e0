import * as openstack from "@pulumi/openstack";
import * as pulumi from "@pulumi/pulumi";
import * as sshpk from "sshpk";
import { Requirements, type Cluster, type RequirementsArgs } from "../provider";
import { Locality, type ClusterArgs } from "./arguments";
import { factsOf, networkId } from "./cloud";

/** Where a member is to be. */
export interface Place {
  name: string;
  /** Zones are dealt in turn. By what is in the name, not by its place among others: a member that leaves moves no other to another zone. */
  turn: number;
  /** Members of one server group are spread over hosts. */
  group: string;
}

/** What a datastore needs of the members' servers and networks. */
export interface MembersSpec {
  places: Place[];
  args: ClusterArgs;
  /** TCP port that clients use. */
  port: number;
  /** What the datastore's own rules are about. */
  document: RequirementsArgs["document"];
  /** Arguments that are looked at once they are known. */
  late: pulumi.Input<unknown>;
}

/** The servers of a cluster and what belongs to them: identity (port, volume) outlives the server. */
export function createMembers(name: string, { places, args, port, document, late }: MembersSpec, parent: pulumi.Resource) {
  const { flavor: commonFlavor, image, network, availabilityZones, memberOverrides, locality = Locality.SoftAntiAffinity } = args;
  const publicKey = publicKeyOf(name, args.access.privateKey);
  const { size, type } = args.volume;
  const servers = { flavor: commonFlavor, image, network, availabilityZones, locality, memberOverrides, volumeSize: size, volumeType: type, publicKey };
  const all = places.map((place) => place.name);
  // Keypairs are unique per user: two stacks may have a cluster of the same name. Before its microversion 2.92 Nova takes no dots.
  const owned = `${pulumi.getProject()}-${pulumi.getStack()}-${name}`.replace(/[^\w-]/g, "-");
  const membersOf = (group: string) => places.filter((place) => place.group === group).map((place) => place.name);
  const grouped = Object.fromEntries(places.map(({ group }) => [group, membersOf(group)]));
  const replace = args.replace?.length ? args.replace : undefined;
  const requirements = new Requirements(name, { cluster: name, members: all, replace, ...(places.some(({ group }) => group !== name) ? { groups: grouped } : {}), servers, document, facts: factsOf(args, owned, parent), late: pulumi.all([late, publicKey]) }, { parent });
  // Nothing is made before it is known that all of it can be.
  const first = { parent, dependsOn: requirements };
  const groups = new Map(Object.keys(grouped).map((group) =>
    [group, new openstack.compute.ServerGroup(group, { name: group, policies: [locality] }, { ...first, ignoreChanges: ["policies"] })]));
  const { security, rules } = createSecurityGroup(name, port, args, first);
  const keyPair = new openstack.compute.Keypair(name, { name: owned, publicKey },
    { ...first, ignoreChanges: ["publicKey"], deleteBeforeReplace: true });

  const made = places.map(({ name: member, turn, group }) => {
    const { zone, networks = [], flavor } = memberOverrides?.[member] ?? {};
    // To be named replaces the server once, and its volume where that has another type; to be named no more takes the word back in place.
    const replaced = args.replace?.includes(member);
    const asked = zone ?? availabilityZones?.[turn % availabilityZones.length];
    const portOn = (on: string, suffix = "") => new openstack.networking.Port(`${member}${suffix}`,
      { name: `${member}${suffix}`, networkId: networkId(on, parent), securityGroupIds: [security.id], adminStateUp: true },
      { ...first, ignoreChanges: ["networkId"] });
    const ports = [portOn(network), ...networks.map((network, nic) => portOn(network, `-nic-${nic + 2}`))];
    const volume = new openstack.blockstorage.Volume(member,
      { name: member, size: args.volume.size, volumeType: args.volume.type, enableOnlineResize: true },
      { ...first, retainOnDelete: args.volume.keep ?? true, ignoreChanges: replaced ? [] : ["volumeType"] });
    const server = new openstack.compute.Instance(member, {
      name: member,
      flavorName: flavor ?? commonFlavor,
      imageName: image,
      keyPair: keyPair.name,
      networks: ports.map(({ id }) => ({ port: id })),
      schedulerHints: [{ group: groups.get(group)!.id }],
      availabilityZone: asked,
      stopBeforeDestroy: true,
      ...(replaced ? { metadata: { replaced: "yes" } } : {}),
      // The provider detaches a volume that it deletes from whatever runs on it: so the server goes first.
    }, { parent, dependsOn: [volume], deleteBeforeReplace: true, ignoreChanges: frozen, replaceOnChanges: replaced ? ["metadata"] : [] });
    // It ends with its server, which is stopped first. Detached before, the disk would be pulled from under the database; and
    // `deletedWith` does not keep the engine from that when it replaces the server.
    const disk = new openstack.compute.VolumeAttach(member, { instanceId: server.id, volumeId: volume.id }, { parent, deleteBeforeReplace: true, retainOnDelete: true });
    return {
      name: member,
      address: ports[0]!.allFixedIps.apply((addresses) => addresses.find((address) => !address.includes(":"))!),
      server: server.id,
      // The attachment's: so the cluster is made once the disk is there.
      volume: disk.volumeId,
      place: { asked: { zone: asked, volumeType: type }, has: { zone: server.availabilityZone, volumeType: volume.volumeType } },
    };
  });
  const placed = Object.fromEntries(made.map(({ name: member, place }) => [member, place]));
  const members = made.map(({ place: _, ...member }) => member);
  return { members, placed, servers, rules, serverGroupIds: [...groups.values()].map(({ id }) => id), securityGroupId: security.id };
}

/**
 * On an Instance each of these would replace, rebuild or resize all members at once, before the cluster hears of it.
 * Ignored is not done: the cluster's `check` gets them as `servers` and refuses a change by name.
 * `networks` is not among them: through it a refresh finds a server that could not be made, and makes it again.
 */
const frozen = ["imageId", "imageName", "flavorId", "flavorName", "keyPair", "userData", "personalities",
  "schedulerHints", "blockDevices", "availabilityZone"];

/** By member name what each has, for people. */
export const having = (placed: ReturnType<typeof createMembers>["placed"], what: "zone" | "volumeType"): pulumi.Output<Record<string, string>> =>
  pulumi.output(Object.fromEntries(Object.entries(placed).map(([member, { has }]) => [member, has[what]])));

/** The first `count` names that are not given up. */
export function memberNames(cluster: string, count: number, without: string[] = []): string[] {
  const names = Array.from({ length: count + without.length }, (_, index) => `${cluster}-${index + 1}`);
  return names.filter((name) => !without.includes(name)).slice(0, count);
}

/** Members reach each other on all ports through one rule about the group itself: a grow changes no rule. */
function createSecurityGroup(name: string, port: number, args: ClusterArgs, first: pulumi.CustomResourceOptions) {
  const group = new openstack.networking.SecGroup(name, { name, description: `Members of ${name}` }, first);
  const rule = (suffix: string, rest: Partial<openstack.networking.SecGroupRuleArgs>) =>
    new openstack.networking.SecGroupRule(`${name}-${suffix}`,
      { securityGroupId: group.id, direction: "ingress", ethertype: "IPv4", ...rest }, { ...first, deleteBeforeReplace: true });
  const open = (suffix: string, tcp: number, cidr: string) => rule(`${suffix}-${cidr}`,
    { protocol: "tcp", portRangeMin: tcp, portRangeMax: tcp, remoteIpPrefix: cidr, ethertype: cidr.includes(":") ? "IPv6" : "IPv4" });
  const rules = [
    rule("members", { remoteGroupId: group.id }),
    ...(args.access.allowedCidrs ?? ["0.0.0.0/0"]).map((cidr) => open("ssh", 22, cidr)),
    ...(args.allowedCidrs ?? []).map((cidr) => open("clients", port, cidr)),
  ];
  return { security: group, rules };
}

/** What clients verify members by: who signs first, then the others that are trusted. */
export const trustedBy = ({ authority }: Cluster): pulumi.Output<string> =>
  pulumi.unsecret(authority.apply(({ certificate, trusted = [] }) => [certificate, ...trusted.map((other) => other.certificate)].join("\n")));

const passphrase = "take the passphrase off a copy of it, with `ssh-keygen -p -N '' -f COPY`, and give that";

export const publicKeyOf = (cluster: string, privateKey: pulumi.Input<string>) => pulumi.unsecret(pulumi.output(privateKey).apply((key) => publicHalf(cluster, key)));

/** Throws for people what is wrong with a private key. */
export function publicHalf(cluster: string, key: string): string {
  try {
    return sshpk.parsePrivateKey(key).toPublic().toString("ssh");
  } catch (error) {
    // What the parser says may quote the key.
    const wayForward = error instanceof sshpk.KeyEncryptedError ? passphrase
      : `give what is in the key's file, whole: not the file's name, and not the public half. If it has a passphrase, ${passphrase}`;
    throw new pulumi.RunError(`${cluster}: access.privateKey must be an unencrypted private key in OpenSSH or PEM form: ${wayForward}`);
  }
}
