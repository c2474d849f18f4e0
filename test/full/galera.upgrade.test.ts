import { deepEqual, equal, match } from "node:assert/strict";
import { GaleraTrial } from "../guests/galera/trial";

const three = ["orders-1", "orders-2", "orders-3"];

describe("a Galera cluster that gets another major version, on real guests", function () {
  const trial = new GaleraTrial(this);
  const each = (command: string) => Promise.all(three.map(async (name) => (await trial.cluster.guest(name).look(command)).trim()));
  const held = () => each("apt-mark showhold | grep -cxE 'mariadb-(server|server-core|backup)|galera-4' || true");

  it("is created with packages that are held, and written to", async () => {
    await trial.up();
    await trial.whole(three);
    deepEqual(await held(), ["4", "4", "4"]);
    await trial.write();
  });

  it("has packages held that somebody let go, without a restart", async () => {
    const before = await trial.starts();
    await trial.cluster.guest("orders-2").look("apt-mark unhold mariadb-server >/dev/null");
    await trial.refresh();
    deepEqual(await trial.previewed(), ["install orders-2", `verify ${three.join(" ")}`]);
    await trial.during("hold packages again", () => trial.up(), { within: 5 });
    deepEqual(await held(), ["4", "4", "4"]);
    deepEqual(await trial.starts(), before);
    await trial.nothingToDo();
  });

  it("is refused a version that its image has not, that no vendor has tried, or that is older", async () => {
    await trial.want({ version: "11.8" });
    match(await trial.refused(["preview"]), /refused: another `version` comes with another `image`.*orders-1 has 10\.11 installed.*wanted 11\.8/);
    await trial.want({ version: "12.3", image: "debian-13" });
    match(await trial.refused(["preview"]), /refused: a major version is changed only as its vendor has tried.*set `version` to "11\.4" or "11\.8"/);
    await trial.want({ version: "10.6" });
    match(await trial.refused(["preview"]), /refused: data that a later version has opened are opened by no older one/);
  });

  it("gets more room for what a member misses, one member at a time", async () => {
    await trial.want({ gcacheSize: "192M", version: "10.11", image: "debian-12" });
    deepEqual(await trial.previewed(), [`configure ${three.join(" ")} (gcacheSize at a restart)`, ...three.map((name) => `restart ${name}`), `verify ${three.join(" ")}`]);
    await trial.during("a larger gcacheSize", () => trial.up(), { within: 5 });
    for (const name of three) match(await trial.cluster.sql(name, "SELECT @@wsrep_provider_options"), /gcache\.size = 192M/);
    await trial.nothingToDo();
  });

  it("gets it one member at a time, each by the writes that it missed, though the run is killed", async () => {
    await trial.want({ version: "11.8", image: "debian-13" });
    const anew = (name: string) => [`rebuild ${name} (debian-13, 10.11 to 11.8)`, `install ${name} (10.11 to 11.8)`, ...["mount", "configure", "join"].map((step) => `${step} ${name}`), `upgrade ${name} (system tables of 11.8)`];
    deepEqual(await trial.previewed(), [...three.flatMap(anew), `verify ${three.join(" ")}`]);
    const tablespaces = await trial.tablespaces();
    await trial.during("10.11 to 11.8, killed", async () => {
      await trial.cutAt(["join"], "kill -9 of the CLI", 500);
      await trial.cutAndUp("upgrade", "kill -9 of the CLI", 0);
    }, { within: 5 });
    await trial.whole(three);
    deepEqual(await trial.gotAllAnew(tablespaces), []);
    deepEqual(await held(), ["4", "4", "4"]);
    for (const name of three) match(await trial.cluster.sql(name, "SELECT @@version"), /^11\.8\./);
    for (const version of await each("cat /var/lib/datastore/.written-by; cut -d . -f 1,2 /var/lib/datastore/mysql/mariadb_upgrade_info; stat -c %U /var/lib/datastore/mysql/ibdata1")) equal(version, "11.8\n11.8\nmysql");
    await trial.nothingToDo();
  });

  it("never goes back, by a version or by an image", async () => {
    await trial.want({ version: "10.11", image: "debian-12" });
    match(await trial.refused(["preview"]), /refused: data that a later version has opened are opened by no older one.*orders-1 has 11\.8 installed and data of 11\.8.*wanted 10\.11.*set `version` to "11\.8"/);
    await trial.want({ version: "11.8", image: "debian-13" });
    await trial.nothingToDo();
  });

  it("lost no acknowledged row in all that", () => trial.nothingLost());
});
