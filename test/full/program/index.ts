import * as openstack from "@pulumi/openstack";
import * as pulumi from "@pulumi/pulumi";

const config = new pulumi.Config();

const network = new openstack.networking.Network("own", { name: "own" });
const subnet = new openstack.networking.Subnet("own", { name: "own", networkId: network.id, cidr: "198.18.252.0/24", enableDhcp: false });
const outside = openstack.networking.getNetworkOutput({ external: true });
const router = new openstack.networking.Router("own", { name: "own", externalNetworkId: outside.id });
const foot = new openstack.networking.RouterInterface("own", { routerId: router.id, subnetId: subnet.id });

const security = new openstack.networking.SecGroup("own", { name: "own", description: config.get("description") ?? "before" });
new openstack.networking.SecGroupRule("ssh", {
  securityGroupId: security.id, direction: "ingress", ethertype: "IPv4", protocol: "tcp", portRangeMin: 22, portRangeMax: 22, remoteIpPrefix: "198.18.0.0/15",
});
const port = new openstack.networking.Port("own", { name: "own", networkId: network.id, securityGroupIds: [security.id], fixedIps: [{ subnetId: subnet.id }] });
const floating = new openstack.networking.FloatingIp("own", { pool: "public", portId: port.id }, { dependsOn: [foot] });

const keyPair = new openstack.compute.Keypair("own", { name: "own", publicKey: config.require("publicKey") });
const group = new openstack.compute.ServerGroup("own", { name: "own", policies: ["anti-affinity"] });
const volume = new openstack.blockstorage.Volume("own", { name: "own", size: config.getNumber("size") ?? 1, volumeType: "fast", enableOnlineResize: true });
const server = new openstack.compute.Instance("own", {
  name: "own",
  flavorName: config.get("flavor") ?? "m1.tiny",
  imageName: config.get("image") ?? "debian-12",
  keyPair: keyPair.name,
  networks: [{ port: port.id }],
  schedulerHints: [{ group: group.id }],
  availabilityZone: config.get("zone") ?? "az2",
  metadata: { for: "tests" },
}, { deleteBeforeReplace: true });
const disk = new openstack.compute.VolumeAttach("own", { instanceId: server.id, volumeId: volume.id }, { deleteBeforeReplace: true });

export const address = floating.address;
export const id = server.id;
export const device = pulumi.interpolate`/dev/disk/by-id/virtio-${disk.volumeId.apply((volume) => volume.slice(0, 20))}`;
