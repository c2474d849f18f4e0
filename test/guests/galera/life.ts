import { deepEqual, equal, match, ok } from "node:assert/strict";
import { exec } from "../../../devcloud";
import type { Kind } from "../cuts";
import { until } from "../trial";
import { GaleraTrial } from "./trial";

export interface Cuts {
  /** Which kind of cut a step meets; the number is the step's place in this life. */
  kind(step: string, place: number): Kind;
  /** Milliseconds into the step. */
  after(place: number): number;
  /** The steps of a grow that are cut too, though a create has met them. */
  inGrow: string[];
}

const creation = ["install", "mount", "configure", "bootstrap", "secure", "join", "verify"];
const three = ["orders-1", "orders-2", "orders-3"];
const five = [...three, "orders-4", "orders-5"];

/**
 * One life of a Galera cluster, through the real engine, plugin, OpenStack, SSH and MariaDB, in which each kind of step
 * is cut. What `created` adds is tested once three members run and a client writes.
 */
export const life = (title: string, cuts: Cuts, created: (trial: GaleraTrial) => void = () => undefined): Mocha.Suite => describe(title, function () {
  const trial = new GaleraTrial(this);

  for (const [place, step] of creation.entries())
    it(`while it is created, its ${step} is cut by ${cuts.kind(step, place)}`, () => cutAt(creation.slice(place), place));

  it("goes on from there, and was bootstrapped on one member only", async () => {
    await trial.up();
    await trial.whole(three);
    const bootstraps = await Promise.all(three.map((name) => trial.told(name, "Connecting with bootstrap option: 1")));
    ok(bootstraps[0]! > 0);
    deepEqual(bootstraps.slice(1), [0, 0]);
  });

  it("takes rows from a client over TLS, from now on all the time", () => trial.write());

  created(trial);

  it("grows from 3 to 5, as the preview says, without a restart, with one SSH connection to each guest and no donor that takes writes", async () => {
    await trial.want({ members: 5 });
    deepEqual(await trial.previewed(), ["install orders-4 orders-5", "mount orders-4 orders-5", `configure ${five.join(" ")}`,
      "join orders-4", "join orders-5", `verify ${five.join(" ")}`]);
    const written = trial.written;
    const logins = () => trial.told("orders-1", "^Accepted publickey", "-t sshd");
    const donations = () => trial.told(written, "wsrep_sst_mariabackup --role .donor");
    const before = [await logins(), await donations(), await trial.starts()] as const;
    await trial.during("grow 3 to 5", async () => {
      for (const place of cuts.inGrow.keys()) await cutAt(cuts.inGrow.slice(place), 20 + place);
      await trial.up();
    });
    // The run's, and ours of the look after it.
    if (cuts.inGrow.length === 0) equal(await logins() - before[0], 2);
    await trial.whole(five);
    equal(trial.written, written);
    equal(await donations() - before[1], 0, `${written}, which the client writes to, was a donor`);
    deepEqual(await trial.starts(three), before[2]);
    for (const name of five)
      match(await trial.cluster.guest(name).look("grep wsrep_cluster_address /etc/mysql/mariadb.conf.d/99-datastore.cnf"), /"gcomm:\/\/([\d.]+,){4}[\d.]+"/);
  });

  it(`takes back a shrink whose leave is cut by ${cuts.kind("leave", 7)}: who had left joins again, and what it holds of another history is put aside, which is cut by ${cuts.kind("clean", 8)}`, async () => {
    await trial.want({ members: 3 });
    deepEqual(await trial.previewed(), [`configure ${three.join(" ")}`, "leave orders-5", "leave orders-4", `verify ${three.join(" ")}`]);
    const before = await trial.tablespaces();
    await trial.during("shrink cut, then taken back", async () => {
      await cutAt(["leave orders-5"], 7);
      deepEqual(await trial.servers(), five);
      // Late enough that it is down, however it was cut.
      await trial.cutAt(["leave orders-4"], cuts.kind("leave", 7), 5000);
      deepEqual(await trial.servers(), five);
      await trial.again();
      // As if it had belonged to another cluster since: the only case in which data are set aside.
      await trial.cluster.guest("orders-5").look("sed -i 's/^uuid:.*/uuid:    11111111-2222-11f0-8888-123456789abc/' /var/lib/datastore/mysql/grastate.dat; sync -f /var/lib/datastore/mysql");
      await trial.want({ members: 5 });
      await trial.refresh();
      match((await trial.previewed()).join("; "), /^(configure .*; )?clean orders-5; join orders-4; join orders-5; verify /);
      await cutAt(["clean"], 8);
      await trial.up();
    });
    await trial.whole(five);
    match(await trial.cluster.guest("orders-5").look("ls -d /var/lib/datastore/mysql.left-*/ibdata1"), /^\/var\/lib\/datastore\/mysql\.left-\d{14}\/ibdata1$/m);
    deepEqual(await trial.gotAllAnew(before), ["orders-5"]);
    await trial.nothingToDo();
  });

  it(`shrinks from 5 to 3, though a leave is cut by ${cuts.kind("leave", 9)}; its servers go last`, async () => {
    await trial.want({ members: 3 });
    await trial.during("shrink 5 to 3, cut", async () => {
      await cutAt(["leave"], 9);
      equal((await trial.servers()).length, 5);
      await trial.up();
    });
    deepEqual(await trial.servers(), three);
    await trial.whole(three);
  });

  it("changes settings that a running server takes, and no server restarts", async () => {
    const before = await trial.starts();
    await trial.want({ configuration: { max_connections: "333", long_query_time: "2.5" } });
    deepEqual(await trial.previewed(), [`configure ${three.join(" ")} (long_query_time live, max_connections live)`, `verify ${three.join(" ")}`]);
    await trial.during("change live settings", () => trial.up());
    deepEqual(await trial.starts(), before);
    for (const name of three) equal(await trial.settings(name, "max_connections", "long_query_time"), "333\t2.500000");
    await trial.nothingToDo();
  });

  it(`changes one that needs a restart, one member at a time, though a restart is cut by ${cuts.kind("restart", 12)}; one that is taken out goes back without it`, async () => {
    const before = await trial.starts();
    await trial.want({ configuration: { max_connections: "333", performance_schema: "ON" } });
    deepEqual(await trial.previewed(), [`configure ${three.join(" ")} (long_query_time live, performance_schema at a restart)`, ...three.map((name) => `restart ${name}`), `verify ${three.join(" ")}`]);
    const tablespaces = await trial.tablespaces();
    await trial.during("change a setting that needs a restart, cut", async () => {
      await cutAt(["restart"], 12);
      await trial.up();
    });
    await trial.whole(three);
    const now = await trial.starts();
    for (const name of three) {
      ok(now[name] !== before[name], `${name} was not restarted`);
      equal(await trial.settings(name, "max_connections", "performance_schema", "long_query_time"), "333\t1\t10.000000");
    }
    deepEqual(await trial.gotAllAnew(tablespaces), []);
    await trial.nothingToDo();
  });

  it("grows its volumes and their file systems, and no server restarts", async () => {
    const before = await trial.starts();
    await trial.want({ volumeSize: 2 });
    deepEqual(await trial.previewed(), [`mount ${three.join(" ")} (2 GiB)`, `verify ${three.join(" ")}`]);
    await trial.during("grow volumes", () => trial.up());
    deepEqual(await trial.starts(), before);
    for (const name of three) ok(Number(await trial.cluster.guest(name).look("df --block-size=1M --output=size /var/lib/datastore | tail -n 1")) > 1900, name);
    await trial.nothingToDo();
    await trial.want({ volumeSize: 1 });
    match(await trial.refused(["preview"]), /volume\.size: what is there was made with 2, and changing it makes volumes smaller, which no cloud does; set it back/);
    await trial.want({ volumeSize: 2 });
  });

  it("replaces a server that was deleted behind its back; the volume was whole, so the transfer is incremental", async () => {
    const before = await trial.tablespaces();
    await exec(["openstack", "--os-cloud", "devcloud", "server", "delete", "--wait", "orders-2"]);
    await trial.refresh();
    deepEqual(await trial.previewed(), ["install orders-2", "mount orders-2", "configure orders-2", "join orders-2", `verify ${three.join(" ")}`]);
    await trial.during("replace a lost server", () => trial.up());
    await trial.whole(three);
    deepEqual(await trial.gotAllAnew(before), []);
    await trial.nothingToDo();
  });

  it(`joins a member anew that the cluster lost and that does not find back, though its stop is cut by ${cuts.kind("stop", 10)}`, async () => {
    await trial.during("a member outside of the cluster", async () => {
      await trial.cluster.sql("orders-3", "SET GLOBAL wsrep_provider_options = 'gmcast.isolate=1'");
      await until("orders-3 to be out", async () => (await trial.wsrep("orders-1")).wsrep_cluster_size === "2");
      await trial.refresh();
      deepEqual(await trial.previewed(), ["stop orders-3", "join orders-3", `verify ${three.join(" ")}`]);
      await cutAt(["stop"], 10);
      await trial.up();
    });
    await trial.whole(three);
    await trial.nothingToDo();
  });

  it(`is recovered from the newest data after all were killed and their views lost, though the recovery is cut by ${cuts.kind("recover", 11)}`, async () => {
    await trial.during("recover after a full outage, cut", async () => {
      await Promise.all(three.map((name) => trial.cluster.guest(name).look("systemctl kill -s KILL mariadb; systemctl stop mariadb; rm -f /var/lib/datastore/mysql/gvwstate.dat")));
      await trial.refresh();
      const [first, ...rest] = await trial.previewed();
      match(first!, /^recover orders-[123]$/);
      deepEqual(rest.map((line) => line.split(" ")[0]), ["join", "join", "verify"]);
      await cutAt(["recover"], 11);
      await trial.refresh();
      await trial.up();
    }, { within: 300, patience: 3 });
    await trial.whole(three);
  });

  it("lost no acknowledged row in all that", () => trial.nothingLost());

  it("leaves nothing in the cloud when it is destroyed", async () => {
    await trial.want({ deletionProtection: false });
    await trial.up();
    await trial.stack.pulumi(["destroy", "--yes", "--skip-preview"]);
    for (const kind of ["server", "port", "volume", "keypair", "server group"]) {
      const { stdout } = await exec(["openstack", "--os-cloud", "devcloud", ...kind.split(" "), "list", "-f", "value"]);
      equal(stdout.split("\n").filter((line) => line.includes("orders")).join("\n"), "", kind);
    }
  });

  /** Cuts the first of these steps that a run comes to. */
  const cutAt = (steps: string[], place: number) => trial.cutAt(steps, cuts.kind(steps[0]!.split(" ")[0]!, place), cuts.after(place));
});
