import { deepEqual, equal, match, ok } from "node:assert/strict";
import { exec } from "../../../devcloud";
import type { Kind } from "../cuts";
import { until } from "../trial";
import { named, RedisTrial } from "./trial";

export interface Cuts {
  /** Which kind of cut a step meets; the number is the step's place in this life. */
  kind(step: string, place: number): Kind;
  /** Milliseconds into the step. */
  after(place: number): number;
}

const creation = ["install", "mount", "configure", "start", "bootstrap", "join", "verify"];
const [three, four, five] = [named(3, 1), named(4, 1), named(5, 1)];

/** One life of a Redis cluster, through the real engine, plugin, OpenStack, SSH and servers, in which each kind of step is cut. What `created` adds is tested once it runs and a client writes. */
export const life = (title: string, cuts: Cuts, created: (trial: RedisTrial) => void = () => undefined): Mocha.Suite => describe(title, function () {
  const trial = new RedisTrial(this);

  for (const [place, step] of creation.entries())
    it(`while it is created, its ${step} is cut by ${cuts.kind(step, place)}`, () => cutAt(creation.slice(place), place));

  it("goes on from there: three shards, each a primary and a replica, on different hosts", async () => {
    await trial.up();
    await trial.whole(three);
    await trial.nothingToDo();
    const { stdout } = await exec(["openstack", "--os-cloud", "devcloud-admin", "server", "list", "--all-projects", "--long", "-f", "json"]);
    const hosts = new Map((JSON.parse(stdout) as { Name: string; Host: string }[]).map(({ Name, Host }) => [Name, Host]));
    for (const shard of [1, 2, 3]) equal(new Set([1, 2].map((number) => hosts.get(`sessions-${shard}-${number}`))).size, 2, `shard ${shard}`);
  });

  it("takes keys from a client that knows clusters, over TLS, from now on all the time", async () => {
    await trial.write();
    await trial.fill(60_000);
  });

  created(trial);

  it(`grows to four shards, as the preview says, though a move is cut by ${cuts.kind("move", 10)}; its slots go on from where they are`, async () => {
    await trial.want({ shards: 4 });
    const steps = await trial.previewed();
    deepEqual(steps.map((line) => line.replace(/-\d+-\d+/g, "").split(" ")[0]), ["install", "mount", "configure", "start", "join", "join", "move", "move", "move", "verify"]);
    match(steps[6]!, /^move sessions-[123]-[12] to sessions-4-1 \(136[56] slots\)$/);
    await trial.during("grow 3 to 4 shards, a move cut", async () => {
      await cutAt(["move"], 10);
      await trial.up();
    }, { mayLose: lost("move", 10) });
    await trial.whole(four);
    await trial.nothingToDo();
  });

  it("moves keys at least as fast as `redis-cli --cluster reshard` does on the same guests", async () => {
    const [ours, theirs] = [await trial.moved(), await trial.resharded("4", "1", 1365)];
    console.log(`        keys moved a second, while the client writes: ${ours.toFixed(0)}, by redis-cli: ${theirs.toFixed(0)}`);
    ok(ours >= theirs);
  });

  it("grows to five, from wherever a person has moved slots to", async () => {
    await trial.want({ shards: 5 });
    await trial.during("grow 4 to 5 shards", () => trial.up());
    await trial.whole(five);
  });

  it(`shrinks to three, though a leave is cut by ${cuts.kind("leave", 11)}; its servers go last`, async () => {
    await trial.want({ shards: 3 });
    const steps = await trial.previewed();
    deepEqual(steps.filter((line) => line.startsWith("leave")), ["leave sessions-5-2", "leave sessions-4-2", "leave sessions-5-1", "leave sessions-4-1"]);
    await trial.during("shrink 5 to 3 shards, a leave cut", async () => {
      await cutAt(["leave"], 11);
      equal((await trial.servers()).length, 10);
      await trial.up();
    }, { mayLose: lost("leave", 11) });
    deepEqual(await trial.servers(), three);
    await trial.whole(three);
    await trial.nothingToDo();
  });

  it("changes a setting that a running server takes, and no server restarts", async () => {
    const before = await trial.starts();
    await trial.want({ configuration: { "maxmemory-policy": "allkeys-lru" } });
    deepEqual(await trial.previewed(), [`configure ${three.join(" ")} (maxmemory-policy live)`, `verify ${three.join(" ")}`]);
    await trial.during("change a live setting", () => trial.up());
    deepEqual(await trial.starts(), before);
    for (const name of three) match(await trial.ask(name, "INFO", "memory"), /maxmemory_policy:allkeys-lru/);
  });

  it(`changes one that needs a restart, by shard, replicas first, though a restart is cut by ${cuts.kind("restart", 12)} and a promotion by ${cuts.kind("promote", 13)}`, async () => {
    const before = await trial.starts();
    await trial.want({ configuration: { "maxmemory-policy": "allkeys-lru", "io-threads": "2" } });
    const steps = await trial.previewed();
    deepEqual(steps.slice(1, 4).map((line) => line.split(" ")[0]), ["restart", "promote", "restart"]);
    await trial.during("change a setting that needs a restart, cut", async () => {
      await cutAt(["restart"], 12);
      await cutAt(["promote"], 13);
      await trial.up();
    }, { mayLose: Math.max(lost("restart", 12), lost("promote", 13)) });
    await trial.whole(three);
    const now = await trial.starts();
    for (const name of three) ok(now[name] !== before[name], `${name} was not restarted`);
    await trial.nothingToDo();
  });

  it(`brings back a member whose keys are gone, as a new one, though its clean is cut by ${cuts.kind("clean", 14)}`, async () => {
    const guest = trial.cluster.guest("sessions-1-2");
    await trial.during("a member without its keys, cut", async () => {
      await guest.look(`systemctl stop ${trial.server}; rm -r /var/lib/datastore/redis/appendonlydir`);
      await until("the others to know", async () => (await trial.primariesBut("sessions-1-2"))["1"] !== undefined);
      await trial.refresh();
      match((await trial.previewed()).join("; "), /^clean sessions-1-2; start sessions-1-2; join sessions-1-2; verify /);
      await cutAt(["clean"], 14);
      await trial.up();
    }, { patience: 3, mayLose: 2 });
    await trial.whole(three);
    match(await trial.cluster.guest("sessions-1-2").look("ls /var/lib/datastore"), /^redis\.emptied-\d{14}$/m);
    await trial.nothingToDo();
  });

  it("replaces a server that was deleted behind its back: its replica had taken over, and it follows now", async () => {
    const old = (await trial.primaries())["2"]!;
    await trial.during("replace a lost primary", async () => {
      await exec(["openstack", "--os-cloud", "devcloud", "server", "delete", "--wait", old]);
      await until("its replica to take over", async () => (await trial.primariesBut(old))["2"] !== undefined);
      await trial.refresh();
      match((await trial.previewed()).join("; "), new RegExp(`^install ${old}; mount ${old}; configure ${old}; start ${old}; `));
      await trial.up();
    }, { patience: 3, mayLose: 2 });
    await trial.whole(three);
    await trial.nothingToDo();
  });

  it("has all that was acknowledged, but for what a failover had not replicated", () => trial.nothingLost());

  it("leaves nothing in the cloud when it is destroyed", async () => {
    await trial.want({ deletionProtection: false });
    await trial.up();
    await trial.stack.pulumi(["destroy", "--yes", "--skip-preview"]);
    for (const kind of ["server", "port", "volume", "keypair", "server group"]) {
      const { stdout } = await exec(["openstack", "--os-cloud", "devcloud", ...kind.split(" "), "list", "-f", "value"]);
      equal(stdout.split("\n").filter((line) => line.includes("sessions")).join("\n"), "", kind);
    }
  });

  /** A guest that loses power loses with it what it had not written to its disk yet, each second, or not told its replica. No other cut loses anything. */
  const lost = (step: string, place: number) => (cuts.kind(step, place) === "a power cut of the guest" ? 2 : 0);

  /** Cuts the first of these steps that a run comes to. */
  const cutAt = (steps: string[], place: number) => trial.cutAt(steps, cuts.kind(steps[0]!, place), cuts.after(place));
});

