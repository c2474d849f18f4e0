import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster, Datastore } from "../../provider/datastores/datastore";
import { options, type Options } from "../../provider/datastores/galera/options";
import { StepFailed } from "../../provider/errors";
import { oneByOne, together } from "../../provider/plan";
import { observe, reconcile } from "../../provider/reconcile";
import { cluster } from "./cluster";

type Do = "prepare" | "wipe" | "join";
type Sight = "new" | "prepared" | "in" | `unreachable: ${string}`;

/** A datastore in memory: members are prepared together, then join one by one. It writes down what is done to it. */
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
    options, blank: "new", healthy: () => "in",
    beforeEnd: (async () => undefined) as (step: Do, name: string) => Promise<void>,
    unreachable: (why) => `unreachable: ${why}`,
    observe: async (_, { name }) => {
      log.push(`look at ${name}`);
      if (seen[name] === undefined) throw new Error("no route");
      return seen[name];
    },
    plan: (members, sights) => [
      ...together<Do>("wipe", members.filter((name) => sights[name]!.startsWith("unreachable"))),
      ...together<Do>("prepare", members.filter((name) => sights[name] === "new")),
      ...oneByOne<Do>("join", members.filter((name) => sights[name] !== "in")),
    ],
    steps: { prepare: act("prepare", "prepared"), wipe: act("wipe", "new"), join: act("join", "in") },
  } satisfies Datastore<Options, Sight, Do> & { beforeEnd: object };
  return { it, log, seen };
}

const members = ["db-1", "db-2", "db-3"];
const three = cluster(members, {}, () => Promise.reject(new Error("no guest")));
const looks = members.map((name) => `look at ${name}`);

describe("reconcile", () => {
  const said: string[] = [];
  const run = (it: Datastore<Options, Sight, Do>, forecast: string[] = []) => reconcile(it, three, forecast, (line) => said.push(line));
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
    await rejects(run(it, ["wipe db-1", "join db-2"]), ({ name, message }: Error) => {
      equal(name, "Refused");
      match(message, /the preview said \[wipe db-1; join db-2\], what is seen now calls for \[wipe db-2; prepare db-3; join db-2; join db-3\]/);
      match(message, /Way forward: run `pulumi refresh`/);
      return true;
    });
    deepEqual(log, looks);
  });

  it("does an announced grave step, and unannounced steps that are not grave", async () => {
    const { it } = memory({ "db-1": "in", "db-3": "new" });
    it.steps.wipe = async () => undefined;
    await run(it, ["wipe db-2"]).catch(() => undefined);
    ok(said.includes("step 2/4 prepare db-3"), said.join());
  });

  it("what the planner refuses is changed by nobody", async () => {
    const { it, log } = memory({ "db-1": "new", "db-2": "new", "db-3": "new" });
    await rejects(run({ ...it, plan: () => { throw new Error("refused"); } }), /^Error: refused$/);
    deepEqual(log, looks);
  });
});
