// Loaded into the provider process of the guest tests. After each step it looks at all guests, and fails the step when
// they do not show what the simulated guests predict: so what is tested on simulated guests holds for real ones. And a
// step that is to be cut lasts until it was: the short ones would be over before anybody can.
const { appendFileSync, readFileSync } = require("fs");
const Module = require("module");
const { join } = require("path");
const { setTimeout: sleep } = require("timers/promises");
const { isDeepStrictEqual, inspect } = require("util");

const load = Module._load;
const wrapped = new WeakSet();
Module._load = function (request, parent, ...rest) {
  const exported = load.call(this, request, parent, ...rest);
  if (request === "./reconcile" && exported.reconcile && !wrapped.has(exported)) {
    wrapped.add(exported);
    const { reconcile, observe } = exported;
    exported.reconcile = (it, cluster, ...others) => reconcile(compared(it, () => observe(it, cluster)), cluster, ...others);
  }
  return exported;
};

function compared(it, look) {
  const { after } = model();
  let expected;
  let plan = [];
  const done = new Map();
  const act = (what) => async (cluster, member) => {
    await it.steps[what](cluster, member);
    await cut(`${what} ${member.name}`);
    const step = plan.find((each) => each.do === what && each.on.includes(member.name));
    const ended = done.get(step) ?? { members: 0, all: undefined };
    done.set(step, ended);
    ended.members += 1;
    // The last one looks, for all of the step; the others are done.
    if (ended.members < step.on.length) return;
    const before = expected;
    expected = after(before, step);
    const seen = await look();
    // What nothing tells before: the data below a server that is starting, the position in data that it did not close, and
    // whether a bootstrap that was cut had come to its administrators.
    for (const name of step.on) {
      if (what === "bootstrap" && ["whole", "torn"].includes(before[name].data?.is)) expected[name].secured = seen[name].secured;
      if (before[name].is === "starting" && expected[name].is === "down") expected[name] = seen[name];
      else if (before[name].data?.seqno < 0 && expected[name].data?.seqno < 0) expected[name].data.seqno = seen[name].data.seqno;
    }
    const [real, simulated] = [alike(seen), alike(expected)];
    for (const name of Object.keys(expected))
      if (!isDeepStrictEqual(real[name], simulated[name]))
        throw new Error(`after ${what} ${step.on.join(" ")} the simulated ${name} is ${inspect(simulated[name])}, and the real one ${inspect(real[name])}`);
    appendFileSync(process.env.PROBE_COMPARED, `${what} ${step.on.join(" ")}\n`);
    expected = seen;
  };
  return {
    ...it,
    plan: (want, seen) => {
      [plan, expected] = [it.plan(want, seen), seen];
      return plan;
    },
    steps: Object.fromEntries(Object.keys(it.steps).map((what) => [what, act(what)])),
  };
}

/** Ends when the file that names the step is gone. */
async function cut(step) {
  for (const end = Date.now() + 60_000; Date.now() < end && new RegExp(named()).test(step);) await sleep(50);
}

function named() {
  try {
    return readFileSync(process.env.PROBE_HELD, "utf8");
  } catch {
    return "^$";
  }
}

/** What a simulation cannot know: how a history is called, and how many writes there were. */
function alike(sights) {
  const letters = new Map();
  const letter = (uuid) => letters.get(uuid) ?? letters.set(uuid, String.fromCharCode(65 + letters.size)).get(uuid);
  return Object.fromEntries(Object.entries(sights).sort().map(([name, sight]) => {
    if (sight.is === "up") return [name, { ...sight, uuid: letter(sight.uuid), committed: undefined }];
    if (sight.is !== "down" || sight.data.is === "none") return [name, sight];
    const { is, uuid, seqno, safeToBootstrap } = sight.data;
    return [name, { ...sight, data: { is, uuid: is === "whole" ? letter(uuid) : uuid, closed: seqno >= 0, safeToBootstrap } }];
  }));
}

const model = () => {
  require("ts-node/register/transpile-only");
  return require(join(__dirname, "../provider/datastores/galera/model"));
};
