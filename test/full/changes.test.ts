import { deepEqual, equal, match, ok } from "node:assert/strict";
import { exec, powerCut, powerOn } from "../../devcloud";
import { GaleraTrial } from "../guests/galera/trial";
import { until } from "../guests/trial";

const three = ["orders-1", "orders-2", "orders-3"];
const five = [...three, "orders-4", "orders-5"];

/** What owners do besides growing and shrinking: take things back, ask for a new server, lose what cannot be brought back. */
describe("a Galera cluster on real guests whose owner changes their mind, and loses servers and volumes", function () {
  const trial = new GaleraTrial(this);

  it("is created, and takes rows from now on", async () => {
    await trial.up();
    await trial.whole(three);
    await trial.write();
  });

  /** How often orders-1 has missed a member that did not say that it leaves. */
  const silences = () => trial.told("orders-1", "suspecting");

  it("takes back a grow that was cut: who had joined leaves, and the servers go", async () => {
    await trial.want({ members: 5 });
    await trial.during("grow cut, then taken back", async () => {
      ok(await trial.cutAt(["join orders-5"], "a lost SSH connection", 5000), "it was not cut");
      await trial.want({ members: 3 });
      await trial.refresh();
      deepEqual(await trial.previewed(), [`configure ${three.join(" ")}`, "leave orders-5", "leave orders-4", `verify ${three.join(" ")}`]);
      await trial.up();
    });
    deepEqual(await trial.servers(), three);
    await trial.whole(three);
    await trial.nothingToDo();
  });

  it("survives that a killed grow is taken back, though no state knows who had joined: they stop before they go", async () => {
    const before = await silences();
    await trial.want({ members: 5 });
    await trial.during("grow killed, then taken back", async () => {
      ok(await trial.cutAt(["join orders-5"], "kill -9 of the CLI", 5000), "it was not cut");
      await trial.want({ members: 3 });
      await trial.up();
    });
    deepEqual(await trial.servers(), three);
    await trial.whole(three);
    equal(await silences(), before, "a member fell silent instead of leaving");
    await trial.refresh();
    deepEqual(await trial.previewed(), ["configure orders-1 orders-2 orders-3", `verify ${three.join(" ")}`]);
    await trial.up();
    await trial.nothingToDo();
  });

  it("grows to five", async () => {
    await trial.want({ members: 5 });
    await trial.during("grow 3 to 5", trial.up);
    await trial.whole(five);
  });

  it("makes a server again when asked to, from its own volume", async () => {
    const [before, tablespaces] = [await silences(), await trial.tablespaces()];
    await trial.want({ replace: ["orders-2"] });
    deepEqual(await trial.previewed(), ["install orders-2", "mount orders-2", "configure orders-2", "join orders-2", `verify ${five.join(" ")}`]);
    await trial.during("replace: [\"orders-2\"]", trial.up);
    await trial.whole(five);
    deepEqual(await trial.gotAllAnew(tablespaces), []);
    equal(await silences(), before, "orders-2 fell silent instead of leaving");
    await trial.nothingToDo();
    await trial.want({ replace: [] });
    await trial.up();
    await trial.whole(five);
  });

  it("refuses to shrink while a leaver is gone, says how to forget it, and then does", async () => {
    await trial.during("shrink with a leaver gone for ever", async () => {
      const before = await silences();
      await powerCut(["orders-5"]);
      await until("orders-5 to be out", async () => (await trial.wsrep("orders-1")).wsrep_cluster_size === "4");
      ok(await silences() > before, "a member that loses power falls silent");
      await trial.want({ members: 3 });
      match(await trial.refused(["up", "--yes", "--skip-preview"]), /orders-5 cannot be seen .*A leaving member that is gone for ever is named in forget: \["orders-5"\]/);
      deepEqual(await trial.servers(), five);
      await trial.want({ forget: ["orders-5"] });
      deepEqual(await trial.previewed(), [`configure ${three.join(" ")}`, "leave orders-5", "leave orders-4", `verify ${three.join(" ")}`]);
      await trial.up();
    });
    deepEqual(await trial.servers(), three);
    await trial.whole(three);
    await trial.want({ forget: [] });
    await trial.up();
    await trial.nothingToDo();
  });

  it("makes a member again that lost its server and its volume, by a full transfer", async () => {
    const before = await trial.tablespaces();
    await exec(["openstack", "--os-cloud", "devcloud", "server", "delete", "--wait", "orders-3"]);
    const { stdout } = await exec(["openstack", "--os-cloud", "devcloud", "volume", "list", "-f", "value", "-c", "ID", "--name", "orders-3"]);
    await exec(["openstack", "--os-cloud", "devcloud", "volume", "delete", stdout.trim()]);
    await trial.refresh();
    deepEqual(await trial.previewed(), ["install orders-3", "mount orders-3", "configure orders-3", "join orders-3", `verify ${three.join(" ")}`]);
    await trial.during("replace a lost server and volume", trial.up);
    await trial.whole(three);
    deepEqual(await trial.gotAllAnew(before), ["orders-3"]);
    await trial.nothingToDo();
  });

  it("joins a member anew whose last state transfer a power cut tore, so that MariaDB does not open what is left of it", async () => {
    const before = await trial.tablespaces();
    const on = (command: string) => trial.cluster.guest("orders-3").look(command);
    await on("systemctl stop mariadb; cd /var/lib/datastore/mysql; head -c 1M ibdata1 >torn; chown mysql: torn; mv torn ibdata1");
    await trial.refresh();
    deepEqual(await trial.previewed(), ["join orders-3", `verify ${three.join(" ")}`]);
    await trial.during("join over a torn state transfer", trial.up);
    await trial.whole(three);
    deepEqual(await trial.gotAllAnew(before), ["orders-3"]);
    match(await on("cd /var/lib/datastore; stat -c %s mysql.cut-*/ibdata1"), /^1048576$/m);
    // It may go, and what comes next needs the room of a small volume.
    await on("rm -r /var/lib/datastore/mysql.cut-*");
    await trial.nothingToDo();
  });

  it("is recovered after all lost power in the middle of a change of tables, when Galera has forgotten where they were and with whom", async () => {
    await trial.cluster.sql("orders-1", "CREATE TABLE written.wide (id INT PRIMARY KEY, filler CHAR(200)) ENGINE=InnoDB; USE written; INSERT INTO wide SELECT seq, REPEAT('x', 200) FROM seq_1_to_200000");
    await trial.during("power cut of all in a change of tables", async () => {
      const halted = Promise.all(three.map((name) => trial.cluster.guest(name).look(
        "for i in $(seq 3000); do grep -q '^uuid: *00000000-' /var/lib/datastore/mysql/grastate.dat && break; sleep 0.01; done; systemctl kill -s STOP mariadb; cd /var/lib/datastore/mysql; rm gvwstate.dat; sync -f .; grep ^uuid: grastate.dat")));
      await trial.cluster.guest("orders-1").look("setsid -f mariadb -e 'ALTER TABLE written.wide ADD COLUMN more CHAR(100) DEFAULT 1, ALGORITHM=COPY' >/dev/null 2>&1");
      for (const uuid of await halted) match(uuid, /^uuid: *00000000-/);
      await powerCut(three);
      await powerOn(three);
      await trial.again();
      await trial.refresh();
      const [first, ...rest] = await trial.previewed();
      match(first!, /^stop|^recover/);
      console.log(`        ${[first, ...rest].join("; ")}`);
      await trial.up();
    }, { within: 300, patience: 3 });
    await trial.whole(three);
    const columns = await Promise.all(three.map((name) => trial.cluster.sql(name, "CHECK TABLE written.wide; SHOW COLUMNS FROM written.wide")));
    equal(new Set(columns).size, 1);
    match(columns[0]!, /\tOK$/m);
    await trial.nothingToDo();
  });

  it("lost no acknowledged row in all that", () => trial.nothingLost());

  it("refuses to join members to a cluster that somebody started from older data, and recovers the newer", async () => {
    const on = (name: string, command: string) => trial.cluster.guest(name).look(command);
    await on("orders-3", "systemctl stop mariadb");
    // More than a start writes by itself.
    await trial.cluster.sql("orders-1", `CREATE TABLE written.later (id INT PRIMARY KEY); ${Array.from({ length: 200 }, (_, id) => `INSERT INTO written.later VALUES (${id});`).join(" ")}`);
    for (const name of ["orders-2", "orders-1"]) await on(name, "systemctl stop mariadb");
    await on("orders-3", "sed -i 's/^safe_to_bootstrap: 0/safe_to_bootstrap: 1/' /var/lib/datastore/mysql/grastate.dat; galera_new_cluster");
    await trial.refresh();
    match(await trial.refused(["preview"]), /a cluster that runs on older data takes nobody in who holds newer.*the cluster was started without orders-1, orders-2: both have gone on since, so decide which data is right\. To keep the newer: on those that run stop MariaDB, `mv/s);
    await on("orders-3", "systemctl stop mariadb; mv /var/lib/datastore/mysql /var/lib/datastore/mysql.aside; sed -i 's/\"hasHadData\":true/\"hasHadData\":false/' /var/lib/datastore/.datastore.json");
    await trial.refresh();
    deepEqual(await trial.previewed(), ["recover orders-1", "join orders-2", "join orders-3", `verify ${three.join(" ")}`]);
    await trial.up();
    await trial.whole(three);
    for (const name of three) equal(await trial.cluster.sql(name, "SELECT COUNT(*) FROM written.later"), "200");
  });

  it("leaves nothing in the cloud when it is destroyed", async () => {
    await trial.want({ deletionProtection: false });
    await trial.up();
    await trial.stack.pulumi(["destroy", "--yes", "--skip-preview"]);
    deepEqual(await trial.servers(), []);
  });
});
