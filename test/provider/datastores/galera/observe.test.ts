import { deepEqual, equal, ok } from "node:assert/strict";
import { createHash } from "node:crypto";
import { mock } from "node:test";
import { galera } from "../../../../provider/datastores/galera";
import { optionsText } from "../../../../provider/datastores/galera/configuration";
import { observe } from "../../../../provider/datastores/galera/observe";
import type { Guest } from "../../../../provider/guest/guest";
import { cluster, member } from "../../cluster";

const self = member("db-2");
const marker = (more: object = {}) => JSON.stringify({ project: "shop", stack: "test", cluster: "db", member: "db-2", hasHadData: false, ...more });
const volume = (more: object = {}) => `TYPE=xfs\nUUID=c0ffee\nmounted=yes\nfiles=2\nmarker=${marker(more)}\n---\n`;
const grastate = (uuid: string, seqno = -1, safe = 0) => `tablespace=yes\nuuid=${uuid}\nseqno=${seqno}\nsafe_to_bootstrap=${safe}\n`;
const uuid = "6a1f6d3e-0b1c-11f0-9d2a-2f5d7c2b9a10";
const nil = "00000000-0000-0000-0000-000000000000";

/** What a guest answers; what is left out is as on one that runs well. */
interface Answers {
  unit?: string; wsrep?: string; disk?: string; files?: string; login?: string;
  version?: string; missing?: string; sum?: string; authority?: string; options?: { version?: string };
}

function look({ unit = "inactive", wsrep = "", disk = volume(), files = "", version = "1:10.11.6-0+deb12u1", missing = "", sum, authority, options = {}, login = "1" }: Answers) {
  const changes: string[] = [];
  const commands: string[] = [];
  const guest: Guest = {
    name: "db-2", say: () => undefined,
    run: async (command) => { changes.push(command); return ""; },
    write: async (path) => { changes.push(path); return true; },
    look: async (command) => {
      commands.push(command);
      if (command.includes("is-active")) return `${unit}\n`;
      if (command.includes("SHOW GLOBAL STATUS")) return wsrep;
      if (command.includes("blkid")) return disk + files;
      if (command.startsWith("for name in")) return missing;
      if (command.includes("dpkg-query")) return `version=${version}\noptions=${sum ?? sha256(optionsText(want.want, self))}\nauthorities=${authority ?? sha256(want.authority.certificate)}\n`;
      if (command.includes("SELECT 1")) return `${login}\n`;
      throw new Error(`nobody asks ${command}`);
    },
  };
  const want = cluster(["db-1", "db-2", "db-3"], options, async () => guest);
  return observe(want, self).then((sight) => ({ sight, changes, commands }));
}
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const prepared = { installed: true, mounted: true, configured: true, hasHadData: false };
const status = (more: Record<string, string | number> = {}) => Object.entries({
  cluster_conf_id: 3, cluster_size: 3, cluster_state_uuid: uuid, cluster_status: "Primary", local_state_comment: "Synced", ready: "ON", ...more,
}).map(([key, value]) => `wsrep_${key}\t${value}`).join("\n");

describe("galera observe", () => {
  it("of a new server sees what a preview takes for one", async () => {
    deepEqual((await look({ disk: "disk=blank\n", version: "", missing: "mariadb-server\n", sum: "", authority: "" })).sight, galera.blank);
  });

  it("of a member that runs sees its own view", async () => {
    const { sight } = await look({ unit: "active", wsrep: status({ cluster_size: 2, local_state_comment: "Donor/Desynced" }), disk: volume({ hasHadData: true }) });
    deepEqual(sight, { is: "up", primary: true, state: "Donor/Desynced", size: 2, uuid, secured: true, ...prepared, hasHadData: true });
  });

  it("of a healthy member sees what a preview takes for one, but for its history", async () => {
    const { sight } = await look({ unit: "active", wsrep: status(), disk: volume({ hasHadData: true }) });
    deepEqual({ ...sight, uuid: "known" }, galera.healthy(3));
  });

  it("a minority is not Primary, and an administrator who cannot log in is not secured", async () => {
    const { sight } = await look({ unit: "active", wsrep: status({ cluster_status: "non-Primary" }), login: "" });
    deepEqual([sight.is === "up" && sight.primary, sight.is === "up" && sight.secured], [false, false]);
  });

  it("one whose volume does not appear in time cannot be seen: it may hold the newest data", async () => {
    mock.timers.enable({ apis: ["setTimeout", "Date"] });
    try {
      const looking = look({ disk: "disk=absent\n" });
      let ended = false;
      void looking.finally(() => { ended = true; });
      for (let tick = 0; tick < 1000 && !ended; tick += 1) {
        await new Promise((resolve) => setImmediate(resolve));
        mock.timers.tick(200);
      }
      deepEqual((await looking).sight, { is: "unreachable", why: `its volume ${self.volume} is not attached` });
    } finally {
      mock.timers.reset();
    }
  });

  it("one that runs and does not answer is starting", async () => equal((await look({ unit: "active" })).sight.is, "starting"));

  for (const unit of ["inactive", "failed", "unknown"]) it(`one whose unit is ${unit} is down`, async () => equal((await look({ unit })).sight.is, "down"));

  for (const unit of ["active", "reloading", "deactivating", "maintenance"]) it(`one whose unit is ${unit} is not down`, async () => ok((await look({ unit })).sight.is !== "down"));

  describe("data", () => {
    const data = async (files: string) => {
      const { sight } = await look({ files });
      return sight.is === "down" ? sight.data : sight.is;
    };

    it("after a clean stop is whole", async () => deepEqual(await data(grastate(uuid, 95, 1)), { is: "whole", uuid, seqno: 95, safeToBootstrap: true }));
    it("after a crash is whole, its position unknown", async () => deepEqual(await data(grastate(uuid)), { is: "whole", uuid, seqno: -1, safeToBootstrap: false }));
    it("is none where there is no tablespace", async () => deepEqual(await data(""), { is: "none" }));
    it("without a history is partial, though it is said to be safe", async () => deepEqual(await data(grastate(nil, -1, 1)), { is: "partial", uuid: nil, seqno: -1, safeToBootstrap: true }));
    it("without Galera's file is partial: somebody put it there", async () => deepEqual(await data("tablespace=yes\n"), { is: "partial", uuid: "unknown", seqno: -1, safeToBootstrap: false }));
    it("in the middle of a transfer is partial, whatever its file says", async () => {
      for (const files of [`transfer=yes\n${grastate(uuid, 95)}`, "transfer=yes\n", `fresh=yes\ntransfer=yes\n${grastate(nil)}`]) equal(((await data(files)) as { is: string }).is, "partial", files);
    });
    it("made for a new cluster whose first start failed is none: nobody wrote to it", async () => {
      deepEqual(await data("tablespace=yes\nfresh=yes\n"), { is: "none" });
      deepEqual(await data(`fresh=yes\n${grastate(nil)}`), { is: "none" });
      deepEqual(await data(`fresh=yes\n${grastate(uuid, 2)}`), { is: "whole", uuid, seqno: 2, safeToBootstrap: false });
    });
  });

  it("a volume of another member, cluster, or of nobody is foreign, and says whose", async () => {
    for (const [disk, why] of [[volume({ member: "db-1" }), "db-1 of shop/test/db"], [volume({ cluster: "sales" }), "db-2 of shop/test/sales"],
      ["TYPE=ext4\nUUID=c0ffee\nmounted=no\n", "ext4"], ["PTTYPE=gpt\nmounted=no\n", "gpt"], ["disk=other\n", "another file system"]] as const) {
      const { sight } = await look({ disk });
      ok(sight.is === "foreign" && sight.why.includes(why), JSON.stringify(sight));
    }
  });

  for (const [what, answers, expected] of [
    ["an options file that differs", { sum: "other" }, [true, false]],
    ["another cluster's authority, as a killed create leaves it", { authority: "other" }, [true, false]],
    ["a set of packages that a cut left half", { missing: "mariadb-backup\nsocat\n" }, [false, true]],
    ["another version than the wanted one", { options: { version: "11.4" } }, [false, true]],
    ["the wanted version", { options: { version: "10.11" } }, [true, true]],
  ] as const)
    it(`${what} is seen`, async () => {
      const { sight } = await look(answers);
      deepEqual(sight.is === "down" && [sight.installed, sight.configured], expected);
    });

  it("changes nothing, and puts no password in a command", async () => {
    for (const answers of [{}, { unit: "active", wsrep: status() }, { disk: "disk=blank\n" }]) {
      const { changes, commands } = await look(answers);
      deepEqual(changes, []);
      ok(commands.every((command) => !command.includes("not-a-secret")));
    }
  });
});
