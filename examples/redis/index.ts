import * as pulumi from "@pulumi/pulumi";
import { RedisCluster } from "pulumi-openstack-datastores";

/** Defaults are in Pulumi.yaml. */
const config = new pulumi.Config();

const sessions = new RedisCluster("sessions", {
  shards: config.requireNumber("shards"),
  replicasPerShard: config.requireNumber("replicasPerShard"),
  vendor: "redis",
  flavor: config.require("flavor"),
  image: config.require("image"),
  network: config.require("network"),
  volume: { size: config.requireNumber("volumeSize"), keep: config.requireBoolean("keepVolumes") },
  allowedCidrs: config.requireObject<string[]>("allowedCidrs"),
  access: { user: config.require("user"), privateKey: config.requireSecret("privateKey") },
  deletionProtection: config.requireBoolean("deletionProtection"),
});

export const { members, addresses, endpoints, connectionString, password, shards, roles, plan, status, topology, caCertificate } = sessions;
