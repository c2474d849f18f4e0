import { deepEqual, equal, rejects } from "node:assert/strict";
import { up } from "../../devcloud";
import { inOrder } from "../inOrder";
import { rootOnly, until } from "./cloud";
import { Servers } from "./servers";

interface Volume {
  id: string;
  status: string;
  size: number;
  volume_type: string;
}

/** What a volume is worth beside the server that has it. The tests go on from one another. */
describe("volumes", function () {
  this.timeout("5m");
  inOrder(this);
  let servers: Servers;
  let disk: string;
  let snapshot: string;
  const made: string[] = [];

  before(async function () {
    rootOnly(this);
    await up(() => undefined);
    servers = await Servers.of("volumes");
    await Promise.all(["one", "two"].map((name) => servers.create(name)));
    disk = await servers.attach("one");
    await servers.ssh("one", `sudo mkfs.ext4 -q ${disk} && sudo mount ${disk} /mnt && sudo chmod 1777 /mnt && echo first >/mnt/file`);
  });

  after(async () => {
    if (!servers) return;
    for (const id of made) await remove(id);
    await servers.remove();
  });

  it("has several on one server, each by its own name", async () => {
    const second = await create({ size: 2 });
    await attach("one", second);
    const sizes = await servers.ssh("one", `sudo blockdev --getsize64 ${disk} ${byId(second)}`);
    deepEqual(sizes.split("\n").map(Number), [2 ** 30, 2 * 2 ** 30]);
  });

  it("grows one under the server that uses it", async () => {
    await act(servers.volumes["one"]!, { "os-extend": { new_size: 3 } });
    await servers.volumeIs("one", "in-use");
    await until("the guest to see it", async () => (await servers.ssh("one", `sudo blockdev --getsize64 ${disk}`)) === `${3 * 2 ** 30}`);
    equal((await show(servers.volumes["one"]!)).size, 3);
    await rejects(act(servers.volumes["one"]!, { "os-extend": { new_size: 1 } }), /400/);
  });

  it("keeps a snapshot of one that is written to, and makes a volume of it", async () => {
    const writing = servers.start("one", "n=0; while n=$((n+1)); do echo $n >>/mnt/count; done");
    await until("the first lines", async () => Number(await servers.ssh("one", "cat /mnt/count 2>/dev/null | wc -l")) > 100);
    const asked = { snapshot: { volume_id: servers.volumes["one"], name: "volumes", force: true } };
    snapshot = (await servers.cloud.post<{ snapshot: { id: string } }>("block-storage", "/snapshots", asked)).snapshot.id;
    await until("the snapshot", async () => (await servers.cloud.get<{ snapshot: { status: string } }>("block-storage", `/snapshots/${snapshot}`)).snapshot.status === "available");
    await servers.ssh("one", "echo second >/mnt/file; sync");
    writing.kill("SIGKILL");
    await rejects(writing);
    const copy = await create({ snapshot_id: snapshot, size: 4 });
    await attach("two", copy);
    const found = await servers.ssh("two", `sudo fsck.ext4 -fn ${byId(copy)} >&2 && sudo mount ${byId(copy)} /mnt && cat /mnt/file && wc -l </mnt/count && sudo blockdev --getsize64 ${byId(copy)}`);
    const [file, lines, size] = found.split("\n");
    deepEqual([file, Number(lines) > 100, size], ["first", true, `${4 * 2 ** 30}`]);
    await rejects(servers.cloud.delete("block-storage", `/volumes/${servers.volumes["one"]}`), /400/);
    await servers.cloud.delete("block-storage", `/snapshots/${snapshot}`);
    await until("the snapshot to go", async () => servers.cloud.get("block-storage", `/snapshots/${snapshot}`).then(() => false, (error: Error) => error.message.endsWith("404")));
  });

  it("clones one, and makes one of an image, which a server may start from", async () => {
    const image = await create({ imageRef: await servers.image(), size: 2 });
    const { bootable, volume_image_metadata } = await show(image) as Volume & { bootable: string; volume_image_metadata: Record<string, string> };
    deepEqual([bootable, volume_image_metadata["os_distro"]], ["true", "debian"]);
    const clone = await create({ source_volid: image, size: 2 });
    equal((await show(clone)).status, "available");
  });

  it("offers types, and refuses one that there is not", async () => {
    equal((await show(await create({ size: 1, volume_type: "fast" }))).volume_type, "fast");
    await rejects(create({ size: 1, volume_type: "golden" }), /404/);
  });

  it("takes one from a server that is gone to another, under the same name", async () => {
    await servers.ssh("one", "sync");
    await servers.delete("one");
    await servers.volumeIs("one", "available");
    await servers.create("three");
    await attach("three", servers.volumes["one"]!);
    equal(await servers.ssh("three", `sudo mount ${disk} /mnt && cat /mnt/file`), "second");
  });

  const byId = (id: string) => `/dev/disk/by-id/virtio-${id.slice(0, 20)}`;
  const show = async (id: string) => (await servers.cloud.get<{ volume: Volume }>("block-storage", `/volumes/${id}`)).volume;
  const act = (id: string, action: object) => servers.cloud.post("block-storage", `/volumes/${id}/action`, action);

  async function create(wanted: object): Promise<string> {
    const { id } = (await servers.cloud.post<{ volume: Volume }>("block-storage", "/volumes", { volume: wanted })).volume;
    made.push(id);
    await servers.volumeStatus(id, "available");
    return id;
  }

  async function attach(name: string, volumeId: string): Promise<void> {
    await servers.cloud.post("compute", `/servers/${servers.ids[name]}/os-volume_attachments`, { volumeAttachment: { volumeId } });
    await servers.volumeStatus(volumeId, "in-use");
    await until("the disk", () => servers.ssh(name, `readlink -e ${byId(volumeId)}`));
  }

  async function remove(id: string): Promise<void> {
    const { attachments } = await show(id) as Volume & { attachments: { server_id: string }[] };
    for (const { server_id } of attachments) await servers.cloud.delete("compute", `/servers/${server_id}/os-volume_attachments/${id}`);
    await servers.volumeStatus(id, "available");
    await servers.cloud.delete("block-storage", `/volumes/${id}`);
  }
});
