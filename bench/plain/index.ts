import * as openstack from "@pulumi/openstack";
import * as pulumi from "@pulumi/pulumi";

const config = new pulumi.Config();

const network = openstack.networking.getNetworkOutput({ name: "private" }).id;

/** What a GaleraCluster makes in the cloud. */
function servers(cluster: string): pulumi.Output<string>[] {
  const group = new openstack.compute.ServerGroup(cluster, { name: cluster, policies: ["soft-anti-affinity"] });
  const keyPair = new openstack.compute.Keypair(cluster, { name: `plain-${cluster}`, publicKey: config.require("publicKey") });
  const security = new openstack.networking.SecGroup(cluster, { name: cluster });
  const rule = (name: string, rest: Partial<openstack.networking.SecGroupRuleArgs>) => new openstack.networking.SecGroupRule(`${cluster}-${name}`,
    { securityGroupId: security.id, direction: "ingress", ethertype: "IPv4", ...rest });
  rule("members", { remoteGroupId: security.id });
  rule("ssh", { protocol: "tcp", portRangeMin: 22, portRangeMax: 22, remoteIpPrefix: "0.0.0.0/0" });
  return Array.from({ length: config.requireNumber("members") }, (_, index) => {
    const name = `${cluster}-${index + 1}`;
    const port = new openstack.networking.Port(name, { name, networkId: network, securityGroupIds: [security.id], adminStateUp: true });
    const volume = new openstack.blockstorage.Volume(name, { name, size: 1 });
    const server = new openstack.compute.Instance(name, {
      name, flavorName: "m1.small", imageName: "debian-12", keyPair: keyPair.name, networks: [{ port: port.id }], schedulerHints: [{ group: group.id }],
    }, { dependsOn: volume });
    const disk = new openstack.compute.VolumeAttach(name, { instanceId: server.id, volumeId: volume.id });
    return disk.device.apply(() => port.allFixedIps[0]!);
  });
}

export const addresses = Array.from({ length: config.requireNumber("clusters") }, (_, index) => servers(`shop${index + 1}`));
