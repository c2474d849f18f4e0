import * as pulumi from "@pulumi/pulumi";
import { GaleraCluster } from "pulumi-openstack-datastores";

const config = new pulumi.Config();

const clusters = Array.from({ length: config.requireNumber("clusters") }, (_, index) => new GaleraCluster(`shop${index + 1}`, {
  members: config.requireNumber("members"),
  vendor: "mariadb",
  flavor: "m1.small",
  image: "debian-12",
  network: "private",
  volume: { size: 1, keep: false },
  access: { user: "debian", privateKey: config.requireSecret("privateKey") },
  deletionProtection: false,
}));

export const addresses = clusters.map((each) => each.addresses);
