import { equal, match, ok } from "node:assert/strict";
import { exec } from "../../devcloud";
import { named, RedisTrial } from "../guests/redis/trial";

const three = named(3, 1);

describe("a Redis cluster whose servers get another flavor, and another image, on real guests", function () {
  const trial = new RedisTrial(this);
  const shown = (what: "flavor" | "image") => Promise.all(three.map(async (name) => (await exec(["openstack", "--os-cloud", "devcloud", "server", "show", name, "-c", what, "-f", "json"])).stdout));

  it("is created, and written to", async () => {
    await trial.up();
    await trial.whole(three);
    await trial.write();
  });

  it("resizes by shard, replicas first and each primary once another has taken over, though the run is killed while Nova is at it", async () => {
    const primaries = await trial.primaries();
    await trial.want({ flavor: "m1.medium" });
    const steps = await trial.previewed();
    for (const shard of ["1", "2", "3"]) {
      const ofShard = steps.filter((line) => line.startsWith(`resize sessions-${shard}-`)).map((line) => line.split(" ")[1]!);
      equal(ofShard.length, 2);
      equal(ofShard[1], primaries[shard]);
    }
    await trial.during("resize, killed", async () => {
      await trial.cutAt(["resize"], "kill -9 of the CLI", 4000);
      await trial.up();
    }, { within: 60 });
    await trial.whole(three);
    for (const flavor of await shown("flavor")) ok(flavor.includes("m1.medium"), flavor);
    await trial.nothingToDo();
  });

  it("rebuilds all with another image, over their volumes", async () => {
    await exec(["bash", "-c", `head -c 4096 /dev/zero | openstack --os-cloud devcloud-admin image create debian-12-next --public --disk-format raw --container-format bare --min-disk 1 \
      --property os_distro=debian --property os_version=12 --property devcloud_tree=debian-12`]);
    await trial.want({ image: "debian-12-next" });
    match((await trial.previewed()).join("; "), /^rebuild (sessions-\d-\d) \(debian-12-next\); install \1; mount \1; configure \1; /);
    await trial.during("rebuild", () => trial.up(), { within: 60 });
    await trial.whole(three);
    for (const image of await shown("image")) ok(image.includes("debian-12-next"), image);
    for (const name of three) match(await trial.cluster.guest(name).look("ls /var/lib/datastore"), /^redis$/m);
    await trial.nothingToDo();
  });

  it("lost no acknowledged key in all that", () => trial.nothingLost());
});
