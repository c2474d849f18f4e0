// Loaded into the provider process when a state is made: the provider is this repository's, and simulated guests are all it meets.
const Module = require("module");
const { join } = require("path");

const resolve = Module._resolveFilename;
Module._resolveFilename = function (request, ...rest) {
  if (request !== "pulumi-openstack-datastores/provider") return resolve.call(this, request, ...rest);
  Module._resolveFilename = (again, ...others) => (again === request ? lifecycle : resolve.call(Module, again, ...others));
  require("ts-node").register({ transpileOnly: true, cwd: __dirname });
  const { galera } = require("../../provider/datastores/galera");
  const { Fleet } = require("../provider/fleet");
  new Fleet(Object.fromEntries([1, 2, 3, 4].map((number) => [`orders-${number}`, galera.blank])));
  return lifecycle;
};
const lifecycle = join(__dirname, "../../provider/lifecycle.ts");
