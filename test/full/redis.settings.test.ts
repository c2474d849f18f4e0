import { deepEqual, match, ok } from "node:assert/strict";
import { named, RedisTrial } from "../guests/redis/trial";

const three = named(3, 1);

describe("a Redis cluster that a setting has silenced, on real guests", function () {
  const trial = new RedisTrial(this);

  it("is created, and written to", async () => {
    await trial.up();
    await trial.whole(three);
    await trial.write();
  });

  it("is told at once by a setting that leaves no connection for ours: the members' own among each other count, too", async () => {
    await trial.want({ configuration: { maxclients: "12" } });
    deepEqual(await trial.previewed(), [`configure ${three.join(" ")} (maxclients live)`, `verify ${three.join(" ")}`]);
    match(await trial.refused(["up", "--yes", "--skip-preview"]), /the server on sessions-\d-\d does not answer its administrator any more with these settings: .*Take them back in `configuration`/);
  });

  it("takes it back: who answers nobody is restarted, one at a time", async () => {
    const before = await trial.starts();
    await trial.want({ configuration: { maxclients: "5000" } });
    const steps = await trial.previewed();
    match(steps[0]!, /^configure .* \(maxclients live\)$/);
    match(steps[1]!, /^restart sessions-/);
    await trial.during("settings taken back that silenced all", () => trial.up(), { within: 120 });
    await trial.whole(three);
    const now = await trial.starts();
    ok(three.some((name) => now[name] !== before[name]));
    for (const name of three) match(await trial.ask(name, "INFO", "clients"), /^maxclients:5000/m);
    await trial.nothingToDo();
  });

  it("restarts on demand, by shard, each primary only once another has taken over", async () => {
    const before = await trial.starts();
    await trial.want({ restartTrigger: "1" });
    const steps = await trial.previewed();
    deepEqual(steps.slice(1, 4).map((line) => line.split(" ")[0]), ["restart", "promote", "restart"]);
    await trial.during("rolling restart", () => trial.up());
    await trial.whole(three);
    const now = await trial.starts();
    ok(three.every((name) => now[name] !== before[name]));
    await trial.nothingToDo();
  });

  it("lost no acknowledged key in all that", () => trial.nothingLost());
});
