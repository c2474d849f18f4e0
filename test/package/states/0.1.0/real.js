const pulumi = require("@pulumi/pulumi");
const { GaleraCluster } = require("pulumi-openstack-datastores");

const config = new pulumi.Config();

const { endpoints, connectionString, rootPassword, caCertificate, plan, status } = new GaleraCluster("orders", {
  members: 3,
  vendor: "mariadb",
  flavor: "m1.small",
  image: "debian-12",
  network: "private",
  volume: { size: 1, keep: false },
  access: { user: "debian", privateKey: config.requireSecret("privateKey") },
  deletionProtection: config.getBoolean("deletionProtection"),
});

module.exports = { endpoints, connectionString, rootPassword, caCertificate, plan, status };
