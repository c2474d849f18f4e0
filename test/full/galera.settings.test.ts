import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { lease } from "../../provider/guest/lease";
import { connect } from "../../provider/guest/ssh";
import { GaleraTrial } from "../guests/galera/trial";
import { until } from "../guests/trial";
import { Hogs } from "./hogs";

const three = ["orders-1", "orders-2", "orders-3"];

describe("a Galera cluster that a setting has silenced, or keeps from starting, on real guests", function () {
  const trial = new GaleraTrial(this);
  const hogs = new Hogs();
  this.afterAll(() => hogs.end());

  it("is created, and written to", async () => {
    await trial.up();
    await trial.whole(three);
    await trial.write();
  });

  it("takes few connections from now on, and administrators' own leave none for ours", async () => {
    await trial.want({ configuration: { max_connections: "10" } });
    await trial.up();
    const { rootPassword } = await trial.outputs<{ rootPassword: string }>();
    for (const name of ["orders-2", "orders-3"]) await hogs.mysql(trial.cluster.address(name), rootPassword, 16);
    await until("orders-3 to answer nobody", async () => (await trial.cluster.guest("orders-3").look("mariadb -e 'SELECT 1' 2>&1 || true")).includes("Too many connections"));
  });

  it("is refused while that is wanted, and says what was seen and what to do", async () => {
    await trial.refresh();
    match(await trial.refused(["preview"]), /every member and its volume must be seen before anything is changed\. Seen: orders-2 runs and does not answer \(MariaDB is active and does not answer root on its socket: .*Too many connections.*take that back in `configuration`/s);
  });

  it("takes it back: those that answer get it live, the others are restarted, one at a time", async () => {
    await trial.want({ configuration: { max_connections: "321" } });
    deepEqual(await trial.previewed(), [`configure ${three.join(" ")} (max_connections live)`, "restart orders-2 (if it still answers nobody)", "restart orders-3 (if it still answers nobody)", `verify ${three.join(" ")}`]);
    const before = await trial.starts();
    await trial.during("settings taken back that silenced two", () => trial.up());
    await trial.whole(three);
    const now = await trial.starts();
    deepEqual(three.filter((name) => now[name] !== before[name]), ["orders-2", "orders-3"]);
    for (const name of three) deepEqual(await trial.settings(name, "max_connections"), "321");
    await trial.nothingToDo();
  });

  it("restarts on demand, last the member that takes the writes", async () => {
    await trial.want({ restartTrigger: "1" });
    const written = trial.written;
    await trial.during("rolling restart", () => trial.up());
    await trial.whole(three);
    const since = await Promise.all(three.map(async (name) => [Number(await trial.cluster.guest(name).look("systemctl show -P ActiveEnterTimestampMonotonic mariadb")), name] as const));
    equal(since.sort(([a], [b]) => a - b).at(-1)![1], written);
    await trial.nothingToDo();
  });

  it("keeps to a bad setting no longer than until it is taken back: the first member does not start with it, and the others are untouched", async () => {
    const before = await trial.starts();
    const good = { max_connections: "321" };
    // That there is no such folder only a start can tell.
    await trial.want({ configuration: { ...good, log_bin: "/no/such/folder/log" } });
    const said = await trial.refused(["up", "--yes", "--skip-preview"]);
    const [, sick] = /MariaDB does not start on (orders-\d): .*no\/such\/folder/.exec(said) ?? [];
    ok(sick !== undefined && sick !== trial.written, said);
    await trial.want({ configuration: good });
    await trial.during("a setting with which none starts, taken back", () => trial.up());
    await trial.whole(three);
    const now = await trial.starts();
    deepEqual(three.filter((name) => now[name] !== before[name]), [sick]);
    await trial.nothingToDo();
  });

  it("is freed of a run that hangs by its name, and that run does nothing more", async () => {
    const { guest, close } = await connect({ name: "orders-2", address: trial.cluster.address("orders-2") },
      { run: "hung", seconds: 20, access: { user: "debian", privateKey: readFileSync(trial.stack.keyFile, "utf8") }, secrets: [], say: () => undefined });
    const { release } = await lease([guest], "hung", "shop/test: by hand");
    try {
      const hangs = rejects(guest.run("sleep 900"));
      await until("the command to run", async () => (await guest.look("pgrep -fx 'sleep 900' || true")) !== "");
      const seen = await trial.cli("unlock", "orders");
      equal(seen.exitCode, 1, seen.all);
      match(seen.all!, /^orders-1 {2}free\norders-2 {2}held by shop\/test: by hand, on .*\n(orders-2 {2}kept by process \d+, for 00:\d\d now: sleep 900\n)+orders-3 {2}free\n/);
      const freed = await trial.cli("unlock", "orders", "--force");
      equal(freed.exitCode, 0, freed.all);
      match(freed.all!, /orders-2 {2}its lease is removed: shop\/test: by hand, .*\n(orders-2 {2}ended process \d+, for 00:\d\d now: sleep 900\n)+/);
      await hangs;
      await rejects(guest.run("true"), /this run no longer holds the lease of this guest/);
      match((await trial.cli("unlock", "orders")).all!, /^orders-1 {2}free\norders-2 {2}free\norders-3 {2}free$/);
    } finally {
      await release();
      close();
    }
    await trial.want({ restartTrigger: "2" });
    await trial.up();
    await trial.whole(three);
  });

  it("lost no acknowledged row in all that", () => trial.nothingLost());
});
