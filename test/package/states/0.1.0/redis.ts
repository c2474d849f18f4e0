import * as pulumi from "@pulumi/pulumi";
import { Locality, RedisCluster } from "pulumi-openstack-datastores";

const sessions = new RedisCluster("sessions", {
  shards: 3,
  replicasPerShard: 1,
  without: ["sessions-2-1"],
  forget: ["sessions-2-1"],
  vendor: "redis",
  version: "7.0",
  flavor: "m1.small",
  image: "debian-12",
  network: "5b6e1a52-8a3f-4f0d-9c55-0d8c0f9a1c2e",
  volume: { size: 10, type: "fast", keep: false },
  availabilityZones: ["az1", "az2"],
  locality: Locality.AntiAffinity,
  memberOverrides: { "sessions-1-2": { flavor: "m1.medium", zone: "az3", networks: ["0d1f3a0e-3f0c-4b4e-8a3c-7d4f1f0e9b11"] } },
  configuration: { "maxmemory-policy": "allkeys-lru", "io-threads": "2" },
  maxMemory: "512mb",
  persistence: "always",
  allowedCidrs: ["192.0.2.0/24"],
  access: { user: "debian", privateKey: new pulumi.Config().requireSecret("privateKey") },
});

export const { members, addresses, endpoints, connectionString, password, caCertificate, plan, status, topology, shards, roles, serverGroupIds, securityGroupId } = sessions;
