import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { RedisCluster, type Persistence, type RedisVendor, type RolloutArgs, type State } from "pulumi-openstack-datastores";

const config = new pulumi.Config();

const sessions = new RedisCluster("sessions", {
  shards: config.getNumber("shards") ?? 3,
  replicasPerShard: config.getNumber("replicasPerShard"),
  without: config.getObject<string[]>("without"),
  replace: config.getObject<string[]>("replace"),
  forget: config.getObject<string[]>("forget"),
  vendor: (config.get("vendor") ?? "redis") as RedisVendor,
  version: config.get("version"),
  flavor: config.get("flavor") ?? "m1.small",
  image: config.get("image") ?? "debian-12",
  network: "private",
  volume: { size: 1, type: config.get("volumeType"), keep: false },
  availabilityZones: config.getObject<string[]>("availabilityZones") ?? ["az1", "az2", "az3"],
  maxMemory: config.get("maxMemory") ?? "256mb",
  persistence: config.get("persistence") as Persistence | undefined,
  configuration: config.getObject<Record<string, string>>("configuration"),
  authorities: config.getObject<string[]>("authorities"),
  restartTrigger: config.get("restartTrigger"),
  state: config.get("state") as State | undefined,
  rollout: config.getObject<RolloutArgs>("rollout"),
  maintenance: config.getBoolean("maintenance"),
  password: config.get("password"),
  formerPasswords: config.getObject<string[]>("formerPasswords"),
  allowedCidrs: [`${config.require("client")}/32`],
  access: { user: "debian", privateKey: readFileSync(config.require("privateKeyFile"), "utf8") },
  deletionProtection: config.getBoolean("deletionProtection"),
});

export const { members, addresses, endpoints, connectionString, password, shards, roles, plan, status, topology, zones, volumeTypes, caCertificate, serverGroupIds } = sessions;
