import { deepEqual, equal } from "node:assert/strict";
import { exec } from "../../devcloud";
import { GaleraTrial } from "../guests/galera/trial";

const three = ["orders-1", "orders-2", "orders-3"];

describe("a Galera cluster whose servers get another flavor, and another image, on real guests", function () {
  const trial = new GaleraTrial(this);
  const flavors = async () => Promise.all(three.map(async (name) => (await exec(["openstack", "--os-cloud", "devcloud", "server", "show", name, "-c", "flavor", "-f", "json"])).stdout));
  const bootsOf = async () => Promise.all(three.map((name) => trial.cluster.guest(name).look("cat /proc/sys/kernel/random/boot_id; systemctl show -P UserspaceTimestampMonotonic")));

  it("is created, and written to", async () => {
    await trial.up();
    await trial.whole(three);
    await trial.write();
  });

  it("resizes those that have another, one at a time, and the writes that they miss come incrementally", async () => {
    const tablespaces = await trial.tablespaces();
    const before = await bootsOf();
    await trial.want({ flavor: "m1.medium" });
    deepEqual(await trial.previewed(), ["resize orders-1 (m1.medium)", "resize orders-3 (m1.medium)", `verify ${three.join(" ")}`]);
    await trial.during("resize", () => trial.up(), { within: 120 });
    await trial.whole(three);
    for (const flavor of await flavors()) equal(flavor.includes("m1.medium"), true, flavor);
    const after = await bootsOf();
    deepEqual(three.filter((_, index) => after[index] !== before[index]), ["orders-1", "orders-3"]);
    deepEqual(await trial.gotAllAnew(tablespaces), []);
    await trial.nothingToDo();
  });

  it("goes back, though the run is killed while Nova is at it", async () => {
    await trial.want({ flavor: "m1.small" });
    await trial.during("resize back, killed", async () => {
      await trial.cutAt(["resize"], "kill -9 of the CLI", 6000);
      await trial.up();
    }, { within: 180 });
    await trial.whole(three);
    const [first, second, third] = await flavors();
    deepEqual([first, second, third].map((flavor) => flavor!.includes("m1.small")), [true, false, true]);
    await trial.nothingToDo();
  });

  it("rebuilds all with another image, one at a time, over their volumes, and the writes that they miss come incrementally", async () => {
    await exec(["bash", "-c", `head -c 4096 /dev/zero | openstack --os-cloud devcloud-admin image create debian-12-next --public --disk-format raw --container-format bare --min-disk 1 \
      --property os_distro=debian --property os_version=12 --property devcloud_tree=debian-12`]);
    const tablespaces = await trial.tablespaces();
    await trial.want({ image: "debian-12-next" });
    const anew = (name: string) => [`rebuild ${name} (debian-12-next)`, ...["install", "mount", "configure", "join"].map((step) => `${step} ${name}`)];
    deepEqual(await trial.previewed(), [...three.flatMap(anew), `verify ${three.join(" ")}`]);
    await trial.during("rebuild", () => trial.up(), { within: 240 });
    await trial.whole(three);
    deepEqual(await trial.gotAllAnew(tablespaces), []);
    for (const name of three) equal((await exec(["openstack", "--os-cloud", "devcloud", "server", "show", name, "-c", "image", "-f", "json"])).stdout.includes("debian-12-next"), true, name);
    await trial.nothingToDo();
  });

  it("lost no acknowledged row in all that", () => trial.nothingLost());
});
