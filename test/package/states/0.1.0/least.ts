import * as pulumi from "@pulumi/pulumi";
import { GaleraCluster } from "pulumi-openstack-datastores";

export const { endpoints, plan, status } = new GaleraCluster("orders", {
  members: 3,
  vendor: "mariadb",
  flavor: "m1.small",
  image: "debian-12",
  network: "5b6e1a52-8a3f-4f0d-9c55-0d8c0f9a1c2e",
  volume: { size: 10 },
  access: { user: "debian", privateKey: new pulumi.Config().requireSecret("privateKey") },
});
