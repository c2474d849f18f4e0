/** Given by its id, a network is not looked up: so a preview asks nothing of a cloud. */
const cluster = `new GaleraCluster("orders", {
  members: 3, vendor: "mariadb", locality: Locality.AntiAffinity,
  flavor: "m1.small", image: "debian-12", network: "5b6e1a52-8a3f-4f0d-9c55-0d8c0f9a1c2e", volume: { size: 10 },
  access: { user: "debian", privateKey: new pulumi.Config().requireSecret("privateKey") },
})`;

/** The files of a program by the kind of its module. */
export const programs = {
  "TypeScript": imported("index.ts"),
  "a CommonJS module": {
    "package.json": '{ "main": "index.js" }',
    "index.js": `const pulumi = require("@pulumi/pulumi");\nconst { GaleraCluster, Locality } = require("pulumi-openstack-datastores");\nexports.members = ${cluster}.members;\n`,
  },
  "an ES module by its package": imported("index.js", { type: "module" }),
  "an ES module by its name": imported("index.mjs"),
};

function imported(main: string, more: object = {}): Record<string, string> {
  return {
    "package.json": JSON.stringify({ main, ...more }),
    [main]: `import * as pulumi from "@pulumi/pulumi";\nimport { GaleraCluster, Locality } from "pulumi-openstack-datastores";\nexport const { members } = ${cluster};\n`,
  };
}
