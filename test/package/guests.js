// Loaded into the provider process when a state is made: the provider is this repository's, and all it meets are the simulated guests that GUESTS names.
const Module = require("module");
const { join } = require("path");

const resolve = Module._resolveFilename;
Module._resolveFilename = function (request, ...rest) {
  if (request !== "pulumi-openstack-datastores/provider") return resolve.call(this, request, ...rest);
  Module._resolveFilename = (again, ...others) => (again === request ? lifecycle : resolve.call(Module, again, ...others));
  require("ts-node").register({ transpileOnly: true, cwd: __dirname });
  const { galera } = require("../../provider/datastores/galera");
  const { Fleet } = require("../provider/fleet");
  new Fleet(Object.fromEntries(process.env.GUESTS.split(" ").map((name) => [name, galera.blank])));
  return lifecycle;
};
const lifecycle = join(__dirname, "../../provider/lifecycle.ts");
