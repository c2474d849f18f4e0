// Loaded into the provider process of the guest tests: after each step it looks at all guests, and fails the step when
// they do not show what the simulated guests predict. So what is tested on simulated guests holds for real ones.
const Module = require("module");
const { join } = require("path");
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
    const step = plan.find((each) => each.do === what && each.on.includes(member.name));
    const ended = done.get(step) ?? { members: 0, all: undefined };
    done.set(step, ended);
    ended.members += 1;
    // The last one looks, for all of the step; the others are done.
    if (ended.members < step.on.length) return;
    const before = expected;
    expected = after(before, step);
    const seen = await look();
    // What nothing tells before: the data below a server that is starting, and the position in data that it did not close.
    for (const name of step.on) {
      if (before[name].is === "starting" && expected[name].is === "down") expected[name] = seen[name];
      else if (before[name].data?.seqno < 0 && expected[name].data?.seqno < 0) expected[name].data.seqno = seen[name].data.seqno;
    }
    for (const name of Object.keys(expected))
      if (!isDeepStrictEqual(alike(seen[name]), alike(expected[name])))
        throw new Error(`after ${what} ${step.on.join(" ")} the simulated ${name} is ${inspect(alike(expected[name]))}, and the real one ${inspect(alike(seen[name]))}`);
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

/** What a simulation cannot know: which history a new cluster gets, and how many writes there were. */
function alike(sight) {
  if (sight.is === "up") return { ...sight, uuid: "some" };
  if (sight.is === "down" && sight.data.is !== "none")
    return { ...sight, data: { is: sight.data.is, closed: sight.data.seqno >= 0, safeToBootstrap: sight.data.safeToBootstrap } };
  return sight;
}

const model = () => {
  require("ts-node/register/transpile-only");
  return require(join(__dirname, "../provider/datastores/galera/model"));
};
