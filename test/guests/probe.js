// Loaded into the provider process of the guest tests. After each step it looks at all guests, and fails the step when
// they do not show what the simulated guests predict: so what is tested on simulated guests holds for real ones. And a
// step that is to be cut lasts until it was: the short ones would be over before anybody can.
const { appendFileSync, readFileSync } = require("fs");
const Module = require("module");
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
  const { after, alike, untold } = model();
  let expected;
  let wanted = [];
  let authorities;
  const done = new Map();
  // A canary is planned from what those that are kept back are taken for.
  const shown = new Map();
  const act = (what) => async (cluster, member, step) => {
    await it.steps[what](cluster, member, step);
    await cut(`${what} ${member.name}`);
    const ended = done.get(step) ?? { members: 0, all: undefined };
    done.set(step, ended);
    ended.members += 1;
    // The last one looks, for all of the step; the others are done.
    if (ended.members < step.on.length) return;
    const before = expected;
    expected = after(before, step, wanted, authorities);
    const seen = await look();
    untold(before, step, expected, seen);
    const [real, simulated] = [alike(seen), alike(expected)];
    for (const name of Object.keys(expected))
      if (!isDeepStrictEqual(real[name], simulated[name]))
        throw new Error(`after ${what} ${step.on.join(" ")} the simulated ${name} is ${inspect(simulated[name])}, and the real one ${inspect(real[name])}`);
    appendFileSync(process.env.PROBE_COMPARED, `${what} ${step.on.join(" ")}\n`);
    expected = seen;
  };
  return {
    ...it,
    observe: async (cluster, member) => {
      shown.delete(member.name);
      shown.set(member.name, await it.observe(cluster, member));
      return shown.get(member.name);
    },
    plan: (want, seen) => {
      [wanted, authorities, expected] = [want.members, want.authorities, { ...seen, ...Object.fromEntries(shown) }];
      return it.plan(want, seen);
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

const model = () => {
  require("ts-node/register/transpile-only");
  return require(process.env.PROBE_MODEL);
};
