import { deepEqual, doesNotMatch, equal, match, ok, rejects } from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { newAuthority } from "../../../../provider/certificates";
import { steps } from "../../../../provider/datastores/galera/steps";
import { transferred } from "../../../../provider/guest/guard";
import type { Guest } from "../../../../provider/guest/guest";
import { fast } from "../../clock";
import { cluster, member } from "../../cluster";
import { guests, running, synced, type View } from "./servers";

describe("galera steps", () => {
  describe("an install", () => {
    it("has the server guarded and its packages spared from unattended upgrades before they are there", () => fast(async () => {
      const { three, ran, at } = guests({}, { bare: true, unit: "inactive" });
      await steps.install(three, member("db-2"));
      // By the guard an installation that was cut is seen: what comes before it is there where it is.
      const places = ["systemctl mask", "db-2 writes /etc/apt/apt.conf.d/99-datastore", "db-2 writes /usr/local/lib/datastores/settle", "db-2 writes /etc/systemd/system/mariadb.service.d/datastore.conf",
        "systemctl daemon-reload", "db-2 writes /usr/local/lib/datastores/may-start", "systemd-run"].map(at);
      ok(places.every((place, index) => place > (places[index - 1] ?? -1)), ran.join("\n"));
    }));

    /** Of a guest on which apt left these out, or brought this version. */
    const installed = (version: string | undefined, { missing = "", journal = "", offered = "1:10.11.19-0+deb12u1\n", ran = [] as string[] } = {}) => {
      const guest: Guest = {
        name: "db-1", run: async (command) => { ran.push(command); return ""; }, write: async () => true, say: () => undefined,
        look: async (command) => (command.includes("journalctl") ? journal : command.includes("systemctl show") ? "" : command.startsWith("for name in") ? missing : command.includes("apt-cache policy") ? offered : "1:10.11.19-0+deb12u1\n"),
      };
      return steps.install(cluster(["db-1"], { version }, async () => guest), member("db-1"));
    };

    it("takes any version where none is named, and that which is", async () => {
      await installed(undefined);
      await installed("10.11");
    });

    const refused = (seen: string) => ({ message: `refused: members run one major version of the database, the one that \`version\` names. Seen: db-1 ${seen} MariaDB 1:10.11.19-0+deb12u1, wanted 11.4. `
      + "Way forward: give `image` one whose package sources have that version, or `version` the one that `image` has; before there is a cluster, `version` may be left out." });
    const missing = "mariadb-server\nmariadb-backup\n";
    const journal = "Reading package lists...\nE: Version '1:11.4.*' for 'mariadb-server' was not found\n";

    it("of another version than is named is refused, by apt before it fetches any of it", async () => {
      const ran: string[] = [];
      await rejects(installed("11.4", { missing, journal, ran }), refused("is offered"));
      match(ran.join("\n"), /--download-only \S*mariadb-server=1:11\.4\.\*\S* galera-4 \S*mariadb-backup=1:11\.4\.\*\S* socat xfsprogs/);
    });

    it("is refused where the image has brought another version", () => rejects(installed("11.4"), refused("has")));

    it("of a version of which no source says anything is the source's failure", () => rejects(
      installed("11.4", { missing, journal, offered: "" }), { message: /^could not install mariadb-server, mariadb-backup: E: Version '1:11.4.\*' for 'mariadb-server' was not found/ }));

    it("of packages that nobody offers says what apt said, and the way forward", () => rejects(
      installed(undefined, { missing: "galera-4\nsocat\n", journal: "Reading package lists...\nW: Failed to fetch http://deb.debian.org/debian/dists/bookworm/InRelease\nBuilding dependency tree...\nE: Unable to locate package galera-4\n" }),
      { message: "could not install galera-4, socat: W: Failed to fetch http://deb.debian.org/debian/dists/bookworm/InRelease | E: Unable to locate package galera-4. "
        + "Way forward: let db-1 reach a Debian package source that has them, as `sudo apt-get update && apt-cache policy galera-4 socat` there shows, then run `pulumi up` again" }));

    it("that failed of something else blames no source", () => rejects(
      installed(undefined, { missing: "galera-4\n", journal: "E: You don't have enough free space in /var/cache/apt/archives/.\n" }),
      { message: "could not install galera-4: E: You don't have enough free space in /var/cache/apt/archives/.. "
        + "Way forward: see on db-1 why, with `sudo journalctl -u datastores-install` and `df -h`, and mend it, then run `pulumi up` again" }));
  });

  describe("a configure", () => {
    const configured = async (views: Record<string, View>, more = {}) => {
      const { three, ...rest } = guests(views, more);
      const authority = await newAuthority("db");
      return { done: () => steps.configure({ ...three, authority }, member("db-2")), ...rest };
    };

    it("lets a server that runs take the certificates before the options file says that all is done", () => fast(async () => {
      const { done, ran, at } = await configured(running("db-1", "db-2", "db-3"));
      await done();
      const written = ["server.key", "server.pem", "ca.pem", "/etc/hosts", "mariadb --batch"].map(at);
      ok(written.every((place) => place >= 0 && place < at("99-datastore.cnf")), ran.join("\n"));
    }));

    it("asks nothing of a server that is down", () => fast(async () => {
      const { done, at } = await configured({});
      await done();
      deepEqual([at("mariadb --batch"), at("99-datastore.cnf") >= 0], [-1, true]);
    }));

    it("does not say that all is done when a server that runs does not take them", () => fast(async () => {
      const { done, at } = await configured(running("db-1", "db-2", "db-3"), { deaf: true });
      await rejects(done(), /Too many connections/);
      equal(at("99-datastore.cnf"), -1);
    }));
  });

  describe("a join", () => {
    it("passes its gate while another member is still in the transfer that a dead run began", () => fast(async () => {
      const { three } = guests({ "db-1": synced(3), "db-2": synced(3) });
      await steps.join(three, member("db-2"));
    }));

    it("finds the cluster in its donor alone", () => fast(async () => {
      const views: Record<string, View> = { "db-1": { state: "Donor/Desynced", size: 2 }, "db-2": synced(2) };
      const { three, ran } = guests(views);
      const joined = steps.join(three, member("db-2"));
      setTimeout(() => { views["db-1"] = synced(2); }, 300);
      await joined;
      match(ran.join("\n"), /systemctl start --no-block mariadb/);
    }));

    it("finds the cluster in members that are to leave", () => fast(async () => {
      const { three, ran } = guests(running("db-2", "db-3"), { leaving: ["db-3"] });
      await steps.join(three, member("db-2"));
      match(ran.join("\n"), /MYSQLD_OPTS=--wsrep-sst-donor=db-3, --wsrep-cluster-address=gcomm:\/\/198\.18\.0\.13'\n/);
    }));

    it("is refused when no cluster runs: it could start one", () => fast(async () => {
      const { three, ran } = guests({ "db-1": synced(1, { primary: false }) });
      await rejects(steps.join(three, member("db-2")), { name: "Refused", message: /a member joins a cluster that runs/ });
      deepEqual(ran, []);
    }));

    it("takes back that its member left, before it starts it", () => fast(async () => {
      const { three, at } = guests(running("db-1", "db-2", "db-3"), { marks: { "db-2": { hasHadData: true, left: true } } });
      await steps.join(three, member("db-2"));
      const marked = at('db-2 marked {"hasHadData":true,"left":false}');
      ok(marked >= 0 && marked < at("systemctl start --no-block mariadb"));
    }));

    it("is refused of what holds later writes than those that run, which a new server tells only now", () => fast(async () => {
      const held = (seqno: number) => guests(running("db-1", "db-3"), { files: `tablespace=yes\nuuid=A\nseqno=${seqno}\n` });
      const { three, ran } = held(51);
      await rejects(steps.join(three, member("db-2")), { name: "Refused", message: /takes nobody in who holds newer.*the cluster was started without db-2/s });
      deepEqual(ran, []);
      const older = held(50);
      const joined = steps.join(older.three, member("db-2"));
      joined.catch(() => undefined);
      while (older.at("systemctl start --no-block mariadb") < 0) await sleep(10);
    }));

    it("begins without a state where a transfer was cut off from power, so that it gets all anew", () => fast(async () => {
      const { three, ran } = guests(running("db-1", "db-2", "db-3"));
      await steps.join(three, member("db-2"));
      const begun = ran.find((line) => line.includes("systemctl start"))!;
      ok(begun.includes(`inactive|failed) ${transferred("/var/lib/datastore/mysql/ibdata1", "/var/lib/datastore")} || rm -f /var/lib/datastore/mysql/grastate.dat;; esac\n`), begun);
    }));

    for (const [what, unreadable, done] of [
      ["moves aside what MariaDB cannot open of such a transfer, once the marker says that no data are there", true,
        ["db-2 tells its position", "db-2 marked {\"hasHadData\":false,\"left\":false}", "db-2 runs mv -T /var/lib/datastore/mysql /var/lib/datastore/mysql.cut-", "db-2 says what a power cut left", "db-2 runs mkdir"]],
      ["leaves to MariaDB what it can open of such a transfer", false, ["db-2 tells its position", "db-2 runs mkdir"]],
    ] as const)
      it(what, () => fast(async () => {
        const { three, ran } = guests({ ...running("db-1", "db-3") }, { files: "cut\n", unreadable, marks: { "db-2": { hasHadData: true, left: false } } });
        const joined = steps.join(three, member("db-2"));
        joined.catch(() => undefined);
        while (!ran.some((line) => line.includes("systemctl start"))) await sleep(10);
        deepEqual(ran.map((line) => done.find((begin) => line.startsWith(begin))), done);
      }));

    it("says on the volume again that it has had data, once they are there", () => fast(async () => {
      const views = running("db-1", "db-3");
      const { three, ran, at } = guests(views, { files: "cut\n", unreadable: true, marks: { "db-2": { hasHadData: true, left: false } } });
      const joined = steps.join(three, member("db-2"));
      while (at("systemctl start") < 0) await sleep(10);
      Object.assign(views, running("db-1", "db-2", "db-3"));
      await joined;
      deepEqual(ran.slice(at("systemctl start") + 1), ['db-2 marked {"hasHadData":true,"left":false}', "db-2 runs systemctl unset-environment MYSQLD_OPTS"]);
    }));

    it("writes no marker of a member that did not leave", () => fast(async () => {
      const { three, at } = guests(running("db-1", "db-2", "db-3"), { marks: { "db-2": { hasHadData: true, left: false } } });
      await steps.join(three, member("db-2"));
      equal(at("marked"), -1);
    }));

    for (const [what, written, donors] of [
      ["leaves out as donor who writes most", { "db-1": 5, "db-2": 900, "db-3": 7 }, "db-1,db-3,"],
      ["prefers as donor who writes least", { "db-1": 900, "db-2": 8, "db-3": 7 }, "db-3,db-2,"],
    ] as const) it(what, () => fast(async () => {
      const { three, ran } = guests({ ...Object.fromEntries(Object.entries(written).map(([name, bytes]) => [name, synced(4, { written: bytes })])), "db-4": synced(4) });
      await steps.join({ ...three, want: { ...three.want, members: [...three.want.members, member("db-4")] } }, member("db-4"));
      match(ran.join("\n"), new RegExp(`db-4 runs [^]*systemctl set-environment 'MYSQLD_OPTS=--wsrep-sst-donor=${donors} --wsrep-cluster-address=gcomm://198.18.0.11,198.18.0.12,198.18.0.13'\n[^]*systemctl start --no-block mariadb`));
      equal(ran.at(-1), "db-4 runs systemctl unset-environment MYSQLD_OPTS");
    }));
  });

  describe("a bootstrap, and a recovery,", () => {
    for (const step of ["bootstrap", "recover"] as const) {
      it(`is refused when a server runs on any member: ${step}`, () => fast(async () => {
        const { three, ran } = guests({ "db-3": { state: "Initialized", size: 0, primary: false } });
        await rejects(steps[step](three, member("db-1")), { name: "Refused", message: /MariaDB on db-3 is active/ });
        deepEqual(ran, []);
      }));

      it(`is refused when a server runs on a member that is to leave: ${step}`, () => fast(async () => {
        const { three, ran } = guests({ "db-3": { state: "Initialized", size: 0, primary: false } }, { leaving: ["db-3"] });
        await rejects(steps[step](three, member("db-1")), { name: "Refused", message: /MariaDB on db-3 is active/ });
        deepEqual(ran, []);
      }));
    }

    it("starts from the data that are there, or not at all", () => fast(async () => {
      const views: Record<string, View | undefined> = {};
      const { three, ran } = guests(views);
      const recovered = steps.recover(three, member("db-2"));
      setTimeout(() => { views["db-2"] = synced(1); }, 200);
      await recovered;
      equal(ran.length, 1);
      match(ran[0]!, /^db-2 runs \n\[ -s \/var\/lib\/datastore\/mysql\/ibdata1 \] \|\| .*exit 1[^]*s\/\^safe_to_bootstrap: 0\/safe_to_bootstrap: 1\/[^]*galera_new_cluster/);
      doesNotMatch(ran[0]!, /mariadb-install-db|rm -rf/);
    }));

    it("by a person's decision is written down before it starts: first that those start at no boot whose data it goes on without", () => fast(async () => {
      const over = { "db-1": "A:95", "db-3": "vanished" };
      const views: Record<string, View | undefined> = {};
      const { three, ran } = guests(views, { leaving: ["db-3"], marks: { "db-1": { hasHadData: true, left: false }, "db-2": { hasHadData: true, left: true }, "db-3": { hasHadData: true, left: false } } });
      const recovered = steps.recover(three, member("db-2"), { do: "recover", on: ["db-2"], what: JSON.stringify(over) });
      setTimeout(() => { views["db-2"] = synced(1); }, 200);
      await recovered;
      deepEqual(ran.slice(0, -1), ['db-1 marked {"hasHadData":true,"left":true}', 'db-3 marked {"hasHadData":true,"left":true}',
        `db-2 marked ${JSON.stringify({ hasHadData: true, left: false, chosenOver: over })}`]);
      match(ran.at(-1)!, /^db-2 runs [^]*galera_new_cluster/);
    }));

    it("writes nothing on a volume that is not mounted: nothing starts from there", () => fast(async () => {
      const views: Record<string, View | undefined> = {};
      const { three, ran } = guests(views, { disk: `TYPE=xfs\nUUID=c0ffee\nmounted=no\nfiles=2\nmarker=${JSON.stringify({ project: "shop", stack: "test", cluster: "db", member: "db-1", hasHadData: true, left: false })}\n---\n` });
      const recovered = steps.recover(three, member("db-2"), { do: "recover", on: ["db-2"], what: '{"db-1":"A:95"}' });
      setTimeout(() => { views["db-2"] = synced(1); }, 200);
      await recovered;
      deepEqual(ran.filter((line) => line.startsWith("db-1")), []);
    }));
  });

  describe("a clean", () => {
    for (const [what, kept] of [[undefined, "left"], ["given-up", "given-up"]] as const) it(`keeps on its volume what is there: ${kept}`, () => fast(async () => {
      const { three, ran } = guests({}, { marks: { "db-2": { hasHadData: true, left: true } } });
      await steps.clean(three, member("db-2"), { do: "clean", on: ["db-2"], what });
      deepEqual([ran.length, ran[0], ran[2]], [4, 'db-2 marked {"hasHadData":false,"left":true}', 'db-2 marked {"hasHadData":false,"left":false}']);
      match(ran[3]!, new RegExp(`^db-2 says what db-2 held.* is kept in /var/lib/datastore/mysql\\.${kept}-\\d{14}$`));
      match(ran[1]!, new RegExp(`^db-2 runs \\[ ! -e /var/lib/datastore/mysql \\] \\|\\| \\{ mv -T /var/lib/datastore/mysql /var/lib/datastore/mysql\\.${kept}-\\d{14}; echo moved; \\}$`));
    }));
  });

  describe("a verification", () => {
    it("wants all members and nobody else", () => fast(async () => {
      const views: Record<string, View> = { "db-1": synced(3), "db-2": synced(3), "db-3": synced(3) };
      const { three, ran } = guests(views, { leaving: ["db-3"] });
      const verified = steps.verify(three, member("db-1"));
      await sleep(700);
      deepEqual(ran, []);
      Object.assign(views, { "db-1": synced(2), "db-2": synced(2) });
      await verified;
      equal(ran.at(-1), 'db-1 marked {"hasHadData":true,"left":false}');
    }));

    it("passes a server that runs, however often it was started before", () => fast(async () => {
      const { three } = guests(running("db-1", "db-2", "db-3"), { unit: "ActiveState=active\nResult=success\nNRestarts=4" });
      await steps.verify(three, member("db-1"));
    }));

    it("of a server that starts again and again ends at once", () => fast(async () => {
      const { three } = guests({}, { unit: "ActiveState=activating\nResult=exit-code\nNRestarts=2" });
      await rejects(steps.verify(three, member("db-1")), /MariaDB does not start on db-1/);
    }));

    it("of a server that gave up ends at once, with what its journal says", () => fast(async () => {
      const { three } = guests({}, { unit: "ActiveState=failed\nResult=exit-code\nNRestarts=0" });
      await rejects(steps.verify(three, member("db-1")), { message: "MariaDB does not start on db-1: not started: /var/lib/datastore is not the data volume" });
    }));

    it("of a server that gave up says so where its volume is full, of which the server may say nothing", () => fast(async () => {
      const { three } = guests({}, { unit: "ActiveState=failed\nResult=exit-code\nNRestarts=0", df: "1063256064 1063256064\n" });
      await rejects(steps.verify(three, member("db-1")), { message: "MariaDB does not start on db-1: not started: /var/lib/datastore is not the data volume. Its volume is full: 1014 of 1014 MiB. "
        + "Way forward: see with `sudo du -xh --max-depth=2 /var/lib/datastore` what may go, make room, then run `pulumi up` again" });
    }));
  });
});
