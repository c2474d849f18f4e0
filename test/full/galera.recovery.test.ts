import { deepEqual, equal, match, ok } from "node:assert/strict";
import { GaleraTrial } from "../guests/galera/trial";

const three = ["orders-1", "orders-2", "orders-3"];

describe("a Galera cluster of which two members went on alone, on real guests", function () {
  const trial = new GaleraTrial(this);

  /** What is printed to be written, where it is refused. */
  const printed = (refusal: string): string => {
    const [, hash] = /recovery: \{ from: "orders-\d", evidence: "([0-9a-f]{12})" \}/.exec(refusal) ?? [];
    ok(hash !== undefined, refusal);
    return hash;
  };

  /** As a person would by hand: it runs without the others, is written to, and ends in order. */
  const runAlone = async (name: string) => {
    const guest = trial.cluster.guest(name);
    await guest.look("sed -i 's/^safe_to_bootstrap: 0/safe_to_bootstrap: 1/' /var/lib/datastore/mysql/grastate.dat; galera_new_cluster");
    await trial.cluster.sql(name, `INSERT INTO decided.notes (note) VALUES ('on ${name} alone')`);
    await guest.look("systemctl stop mariadb");
  };
  const notes = (name: string) => trial.cluster.sql(name, "SELECT note FROM decided.notes ORDER BY note");
  const upRefused = () => trial.refused(["up", "--yes", "--skip-preview"]);
  let hash: string;

  it("is created, and written to", async () => {
    await trial.up();
    await trial.whole(three);
    await trial.cluster.sql("orders-1", "CREATE DATABASE decided; CREATE TABLE decided.notes (id INT AUTO_INCREMENT PRIMARY KEY, note TEXT); INSERT INTO decided.notes (note) VALUES ('of all')");
  });

  it("is stopped, and two of them run alone in turn", async () => {
    for (const name of [...three].reverse()) await trial.cluster.guest(name).look("systemctl stop mariadb");
    for (const name of ["orders-1", "orders-2"]) await runAlone(name);
  });

  it("refuses to choose, and prints how a person does", async () => {
    await trial.refresh();
    const refusal = await upRefused();
    match(refusal, /one member at most was the last to leave\. Seen: orders-1 is down with whole data .*\(safe to bootstrap\); orders-2 is down with whole data .*\(safe to bootstrap\); orders-3 is down with whole data/s);
    hash = printed(refusal);
    equal(printed(await trial.refused(["preview"])), hash);
  });

  it("refuses a decision on what was seen before, also where only the run's own look shows it", async () => {
    await trial.want({ recovery: { from: "orders-2", evidence: "000000000000" } });
    equal(printed(await trial.refused(["preview"])), hash);
    await runAlone("orders-1");
    await trial.want({ recovery: { from: "orders-2", evidence: hash } });
    const refusal = await upRefused();
    match(refusal, /a decision counts only for what was seen when it was made/);
    ok(printed(refusal) !== hash);
    hash = printed(refusal);
    for (const name of three) match(await trial.cluster.guest(name).look("systemctl is-active mariadb || true"), /inactive|failed/);
  });

  it("goes on from the member that is chosen, though that is cut before the other's data are set aside", async () => {
    await trial.refresh();
    await trial.want({ recovery: { from: "orders-2", evidence: hash } });
    deepEqual(await trial.previewed(), ["recover orders-2", "clean orders-1 (what is there is kept aside)", "join orders-1", "join orders-3", `verify ${three.join(" ")}`]);
    await trial.cutAt(["recover"], "kill -9 of the CLI", 5000);
    await trial.refresh();
    await trial.up();
    await trial.whole(three);
    for (const name of three) deepEqual((await notes(name)).split("\n"), ["of all", "on orders-2 alone"]);
  });

  it("has kept what the other held on its volume, and nothing of who held no more", async () => {
    const aside = (name: string) => trial.cluster.guest(name).look("ls -d /var/lib/datastore/mysql.given-up-*/decided/notes.ibd 2>/dev/null || true");
    match(await aside("orders-1"), /^\/var\/lib\/datastore\/mysql\.given-up-\d{14}\/decided\/notes\.ibd\n$/);
    for (const name of ["orders-2", "orders-3"]) equal(await aside(name), "");
  });

  it("has nothing left to do, with the decision and without", async () => {
    await trial.nothingToDo();
    await trial.stack.pulumi(["config", "rm", "recovery"]);
    deepEqual(await trial.previewed(), []);
    await trial.up();
    await trial.nothingToDo();
  });
});
