import { deepEqual, match, ok } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { exec } from "../../devcloud";
import { GaleraTrial } from "../guests/galera/trial";

const three = ["orders-1", "orders-2", "orders-3"];

describe("a Galera cluster whose key pair, zones and volume type change, on real guests", function () {
  const trial = new GaleraTrial(this);
  const letIn = async (key: string) => Promise.all(three.map((name) => trial.admits(name, key)));

  it("is created, and written to", async () => {
    await trial.up();
    await trial.whole(three);
    await trial.write();
  });

  it("lets in a new key, though it is killed while it does and while it takes the former out; then the former is nobody's, and no server has restarted", async () => {
    const before = await trial.starts();
    const former = await trial.newKey();
    deepEqual(await trial.previewed(), [`admit ${three.join(" ")} (new key)`, `dismiss ${three.join(" ")} (former key)`]);
    await trial.during("a new key, killed twice", async () => {
      await trial.cutAt(["admit"], "kill -9 of the CLI", 400);
      await trial.cutAt(["dismiss"], "kill -9 of the CLI", 100);
      await trial.up();
    }, { within: 5 });
    const present = readFileSync(trial.stack.keyFile, "utf8");
    deepEqual([await letIn(present), await letIn(former)], [[true, true, true], [false, false, false]]);
    deepEqual(await trial.starts(), before);
    const { stdout: state } = await trial.stack.pulumi(["stack", "export"]);
    ok(!state.includes("PRIVATE KEY") && !state.includes(present.split("\n")[2]!) && !state.includes(former.split("\n")[2]!));
    await trial.nothingToDo();
  });

  it("moves to other zones and another volume type one member at a time, each named, though a run is killed; nobody moves by itself", async () => {
    const wanted = { zones: { "orders-1": "az2", "orders-2": "az3", "orders-3": "az1" }, types: { "orders-1": "fast", "orders-2": "fast", "orders-3": "fast" } };
    const before = await trial.whereabouts();
    deepEqual(before.zones, { "orders-1": "az1", "orders-2": "az3", "orders-3": "az2" });
    await trial.want({ availabilityZones: ["az2", "az1", "az1"], volumeType: "fast" });
    match(await trial.refused(["preview"]), /availabilityZones: moves no member by itself[^]*orders-1 \(zone az1 to az2, volume type __DEFAULT__ to fast\), orders-2 \(volume type __DEFAULT__ to fast\), orders-3 \(zone az2 to az1,/);
    for (const [index, name] of three.entries()) {
      const left = three.slice(index + 1);
      await trial.want({ replace: [name] });
      const said = await trial.previewed();
      deepEqual(said.filter((line) => line.includes("still to move")).map((line) => line.split(" ")[0]), left);
      deepEqual(said.filter((line) => !line.includes("still to move")), [...["install", "mount", "configure", "join"].map((step) => `${step} ${name}`), `verify ${three.join(" ")}`]);
      await trial.during(`move ${name}${index === 1 ? ", killed" : ""}`, () => (index === 1 ? trial.cutAndUp("join", "kill -9 of the CLI", 2000) : trial.up()), { within: 10 });
      await trial.whole(three);
      const { zones, types, volumes } = await trial.whereabouts();
      const moved = (of: Record<string, string>, from: Record<string, string>) => Object.fromEntries(three.map((each) => [each, left.includes(each) ? from[each] : of[each]]));
      deepEqual([zones, types], [moved(wanted.zones, before.zones), moved(wanted.types, before.types)]);
      deepEqual(volumes, three, "the former volume is gone");
      const outputs = await trial.outputs<{ zones: object; volumeTypes: object }>();
      deepEqual([outputs.zones, outputs.volumeTypes], [zones, types]);
      await trial.nothingToDo();
    }
  });

  it("has it let in by servers that are rebuilt after that, too", async () => {
    await exec(["bash", "-c", `head -c 4096 /dev/zero | openstack --os-cloud devcloud-admin image create debian-12-next --public --disk-format raw --container-format bare --min-disk 1 \
      --property os_distro=debian --property os_version=12 --property devcloud_tree=debian-12`]);
    await trial.want({ image: "debian-12-next" });
    await trial.during("rebuild", () => trial.up(), { within: 10 });
    await trial.whole(three);
    deepEqual(await letIn(readFileSync(trial.stack.keyFile, "utf8")), [true, true, true]);
    await trial.nothingToDo();
  });

  it("lost no acknowledged row in all that", () => trial.nothingLost());
});
