import * as pulumi from "@pulumi/pulumi";
import { GaleraCluster } from "pulumi-openstack-datastores";

/** Defaults are in Pulumi.yaml. */
const config = new pulumi.Config();

const orders = new GaleraCluster("orders", {
  members: config.requireNumber("members"),
  vendor: "mariadb",
  flavor: config.require("flavor"),
  image: config.require("image"),
  network: config.require("network"),
  volume: { size: config.requireNumber("volumeSize"), keep: config.requireBoolean("keepVolumes") },
  allowedCidrs: config.requireObject<string[]>("allowedCidrs"),
  access: { user: config.require("user"), privateKey: config.requireSecret("privateKey") },
  deletionProtection: config.requireBoolean("deletionProtection"),
});

export const { members, addresses, endpoints, connectionString, rootPassword, plan, status, topology, caCertificate } = orders;
