import { deepEqual, equal, rejects } from "node:assert/strict";
import execa from "execa";
import type { Guest } from "../../../provider/guest/guest";
import { isReady, lookAtVolume, mountVolume, usage } from "../../../provider/guest/volume";
import { fast } from "../clock";
import { cluster, member } from "../cluster";
import { needsRoot } from "./box";

describe("a mount", () => {
  it("of a volume whose marker is wrong is refused, names the file and the way forward, and changes nothing", async () => {
    const done: string[] = [];
    const guest = {
      name: "db-1", say: () => undefined, look: async () => "TYPE=xfs\nUUID=c0ffee\nmounted=no\nfiles=2\nmarker={}\n---\n",
      run: async (command: string) => { done.push(command); return ""; }, write: async (path: string) => done.push(path) > 0,
    };
    await rejects(mountVolume(guest, cluster([], {}, async () => guest).want.owner, member("db-1")), {
      name: "Refused",
      message: /Seen: the volume volume-of-db-1\S* of db-1: its marker, \.datastore\.json at its root, does not name its .*\. Way forward: mend its marker if that is what is wrong; else empty the volume/,
    });
    deepEqual(done, []);
  });

  /** A volume that is mounted, of so many GiB as its guest sees it once these seconds have passed, with a file system of so many blocks. */
  const grown = (gib: number, blocks: number | "unknown", { after = 0, before = 1 } = {}) => {
    const began = Date.now();
    const done: string[] = [];
    const size = () => (Date.now() - began < after * 1000 ? before : gib) * 2 ** 30;
    const marker = JSON.stringify({ project: "shop", stack: "test", cluster: "db", member: "db-1", hasHadData: true, left: false });
    const guest: Guest = {
      name: "db-1", say: () => undefined, write: async () => false,
      look: async (command) => (command.startsWith("blockdev") ? `${size()}\n` : `TYPE=xfs\nUUID=c0ffee\nmounted=yes\ndevice=${size()}\nblocks=${blocks === "unknown" ? "" : `4096*${blocks}`}\nfiles=2\nmarker=${marker}\n---\n`),
      run: async (command) => { done.push(command.trim().split("\n").at(-1)!); return ""; },
    };
    return { guest, done, owner: cluster(["db-1"], {}, async () => guest).want.owner };
  };
  const GiB = 2 ** 18;

  for (const [what, gib, blocks, wanted, ready] of [
    ["a file system that fills its volume", 10, 10 * GiB, 10, true],
    ["one that leaves a piece too small for a group of its own", 10, 10 * GiB - 60, 10, true],
    ["a volume that was extended", 20, 10 * GiB, 20, false],
    ["one that a person extended", 20, 10 * GiB, 10, false],
    ["one of which the guest is still to see that it was extended", 10, 10 * GiB, 20, false],
    ["an encrypted one, whose header is its own", 9.98, Math.floor(9.98 * GiB), 10, true],
    ["one of which nobody asked a size", 10, 10 * GiB, undefined, true],
    ["one of which nothing tells how large its file system is", 20, "unknown", 20, true],
  ] as const) it(`is ${ready ? "done" : "to be done"} of ${what}`, async () => {
    const { guest, owner } = grown(gib, blocks);
    const [sight] = await lookAtVolume(guest, owner, member("db-1"), ":");
    equal(isReady(sight, wanted), ready);
  });

  it("lets the file system grow once the guest sees that its volume did, and not before", () => fast(async () => {
    const { guest, done, owner } = grown(20, 10 * GiB, { after: 5, before: 10 });
    const began = Date.now();
    await mountVolume(guest, owner, member("db-1"), 20);
    equal(done.at(-1), "xfs_growfs /var/lib/datastore >/dev/null");
    equal(Math.round((Date.now() - began) / 1000), 5);
  }));

  it("of a volume that stays as it was says what its guest sees, and where to look", () => fast(async () => {
    const { guest, owner } = grown(10, 10 * GiB);
    await rejects(mountVolume(guest, owner, member("db-1"), 20), { name: "TimedOut", message: /waited 60 s for the volume of db-1 to have 20 GiB; last seen: db-1 sees 10\.0 GiB; `openstack volume show volume-of-db-1\S*` tells what it is/ });
  }));

  it("lets a file system be that is as large as its volume", () => fast(async () => {
    const { guest, done, owner } = grown(10, 10 * GiB);
    await mountVolume(guest, owner, member("db-1"), 10);
    deepEqual(done.filter((line) => line.includes("growfs")), []);
  }));
});

describe("the usage of a volume", () => {
  before(needsRoot);
  const within = (prepare: string): Guest => ({
    name: "db-1", run: () => Promise.resolve(""), write: () => Promise.resolve(true), say: () => undefined,
    look: async (command) => (await execa("unshare", ["--mount", "--propagation", "private", "/bin/bash", "--norc", "-euo", "pipefail", "-c", `mount -t tmpfs none /var/lib; mkdir /var/lib/datastore; ${prepare}\n${command}`])).stdout,
  });

  it("is told in bytes", async () => deepEqual(await usage(within("mount -t tmpfs -o size=1m none /var/lib/datastore; head -c 262144 /dev/zero >/var/lib/datastore/ibdata1")), { used: 262144, size: 1048576 }));

  it("is not that of the disk below while it is not mounted", async () => equal(await usage(within(":")), undefined));
});
