import { equal, match, ok } from "node:assert/strict";
import { named, RedisTrial } from "../guests/redis/trial";

const six = named(3, 1);
const data = "/var/lib/datastore/redis";

describe("a Redis cluster that lost data of its own, on real guests", function () {
  const trial = new RedisTrial(this);
  const pair = async (shard: "1" | "2" | "3"): Promise<[primary: string, replica: string]> => {
    const { [shard]: primary } = await trial.primaries();
    return [primary!, six.find((name) => name.startsWith(`sessions-${shard}-`) && name !== primary)!];
  };
  const on = (name: string, command: string) => trial.cluster.guest(name).look(command);
  const stopped = (names: string[]) => Promise.all(names.map((name) => on(name, "systemctl stop redis-server")));
  const emptied = (names: string[]) => Promise.all(names.map((name) => on(name, `mv ${data} ${data}.lost`)));
  const started = (names: string[]) => Promise.all(names.map((name) => on(name, "systemctl start redis-server")));
  /** The commands of ours that a refusal names, one after another. Pulumi prints it more than once. */
  const followed = async (refusal: string): Promise<void> => {
    const commands = new Set([...refusal.matchAll(/`npx pulumi-openstack-datastores ([^`]*)`/g)].map(([, words]) => words!));
    for (const words of commands) {
      console.log(`        ${words}`);
      const { exitCode, all } = await trial.cli(...words.split(" "));
      equal(exitCode, 0, all);
    }
  };

  it("is created, and written to", async () => {
    await trial.up();
    await trial.whole(six);
    await trial.write();
    await trial.fill(20_000);
  });

  it("serves what a replica got of a primary whose data are lost, once a person has decided so", async () => {
    const [primary, replica] = await pair("1");
    await trial.during("a primary's data lost while its replica was down", async () => {
      await stopped([replica, primary]);
      await emptied([primary]);
      await started([primary, replica]);
      await trial.refresh();
      const refusal = await trial.refused(["preview"]);
      match(refusal, /refused: slots whose keys are lost are not given out again as if they were empty/);
      await followed(refusal);
      await trial.refresh();
      match((await trial.previewed()).join("; "), new RegExp(`^clean ${primary}; start ${primary}; join ${primary}; verify `));
      await trial.up();
    }, { patience: 3, mayLose: 2, within: 240 });
    await trial.whole(six);
    await trial.nothingToDo();
  });

  it("goes on without the keys of a shard that lost all of them, once a person has decided so", async () => {
    const both = await pair("3");
    const keys = async () => new Map(await Promise.all(Object.values(await trial.primaries()).map(async (name) => [name, Number(await trial.ask(name, "DBSIZE"))] as const)));
    const sum = (of: Map<string, number>, without: string[] = []) => [...of].reduce((all, [name, count]) => (without.includes(name) ? all : all + count), 0);
    const kept = sum(await keys(), both);
    ok(kept > 10_000);
    await stopped(both);
    await emptied(both);
    await started(both);
    await trial.refresh();
    const refusal = await trial.refused(["preview"]);
    match(refusal, /refused: slots whose keys are lost are not given out again as if they were empty/);
    await followed(refusal);
    await trial.refresh();
    match((await trial.previewed()).join("; "), /^clean sessions-3-1 sessions-3-2; start sessions-3-1 sessions-3-2; join sessions-3-1; join sessions-3-2; move sessions-\d-\d to sessions-3-1 \(5461 slots\); verify /);
    await trial.up();
    await trial.whole(six);
    // Which slots come back is the plan's choice: with them go their keys.
    ok(sum(await keys()) >= kept);
    await trial.nothingToDo();
  });
});
