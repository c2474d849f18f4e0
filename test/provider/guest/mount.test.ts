import { deepEqual, rejects } from "node:assert/strict";
import { mountVolume } from "../../../provider/guest/volume";
import { cluster, member } from "../cluster";

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
});
