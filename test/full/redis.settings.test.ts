import { deepEqual, match, ok } from "node:assert/strict";
import { named, RedisTrial } from "../guests/redis/trial";
import { until } from "../guests/trial";
import { Hogs } from "./hogs";

const three = named(3, 1);

describe("a Redis cluster that a setting has silenced, on real guests", function () {
  const trial = new RedisTrial(this);
  const hogs = new Hogs();
  this.afterAll(() => hogs.end());

  it("is created, and written to", async () => {
    await trial.up();
    await trial.whole(three);
    await trial.write();
  });

  it("takes few connections from now on, and others leave none for ours", async () => {
    await trial.want({ configuration: { maxclients: "12" } });
    deepEqual(await trial.previewed(), [`configure ${three.join(" ")} (maxclients live)`, `verify ${three.join(" ")}`]);
    await trial.up();
    hogs.redis(trial.cluster.address("sessions-3-1"), 20);
    await until("sessions-3-1 to answer nobody", async () => !(await trial.ask("sessions-3-1", "PING").then((said) => said.includes("PONG"), () => false)));
  });

  it("is refused while that is wanted, and says what was seen and what to do", async () => {
    await trial.refresh();
    match(await trial.refused(["preview"]), /every member and its volume must be seen before anything is changed\. Seen: sessions-3-1 runs and does not answer \(the server is active and does not answer its administrator: .*take that back in `configuration`/s);
  });

  it("takes it back: those that answer get it live, the other is restarted", async () => {
    const before = await trial.starts();
    await trial.want({ configuration: { maxclients: "5000" } });
    deepEqual(await trial.previewed(), [`configure ${three.join(" ")} (maxclients live)`, "restart sessions-3-1", `verify ${three.join(" ")}`]);
    await trial.during("settings taken back that silenced one", () => trial.up());
    await trial.whole(three);
    const now = await trial.starts();
    deepEqual(three.filter((name) => now[name] !== before[name]), ["sessions-3-1"]);
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
