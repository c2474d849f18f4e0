import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { GaleraCluster } from "pulumi-openstack-datastores";

const config = new pulumi.Config();

const orders = new GaleraCluster("orders", {
  members: config.getNumber("members") ?? 3,
  vendor: "mariadb",
  flavor: "m1.small",
  image: "debian-12",
  network: "private",
  volume: { size: 1, keep: config.getBoolean("keepVolumes") },
  access: { user: "debian", privateKey: pulumi.secret(readFileSync(config.require("privateKeyFile"), "utf8")) },
  deletionProtection: config.getBoolean("deletionProtection"),
});

export const { members, addresses, endpoints, connectionString, rootPassword, plan, status, topology, caCertificate } = orders;
