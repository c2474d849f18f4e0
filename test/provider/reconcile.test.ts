import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster, Datastore } from "../../provider/datastores/datastore";
import { needs } from "../../provider/datastores/galera/machine";
import { options, type Options } from "../../provider/datastores/galera/options";
import { StepFailed } from "../../provider/errors";
import { oneByOne, together, type Step } from "../../provider/plan";
import { observe, reconcile } from "../../provider/reconcile";
import { cluster } from "./cluster";

type Do = "prepare" | "clean" | "join" | "leave";
type Sight = "new" | "prepared" | "in" | "gone" | `unreachable: ${string}`;

/**
 * A datastore in memory: members are prepared together, then join one by one, and who is not wanted leaves.
 * It writes down what is done to it.
 */
function memory(start: Record<string, Sight>) {
  const seen = structuredClone(start);
  const log: string[] = [];
  const act = (what: Do, then: Sight) => async (_: Cluster<Options>, { name }: { name: string }) => {
    log.push(`${what} ${name}`);
    await sleep(1);
    await it.beforeEnd(what, name);
    seen[name] = then;
    log.push(`${what} ${name} done`);
  };
  const it = {
    options, blank: "new", outdated: (sight) => sight, frozen: [],
    recall: (members, sights) => Object.fromEntries(members.map((name) => [name, sights[name] ?? "in"])),
    beforeEnd: (async () => undefined) as (step: Do, name: string) => Promise<void>,
    unreachable: (why) => `unreachable: ${why}`,
    unseen: (sight) => /^unreachable: (.*)/.exec(sight)?.[1],
    kept: (sights) => sights,
    underNew: () => "new",
    newcomers: () => ({}), group: () => "all", bereft: (others) => others, stillNeeded: () => undefined, needs,
    report: async () => ({ role: "in", state: "in" }),
    command: async () => "",
    observe: async (_, { name }) => {
      log.push(`look at ${name}`);
      if (seen[name] === undefined) throw new Error("no route");
      return seen[name];
    },
    plan: ({ members, forget = [] }, sights) => {
      const [wanted, leaving] = [true, false].map((is) => Object.keys(sights).filter((name) => members.includes(name) === is && !forget.includes(name))) as [string[], string[]];
      return [
        ...together<Do>("clean", wanted.filter((name) => sights[name]!.startsWith("unreachable"))),
        ...together<Do>("prepare", wanted.filter((name) => sights[name] === "new")),
        ...oneByOne<Do>("join", wanted.filter((name) => sights[name] !== "in")),
        ...oneByOne<Do>("leave", leaving.filter((name) => sights[name] !== "gone")),
      ];
    },
    steps: { prepare: act("prepare", "prepared"), clean: act("clean", "new"), join: act("join", "in"), leave: act("leave", "gone") },
    password: "rootPassword",
    stopped: () => ({}),
    mayBeAway: () => ({ most: 1, because: "" }),
  } satisfies Datastore<Options, Sight, Do> & { beforeEnd: object };
  return { it, log, seen };
}

const members = ["db-1", "db-2", "db-3"];
const guest = () => Promise.reject(new Error("no guest"));
const three = cluster(members, {}, guest);
/** Of four members the last is to leave. */
const four = cluster(members, {}, guest, ["db-4"]);
const looks = members.map((name) => `look at ${name}`);

describe("reconcile", () => {
  const said: string[] = [];
  const run = (it: Datastore<Options, Sight, Do>, forecast: string[] = [], on = three) => reconcile(it, on, forecast, (line) => said.push(line));
  beforeEach(() => { said.length = 0; });

  it("looks, does the steps in order, and looks again", async () => {
    const { it, log } = memory({ "db-1": "in", "db-2": "new", "db-3": "new" });
    deepEqual(await run(it), { "db-1": "in", "db-2": "in", "db-3": "in" });
    deepEqual(log, [...looks, "prepare db-2", "prepare db-3", "prepare db-2 done", "prepare db-3 done", "join db-2", "join db-2 done", "join db-3", "join db-3 done", ...looks]);
  });

  it("does a step on its members side by side", async () => {
    const { it, log } = memory({ "db-1": "new", "db-2": "new", "db-3": "new" });
    let inside = 0;
    it.beforeEnd = async (step) => {
      if (step !== "prepare") return;
      inside += 1;
      for (let waited = 0; inside < 3 && waited < 100; waited++) await sleep(5);
      equal(inside, 3);
    };
    await run(it);
    deepEqual(log.slice(3, 6), ["prepare db-1", "prepare db-2", "prepare db-3"]);
  });

  it("an empty plan does nothing and says nothing", async () => {
    const { it, log } = memory({ "db-1": "in", "db-2": "in", "db-3": "in" });
    deepEqual(await run(it), { "db-1": "in", "db-2": "in", "db-3": "in" });
    deepEqual(log, looks);
    deepEqual(said, []);
  });

  it("tells the plan, and each step with its place and its time", async () => {
    await run(memory({ "db-1": "in", "db-2": "in", "db-3": "new" }).it);
    deepEqual(said.map((line) => line.replace(/\d+\.\d s$/, "N s")), ["plan: prepare db-3; join db-3", "step 1/2 prepare db-3", "step 1/2 prepare db-3: done in N s", "step 2/2 join db-3", "step 2/2 join db-3: done in N s"]);
  });

  it("stops at the first step that fails, lets its other members end, and names every failure", async () => {
    const { it, log } = memory({ "db-1": "new", "db-2": "new", "db-3": "new" });
    it.beforeEnd = async (_, name) => { if (name !== "db-2") throw new Error(`no disk on ${name}`); };
    await rejects(run(it), (error: AggregateError) => {
      ok(error.errors.every((each) => each instanceof StepFailed));
      deepEqual(error.errors.map(({ message }: Error) => message), ["prepare db-1: no disk on db-1", "prepare db-3: no disk on db-3"]);
      return true;
    });
    deepEqual(log.slice(3), ["prepare db-1", "prepare db-2", "prepare db-3", "prepare db-2 done"]);
  });

  it("a member that cannot be looked at is seen as such, and the others all the same", async () => {
    const { it } = memory({ "db-1": "in", "db-3": "in" });
    deepEqual(await observe(it, three), { "db-1": "in", "db-2": "unreachable: no route", "db-3": "in" });
  });

  it("refuses an unannounced grave step before the first change, with both plans", async () => {
    const { it, log } = memory({ "db-1": "in", "db-3": "new" });
    await rejects(run(it, ["clean db-1", "join db-2"]), ({ name, message }: Error) => {
      equal(name, "Refused");
      match(message, /the preview said \[clean db-1; join db-2\], what is seen now calls for \[clean db-2; prepare db-3; join db-2; join db-3\]/);
      match(message, /Way forward: run `pulumi refresh`/);
      return true;
    });
    deepEqual(log, looks);
  });

  it("does an announced grave step, and unannounced steps that are not grave", async () => {
    const { it } = memory({ "db-1": "in", "db-3": "new" });
    it.steps.clean = async () => undefined;
    await run(it, ["clean db-2"]).catch(() => undefined);
    ok(said.includes("step 2/4 prepare db-3"), said.join());
  });

  it("looks at a member that is to leave, too, and lets it", async () => {
    const { it, log } = memory({ "db-1": "in", "db-2": "in", "db-3": "in", "db-4": "in" });
    deepEqual(await run(it, ["leave db-4"], four), { "db-1": "in", "db-2": "in", "db-3": "in", "db-4": "gone" });
    deepEqual(log, [...looks, "look at db-4", "leave db-4", "leave db-4 done", ...looks, "look at db-4"]);
  });

  it("lets nobody leave unannounced", async () => {
    const { it, log } = memory({ "db-1": "in", "db-2": "in", "db-3": "in", "db-4": "in" });
    await rejects(run(it, ["leave db-3"], four), /calls for \[leave db-4\]/);
    deepEqual(log, [...looks, "look at db-4"]);
  });

  it("tells the planner who may be forgotten", async () => {
    const { it, log } = memory({ "db-1": "in", "db-2": "in", "db-3": "in" });
    await run(it, [], { ...four, want: { ...four.want, forget: ["db-4"] } });
    deepEqual(log, [...looks, "look at db-4"]);
  });

  describe("again and again", () => {
    const prepared = { "db-1": "prepared", "db-2": "prepared", "db-3": "prepared" } as const;

    it("plans from what is seen after the last plan, until nothing is left to do", async () => {
      const { it, log } = memory(prepared);
      deepEqual(await run({ ...it, plan: (want, seen) => it.plan(want, seen).slice(0, 1) }), { "db-1": "in", "db-2": "in", "db-3": "in" });
      deepEqual(log, members.flatMap((name) => [...looks, `join ${name}`, `join ${name} done`]).concat(looks));
      deepEqual(said.filter((line) => line.startsWith("plan")), members.map((name) => `plan: join ${name}`));
    });

    it("looks at new machines in the first round that knows of some, and once", async () => {
      const { it } = memory(prepared);
      const rounds = [{}, { "db-2": "error" }, { "db-3": "error" }] as const;
      let round = 0;
      await run({ ...it, newcomers: () => rounds[round++]!, plan: (want, seen) => it.plan(want, seen).slice(0, 1) });
      deepEqual(said.filter((line) => /^(plan|warning)/.test(line)), ["plan: join db-1", "plan: join db-2",
        ...members.map((name) => `warning: the machine of ${name} could not be looked at: no guest`), "plan: join db-3"]);
    });

    it("a plan that a second look found too grave is not done", async () => {
      const { it, log, seen } = memory({ "db-1": "in", "db-2": "in", "db-3": "prepared" });
      it.beforeEnd = async () => { seen["db-1"] = "unreachable: cut"; };
      await rejects(run(it), { name: "Refused", message: /calls for \[clean db-1; join db-1\]/ });
      deepEqual(log.filter((line) => line.startsWith("clean")), []);
    });

    it("gives up after three plans, and says what there is still to do", async () => {
      const { it, log, seen } = memory(prepared);
      it.beforeEnd = async () => { seen["db-1"] = "prepared"; };
      it.steps.join = async () => { log.push("join"); };
      await rejects(run(it), /^Error: after 3 plans there is still to do: join db-1; join db-2; join db-3\. Run `pulumi up` again$/);
      equal(log.filter((line) => line === "join").length, 9);
    });
  });

  it("a step on nobody is told and not done", async () => {
    const { it, log } = memory({ "db-1": "in", "db-2": "in", "db-3": "prepared" });
    const thenClean = (steps: Step<Do>[]) => (steps.length > 0 ? [...steps, { do: "clean" as const, on: [] }] : []);
    await run({ ...it, plan: (want, seen) => thenClean(it.plan(want, seen)) }, ["clean"]);
    equal(said[0], "plan: join db-3; clean");
    deepEqual(log.filter((line) => line.includes("clean")), []);
  });

  it("what the planner refuses is changed by nobody", async () => {
    const { it, log } = memory({ "db-1": "new", "db-2": "new", "db-3": "new" });
    await rejects(run({ ...it, plan: () => { throw new Error("refused"); } }), /^Error: refused$/);
    deepEqual(log, looks);
  });
});
