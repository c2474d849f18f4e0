// One run on new members, in a process of its own and as it is built: so its memory is a provider's. Says of each phase how many seconds it took.
const { readFileSync } = require("fs");
const { newAuthority } = require("../dist/provider/certificates");
const { galera } = require("../dist/provider/datastores/galera");
const { lease } = require("../dist/provider/guest/lease");
const { names } = require("../dist/provider/topology");
const { reach } = require("../dist/provider/reach");
const { reconcile } = require("../dist/provider/reconcile");

async function run({ members, privateKey, steps }) {
  const began = Date.now();
  let last = began;
  const mark = (what) => {
    process.send({ [what]: (Date.now() - last) / 1000 });
    last = Date.now();
  };
  const authority = await newAuthority("shop1");
  const { guests, cluster } = reach({
    datastore: "galera", owner: { project: "bench", stack: "bench", cluster: "shop1" }, members, options: { vendor: "mariadb", configuration: {} }, servers: {},
    access: { user: "debian", privateKey }, rootPassword: "not-a-secret", authority, deletionProtection: false, plan: {},
  }, { leaving: [], pins: {}, say: () => undefined });
  mark("the authority");
  const all = await Promise.all(names(cluster.want).map(guests.reach));
  mark("login");
  const held = await lease(all, cluster.run, "bench");
  mark("lease");
  const plan = (want, seen) => galera.plan(want, seen).filter((step) => steps.includes(step.do));
  await reconcile({ ...galera, plan }, cluster, [], (line) => {
    const [, step] = /^step \d+\/\d+ (\w+) .*: done in /.exec(line) ?? [];
    if (step) mark(step);
    else if (line.startsWith("step 1/")) mark("look and preflight");
  });
  mark("look again");
  await held.release();
  process.send({ all: (Date.now() - began) / 1000, mebibytes: Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))[1]) / 1024 });
}

process.on("message", run);
process.on("disconnect", () => process.exit());
