import { deepEqual, equal, match, ok } from "node:assert/strict";
import { named, RedisTrial } from "../guests/redis/trial";

const six = named(3, 1);

describe("a Redis cluster of which two members may be away at a time, on real guests", function () {
  const trial = new RedisTrial(this);

  /** Restarts all by another text; the seconds that it took, and in the members' own words how many were away at a time. */
  const rolled = async (text: string): Promise<{ seconds: number; away: number }> => {
    const before = await trial.starts();
    await trial.want({ restartTrigger: text });
    const began = Date.now();
    await trial.during(`rolling restart ${text}`, () => trial.up(), { within: 2 });
    const seconds = (Date.now() - began) / 1000;
    await trial.whole(six);
    const now = await trial.starts();
    ok(six.every((name) => now[name] !== before[name]));
    const spans = await Promise.all(six.map(async (name) => {
      const [from = 0, to = 0] = (await trial.cluster.guest(name).look(`for what in ActiveExit ActiveEnter; do date -d "$(systemctl show -P \${what}Timestamp --timestamp=us ${trial.server})" +%s%3N; done`)).trim().split("\n").map(Number);
      return { from, to };
    }));
    ok(spans.every(({ from, to }) => from > 0 && to >= from));
    return { seconds, away: Math.max(...spans.map(({ from }) => spans.filter((each) => each.from <= from && from <= each.to).length)) };
  };

  it("is created, and written to", async () => {
    await trial.up();
    await trial.whole(six);
    await trial.write();
    await trial.fill(20_000);
  });

  let alone: { seconds: number; away: number };
  it("restarts one after another", async () => {
    alone = await rolled("of one at a time");
    equal(alone.away, 1);
  });

  it("restarts two at a time, of two shards and none a primary that another follows, in less time", async () => {
    await trial.want({ rollout: { maxUnavailable: 4 } });
    match(await trial.refused(["preview"]), /may have a maxUnavailable of 3 at most, and has 4: one of each shard may be away/);
    await trial.want({ rollout: { maxUnavailable: 2 }, restartTrigger: "of two at a time" });
    const primaries = await trial.primaries();
    const steps = (await trial.previewed()).filter((line) => line.startsWith("restart ")).map((line) => line.split(" ").slice(1));
    deepEqual(steps.map(({ length }) => length), [2, 2, 1, 1]);
    ok(steps[0]!.every((name) => !Object.values(primaries).includes(name)));
    const abreast = await rolled("of two at a time");
    console.log(`        a rolling restart of six: ${alone.seconds.toFixed(1)} s one at a time, ${abreast.seconds.toFixed(1)} s two at a time`);
    equal(abreast.away, 2);
    await trial.nothingToDo();
  });

  it("goes on where it is killed while two are away", async () => {
    await trial.want({ restartTrigger: "killed" });
    await trial.during("rolling restart of two, killed", () => trial.cutAndUp("restart", "kill -9 of the CLI", 0), { within: 2 });
    await trial.whole(six);
    await trial.nothingToDo();
  });

  it("lost no acknowledged key in all that", () => trial.nothingLost());
});
