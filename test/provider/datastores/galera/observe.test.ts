import { deepEqual, equal, match, ok } from "node:assert/strict";
import { galera } from "../../../../provider/datastores/galera";
import { sha256 } from "../../../../provider/datastores/galera/configuration";
import { grastate, look, lookLong, marker, nil, prepared, self, status, uuid, volume, way, type Answers } from "./look";

const sum = sha256(JSON.stringify(["shop", "test", "db", self.name, self.volume]));
/** Of the file system that we make on this member's volume. */
const ourUuid = `${sum.slice(0, 8)}-${sum.slice(8, 12)}-5${sum.slice(13, 16)}-8${sum.slice(17, 20)}-${sum.slice(20, 32)}`;

describe("galera observe", () => {
  it("of a new server sees what a preview takes for one", async () => {
    deepEqual((await look({ disk: "disk=blank\n", version: "", missing: "mariadb-server\n", sum: "", authority: "" })).sight, galera.blank);
  });

  it("takes a volume for mounted only once it is marked: a cut between the two is mended by mounting again", async () => {
    const { sight } = await look({ disk: `TYPE=xfs\nUUID=${ourUuid}\nmounted=yes\nfiles=0\n---\n` });
    deepEqual(sight, { is: "down", data: { is: "none" }, ...prepared, mounted: false, hasHadData: false });
  });

  it("of a member that runs sees its own view", async () => {
    const { sight } = await look({ unit: "active", wsrep: status({ cluster_size: 2, local_state_comment: "Donor/Desynced" }), disk: volume({ hasHadData: true }) });
    deepEqual(sight, { is: "up", primary: true, state: "Donor/Desynced", size: 2, uuid, secured: true, current: true, committed: 41, written: 7, ...prepared, hasHadData: true });
  });

  it("of a healthy member sees what a preview takes for one, but for its history", async () => {
    const { sight } = await look({ unit: "active", wsrep: status(), disk: volume({ hasHadData: true }) });
    deepEqual({ ...galera.kept({ "db-2": sight })["db-2"], uuid: "known" }, { ...galera.recall(["db-1", "db-2", "db-3"], {})["db-2"], version: "10.11" });
  });

  it("sees by which version its data were opened, of which its system tables are, and that its packages are not held", async () => {
    const { sight } = await look({ disk: volume({ hasHadData: true }).replace("\nfiles", "\nwrittenBy=11.8\nfiles"), files: `${grastate(uuid, 95)}tables=10.11.19-MariaDB\n`, unheld: "mariadb-server" });
    deepEqual(sight, { is: "down", data: { is: "whole", uuid, seqno: 95, safeToBootstrap: false }, ...prepared, hasHadData: true, writtenBy: "11.8", tables: "10.11", unheld: true });
  });

  it("a minority is not Primary, and an administrator who cannot log in is not secured", async () => {
    const { sight } = await lookLong({ unit: "active", wsrep: status({ cluster_status: "non-Primary" }), login: "" });
    deepEqual([sight.is === "up" && sight.primary, sight.is === "up" && sight.secured], [false, false]);
  });

  it("is secured only with exactly the wanted passwords, as MariaDB keeps one, several, and one that had several", async () => {
    const [present, former, other] = ["not-a-secret", "former-secret", "other-secret"].map(way);
    const rest = { access: 549755813887, version_id: 101119, ssl_type: 1 };
    for (const [priv, passwords, secured] of [
      [{ ...rest, ...present }, ["not-a-secret"], true],
      [{ ...rest, ...present, auth_or: [{}] }, ["not-a-secret"], true],
      [{ ...rest, ...present, auth_or: [{}, former] }, ["not-a-secret", "former-secret"], true],
      [{ ...rest, ...former, auth_or: [present, {}] }, ["not-a-secret", "former-secret"], true],
      [{ ...rest, ...present, auth_or: [{}, former, other] }, ["not-a-secret", "other-secret", "former-secret"], true],
      // One that was to end and works, one that is to work and does not, another in its place, another kind, and nobody.
      [{ ...rest, ...present, auth_or: [{}, former] }, ["not-a-secret"], false],
      [{ ...rest, ...present }, ["not-a-secret", "former-secret"], false],
      [{ ...rest, ...present, auth_or: [{}, other] }, ["not-a-secret", "former-secret"], false],
      [{ ...rest, ...former }, ["not-a-secret"], false],
      [{ ...rest, ...present, auth_or: [{}, { plugin: "ed25519", authentication_string: former!.authentication_string }] }, ["not-a-secret", "former-secret"], false],
      ["", ["not-a-secret"], false],
    ] as const) {
      const { sight } = await look({ unit: "active", wsrep: status(), priv: priv === "" ? "" : JSON.stringify(priv), passwords: [...passwords] });
      equal(sight.is === "up" && sight.secured, secured, JSON.stringify([priv, passwords]));
    }
  });

  it("one whose volume does not appear in time cannot be seen: it may hold the newest data", async () => {
    deepEqual((await lookLong({ disk: "disk=absent\n" })).sight, { is: "unreachable", why: `its volume ${self.volume} is not attached` });
  });

  it("one whose marker says so has left", async () => {
    for (const left of [true, false]) {
      const { sight } = await look({ disk: volume({ hasHadData: true, left }), files: grastate(uuid, 95) });
      deepEqual(sight, { is: "down", data: { is: "whole", uuid, seqno: 95, safeToBootstrap: false }, ...prepared, hasHadData: true, left });
    }
  });

  it("one whose marker says so was started by a person's decision", async () => {
    const chosenOver = { "db-1": `${uuid}:95` };
    const { sight } = await look({ unit: "active", wsrep: status(), disk: volume({ hasHadData: true, chosenOver }) });
    deepEqual("chosenOver" in sight && sight.chosenOver, chosenOver);
  });

  describe("of members that are just finding each other", () => {
    const before = (end: number, then: string, earlier = "") => (seconds: number) => (seconds < end ? earlier : then);

    it("waits for one that is starting", async () => {
      const { sight, waited } = await lookLong({ unit: before(30, "active", "activating"), wsrep: before(30, status()) });
      deepEqual([sight.is, waited], ["up", 30]);
    });

    it("waits for one that is not Primary", async () => {
      const { sight, waited } = await lookLong({ unit: "active", wsrep: before(30, status(), status({ cluster_status: "non-Primary" })) });
      deepEqual([sight.is === "up" && sight.primary, waited], [true, 30]);
    });

    it("waits for one that is starting to give up", async () => {
      const { sight, waited } = await lookLong({ unit: before(30, "failed", "activating") });
      deepEqual([sight.is, waited], ["down", 30]);
    });

    it("waits a minute and no longer, and says what it then sees", async () => {
      const starting = await lookLong({ unit: "activating" });
      deepEqual([starting.sight.is, starting.waited], ["starting", 60]);
      const split = await lookLong({ unit: "active", wsrep: status({ cluster_status: "non-Primary" }) });
      deepEqual([split.sight.is === "up" && split.sight.primary, split.waited], [false, 60]);
    });

    it("does not wait for a state transfer, which may take hours", async () => {
      const { sight, waited } = await lookLong({ unit: "activating", transfer: true });
      deepEqual([sight.is, waited], ["starting", 0]);
    });
  });

  describe("at a glance", () => {
    it("waits neither for members that find each other nor for a volume", async () => {
      for (const [answers, is] of [[{ unit: "activating" }, "starting"], [{ unit: "active", wsrep: status({ cluster_status: "non-Primary" }) }, "up"], [{ disk: "disk=absent\n" }, "unreachable"]] as [Answers, string][]) {
        const { sight, waited } = await lookLong({ ...answers, glance: true });
        deepEqual([sight.is, waited], [is, 0]);
      }
    });

    it("lets no data tell their position, and says that nobody asked; what they told before it takes", async () => {
      const killed = { files: grastate(uuid), disk: volume({ hasHadData: true }), glance: true };
      const { sight, commands } = await look(killed);
      deepEqual(sight.is === "down" && sight.data, { is: "whole", uuid, seqno: -1, safeToBootstrap: false, asked: false });
      deepEqual(commands.filter((command) => /systemd-run|mkdir|--wsrep-recover/.test(command)), []);
      const told = await look({ ...killed, position: `[Note] WSREP: Recovered position: ${uuid}:42\n` });
      deepEqual(told.sight.is === "down" && told.sight.data, { is: "whole", uuid, seqno: 42, safeToBootstrap: false });
    });

    it("sees of one that runs what a look sees", async () => {
      const runs = { unit: "active", wsrep: status(), disk: volume({ hasHadData: true }) };
      deepEqual((await look({ ...runs, glance: true })).sight, (await look(runs)).sight);
    });
  });

  for (const unit of ["inactive", "failed", "unknown"]) it(`one whose unit is ${unit} is down`, async () => equal((await look({ unit })).sight.is, "down"));

  for (const unit of ["activating", "deactivating"]) it(`one whose unit is ${unit} is taken for starting, after a minute`, async () => equal((await lookLong({ unit })).sight.is, "starting"));

  for (const unit of ["active", "reloading", "maintenance"])
    it(`one whose unit is ${unit} and that does not answer, be it for want of a connection, is silent: it may well run`, async () => {
      const { sight } = await lookLong({ unit, wsrep: "ERROR 1040 (HY000): Too many connections\n", disk: volume({ hasHadData: true }) });
      deepEqual(sight, { is: "silent", why: `MariaDB is ${unit} and does not answer root on its socket: ERROR 1040 (HY000): Too many connections`, ...prepared, hasHadData: true });
    });

  it("one that does not answer gets a minute for it", async () => {
    const { sight, waited } = await lookLong({ unit: "active", wsrep: (seconds) => (seconds < 30 ? "" : status()) });
    deepEqual([sight.is, waited], ["up", 30]);
  });

  describe("data", () => {
    const data = async (files: string) => {
      const { sight } = await look({ files });
      return sight.is === "down" ? sight.data : sight.is;
    };

    it("after a clean stop is whole", async () => deepEqual(await data(grastate(uuid, 95, 1)), { is: "whole", uuid, seqno: 95, safeToBootstrap: true }));
    it("after a crash is whole, its position unknown when MariaDB cannot tell it", async () => deepEqual(await data(grastate(uuid)), { is: "whole", uuid, seqno: -1, safeToBootstrap: false }));
    it("is none where there is no tablespace", async () => deepEqual(await data(""), { is: "none" }));
    it("without a history is torn, though it is said to be safe: Galera forgets it for as long as tables change", async () => {
      deepEqual(await data(grastate(nil, -1, 1)), { is: "torn", uuid: nil, seqno: -1, safeToBootstrap: true });
    });
    it("whose last transfer was not on the disk is partial, however whole it looks", async () => {
      for (const files of [`cut=yes\n${grastate(uuid, 95)}`, `cut=yes\n${grastate(nil)}`]) equal(((await data(files)) as { is: string }).is, "partial", files);
    });
    it("without Galera's file is torn: somebody put it there, and MariaDB tells what it is", async () => deepEqual(await data("tablespace=yes\n"), { is: "torn", uuid: nil, seqno: -1, safeToBootstrap: false }));
    it("in the middle of a transfer is partial, whatever its file says", async () => {
      for (const files of [`transfer=yes\n${grastate(uuid, 95)}`, "transfer=yes\n", `fresh=yes\ntransfer=yes\n${grastate(nil)}`]) equal(((await data(files)) as { is: string }).is, "partial", files);
    });
    it("made for a new cluster whose first start failed is none: nobody wrote to it", async () => {
      deepEqual(await data("tablespace=yes\nfresh=yes\n"), { is: "none" });
      deepEqual(await data(`fresh=yes\n${grastate(nil)}`), { is: "none" });
      deepEqual(await data(`fresh=yes\n${grastate(uuid, 2)}`), { is: "whole", uuid, seqno: 2, safeToBootstrap: false });
    });
  });

  describe("of a volume that is foreign for its marker alone says which file it is, and what is wrong in it", () => {
    const why = async (disk: string) => {
      const { sight } = await look({ disk });
      return sight.is === "foreign" ? sight.why : sight.is;
    };
    const marked = (text: string) => `TYPE=xfs\nUUID=c0ffee\nmounted=yes\nfiles=2\nmarker=${text}\n---\n`;

    it("not JSON", async () => match(await why(marked("{hasHadData: true}")), /^its marker, \.datastore\.json at its root, is not JSON: .*property name/));

    for (const [what, text, says] of [
      ["null", "null", "does not name its project, stack, cluster, member"],
      ["another kind of JSON", "[true]", "does not name its project, stack, cluster, member"],
      ["a mistyped name", '{"project":"shop","stack":"test","clutser":"db","member":"db-2","hasHadData":true,"left":false}', "does not name its cluster"],
      ["a flag in quotes", JSON.stringify({ ...JSON.parse(marker()) as object, hasHadData: "true" }), "does not say true or false of hasHadData and of left"],
      ["a flag left out", JSON.stringify({ ...JSON.parse(marker()) as object, left: undefined }), "does not say true or false of hasHadData and of left"],
    ] as const) it(what, async () => equal(await why(marked(text)), `its marker, .datastore.json at its root, ${says}`));

    it("lost: what it should be", async () => equal(await why(`TYPE=xfs\nUUID=${ourUuid}\nmounted=yes\nfiles=2\n---\n`),
      `we formatted it, but its marker is gone: with ${marker({ hasHadData: true })} in .datastore.json at its root it is taken as it is`));

    it("with what it should be, it is taken as it is", async () => equal(await why(marked(marker({ hasHadData: true }))), "down"));
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
    ["packages that the image brought, without the guard of their server", { guarded: false }, [false, true]],
    ["another version than the wanted one", { options: { version: "11.4" } }, [false, true]],
    ["the wanted version", { options: { version: "10.11" } }, [true, true]],
  ] as const)
    it(`${what} is seen`, async () => {
      const { sight } = await look(answers);
      deepEqual(sight.is === "down" && [sight.installed, sight.configured], expected);
    });

  it("of a healthy member takes six looks: unit, view, volume, packages, versions, login", async () => {
    equal((await look({ unit: "active", wsrep: status() })).commands.length, 6);
  });

  it("changes nothing, and puts no password in a command", async () => {
    for (const answers of [{}, { unit: "active", wsrep: status() }, { disk: "disk=blank\n" }, { files: grastate(uuid) }]) {
      const { changes, commands } = await look(answers);
      deepEqual(changes, []);
      ok(commands.every((command) => !command.includes("not-a-secret")));
    }
  });
});
