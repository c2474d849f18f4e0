// In JavaScript, in which no type keeps anybody from saying anything.
const { readFileSync } = require("fs");
const pulumi = require("@pulumi/pulumi");
const { GaleraCluster } = require("pulumi-openstack-datastores");

const config = new pulumi.Config();
const privateKey = readFileSync(config.require("privateKeyFile"), "utf8");

/** Each is a name and what its cluster has otherwise than one that is right; null is for an argument that is left out. */
const [orders] = config.requireObject("clusters").map(([name, { access, ...otherwise }]) => {
  const args = {
    members: 3, vendor: "mariadb", flavor: "m1.small", image: "debian-12", network: "private", volume: { size: 2, keep: false },
    access: { user: "debian", privateKey, ...access }, deletionProtection: false, ...otherwise,
  };
  return new GaleraCluster(name, Object.fromEntries(Object.entries(args).filter(([, value]) => value !== null)));
});

module.exports = { members: orders.members, addresses: orders.addresses };
