import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { GaleraCluster, Locality, type RolloutArgs, type State } from "pulumi-openstack-datastores";

const config = new pulumi.Config();

const orders = new GaleraCluster("orders", {
  members: config.getNumber("members") ?? 3,
  without: config.getObject<string[]>("without"),
  replace: config.getObject<string[]>("replace"),
  forget: config.getObject<string[]>("forget"),
  recovery: config.getObject<{ from: string; evidence: string }>("recovery"),
  vendor: "mariadb",
  version: config.get("version") ?? "10.11",
  flavor: config.get("flavor") ?? "m1.small",
  image: config.get("image") ?? "debian-12",
  network: "private",
  volume: { size: config.getNumber("volumeSize") ?? 1, type: config.get("volumeType"), keep: false },
  availabilityZones: config.getObject<string[]>("availabilityZones") ?? ["az1", "az2", "az2"],
  locality: Locality.AntiAffinity,
  memberOverrides: { "orders-2": { flavor: "m1.medium", zone: "az3" } },
  configuration: config.getObject<Record<string, string>>("configuration") ?? { max_connections: "321" },
  authorities: config.getObject<string[]>("authorities"),
  gcacheSize: config.get("gcacheSize"),
  restartTrigger: config.get("restartTrigger"),
  state: config.get("state") as State | undefined,
  rollout: config.getObject<RolloutArgs>("rollout"),
  maintenance: config.getBoolean("maintenance"),
  rootPassword: config.get("rootPassword"),
  formerPasswords: config.getObject<string[]>("formerPasswords"),
  allowedCidrs: [`${config.require("client")}/32`],
  access: { user: "debian", privateKey: readFileSync(config.require("privateKeyFile"), "utf8") },
  deletionProtection: config.getBoolean("deletionProtection"),
});

export const { members, addresses, endpoints, connectionString, rootPassword, plan, status, topology, zones, volumeTypes, caCertificate } = orders;
