import * as pulumi from "@pulumi/pulumi";
import { GaleraCluster, Locality } from "pulumi-openstack-datastores";

const orders = new GaleraCluster("orders", {
  members: 3,
  without: ["orders-1"],
  forget: ["orders-1"],
  vendor: "mariadb",
  version: "10.11",
  flavor: "m1.small",
  image: "debian-12",
  network: "5b6e1a52-8a3f-4f0d-9c55-0d8c0f9a1c2e",
  volume: { size: 10, type: "fast", keep: false },
  availabilityZones: ["az1", "az2"],
  locality: Locality.AntiAffinity,
  memberOverrides: { "orders-2": { flavor: "m1.medium", zone: "az3", networks: ["0d1f3a0e-3f0c-4b4e-8a3c-7d4f1f0e9b11"] } },
  configuration: { max_connections: "321" },
  allowedCidrs: ["192.0.2.0/24", "2001:db8::/32"],
  access: { user: "debian", privateKey: new pulumi.Config().requireSecret("privateKey"), bastion: { host: "gate.example.org", user: "debian", port: 2222 }, allowedCidrs: ["198.51.100.0/24"] },
});

export const { members, addresses, endpoints, connectionString, rootPassword, caCertificate, plan, status, topology, serverGroupId, securityGroupId } = orders;
