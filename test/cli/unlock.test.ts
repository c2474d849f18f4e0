import { deepEqual, doesNotMatch, equal, match } from "node:assert/strict";
import { onlyUnder } from "../../provider/guest/lease";
import { privateKey, rootPassword } from "../provider/document";
import { Terminal } from "./terminal";

const title = "shop/test: replace orders-3, on laptop, since 2026-11-24T01:17:29.878Z";
/** As a guest shows our shell. */
const shell = (command: string) => ["/bin/bash", "--norc", "-euo", "pipefail", "-c", `${onlyUnder("run-1")}\n${command}`].join("\0");

describe("unlock", () => {
  let at: Terminal;
  beforeEach(() => { at = new Terminal(); });
  afterEach(() => at.end());

  it("says of each member that nobody keeps it", async () => {
    deepEqual(await at.run("unlock orders"), { code: 0, out: "orders-1  free\norders-2  free\norders-3  free\n", error: "" });
    deepEqual(at.fleet.done, []);
  });

  it("says who holds the lease, which command still runs, and how to end both", async () => {
    at.leases = { "orders-1": title, "orders-2": "dead run" };
    at.commands = { "orders-2": [{ words: shell("\nmkfs.xfs -q /dev/disk/by-id/virtio-1\necho done") }, { words: "mkfs.xfs\0-q\0/dev/disk/by-id/virtio-1\0" }] };
    const { code, out } = await at.run("unlock orders --stack dev");
    deepEqual([code, out.split("\n")], [1, [
      `orders-1  held by ${title}; its lease has 22 s left`,
      "orders-2  free: the lease has ended of dead run",
      "orders-2  kept by process 4711, for 03:12 now: mkfs.xfs -q /dev/disk/by-id/virtio-1",
      "orders-2  kept by process 4712, for 03:12 now: mkfs.xfs -q /dev/disk/by-id/virtio-1",
      "orders-3  free",
      "",
      "A lease ends by itself 30 s after its run, unless a command of that still runs. To end both, and with them a run that is alive:",
      "  npx pulumi-openstack-datastores unlock orders --force --stack dev",
      "",
    ]]);
  });

  it("takes all of it away when it is forced, and says what it did", async () => {
    at.leases = { "orders-1": title };
    at.commands = { "orders-2": [{ words: "sleep\x00900" }, { words: "mount\0/mnt", outlives: ["TERM"] }] };
    deepEqual(await at.run("unlock orders --force"), { code: 0, error: "", out: [
      `orders-1  its lease is removed: ${title}`, "orders-2  ended process 4711, for 03:12 now: sleep 900", "orders-2  ended, only by KILL, process 4712, for 03:12 now: mount /mnt", "orders-3  free", "",
    ].join("\n") });
  });

  it("says of whom nothing could end, and who could not be asked", async () => {
    at.commands = { "orders-2": [{ words: "dd\0if=/dev/vdb", outlives: ["TERM", "KILL"] }] };
    at.fleet.unreachable.add("orders-3");
    const { code, out } = await at.run("unlock orders --force");
    deepEqual(code, 1);
    match(out, /^orders-1 {2}free\norders-2 {2}still kept by process 4711, for 03:12 now: dd if=\/dev\/vdb\. Not even KILL ends it: .*\norders-3 {2}cannot be asked: .*ECONNREFUSED/);
  });

  it("of a cluster that is not there ends with 2 and asks nobody", async () => {
    const { code, error } = await at.run("unlock carts --force");
    deepEqual([code, at.fleet.dialled], [2, []]);
    match(error, /the stack has no cluster carts; it has orders/);
  });

  it("shows a terminal nothing that it obeys, no more than a line of a command, and no secret", async () => {
    at.leases = { "orders-1": "\u001b[31mred" };
    at.commands = { "orders-2": [{ words: shell(`${"x".repeat(500)}\n${rootPassword}`) }] };
    const { out } = await at.run("unlock orders");
    doesNotMatch(out, /x{121}/);
    equal(out.includes("\u001b"), false);
    for (const secret of [rootPassword, privateKey]) doesNotMatch(out, new RegExp(secret.slice(0, 20)));
  });
});
