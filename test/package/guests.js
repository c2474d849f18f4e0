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
  pretendRedis();
  return lifecycle;
};

function pretendRedis() {
  const { redis } = require("../../provider/datastores/redis");
  const { after } = require("../provider/datastores/redis/model");
  let seen = {};
  redis.observe = async (_, { name }) => (seen[name] ??= redis.blank);
  for (const what of Object.keys(redis.steps))
    redis.steps[what] = async ({ want }, { name }, step) => { seen = after(seen, step, want.members.map((member) => member.name), [name]); };
}

const lifecycle = join(__dirname, "../../provider/lifecycle.ts");
