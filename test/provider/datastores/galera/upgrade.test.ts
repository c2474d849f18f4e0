import { deepEqual, match, ok, rejects } from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { steps } from "../../../../provider/datastores/galera/steps";
import { signed } from "../../../../provider/guest/guard";
import type { Step } from "../../../../provider/plan";
import type { Do } from "../../../../provider/datastores/galera/plan";
import { fast } from "../../clock";
import { member } from "../../cluster";
import { guests, running, synced, type View } from "./servers";

const versions = { "db-1": "10.11", "db-2": "10.11", "db-3": "10.11" };
const stop = "db-2 runs systemctl stop --no-block mariadb";

describe("galera: a rebuild for another major version", () => {
  /** What is done on a member whose server gets its disk. */
  const rebuilt = async (views: Record<string, View | undefined>, more: Parameters<typeof guests>[1] = {}, step: Step<Do> = { do: "rebuild", on: ["db-2"] }) => {
    const { three, ran } = guests(views, { versions, version: "11.8", ...more });
    const done = steps.rebuild({ ...three, rebuild: async ({ name }) => void ran.push(`Nova rebuilds ${name}`) }, member("db-2"), step);
    return { ran, ended: await done.then(() => "done", (error: Error) => error.message) };
  };
  const keep = (cached: number) => Object.fromEntries(Object.keys(versions).map((name) => [name, synced(3, { cached })]));

  it("is done while the others keep what it will miss, and its data say whose they are before its server goes", () => fast(async () => {
    const { ran, ended } = await rebuilt(keep(1));
    deepEqual(ended, "done");
    const places = ["db-2 writes /usr/local/lib/datastores/take", stop, `db-2 runs ${signed}`, "Nova rebuilds db-2"].map((what) => ran.findIndex((line) => line.startsWith(what)));
    ok(places.every((place, index) => place > (places[index - 1] ?? -1)), ran.join("\n"));
  }));

  it("stops nobody for whom the others keep too little, and says what else there is to do", () => fast(async () => {
    const { ran, ended } = await rebuilt(keep(50));
    match(ended, /^refused: a member gets another major version only while the others keep what it misses meanwhile\. Seen: they keep no writes\. Way forward: run `pulumi up` again once something was written; else set `version` and `image` back/);
    ok(!ran.some((line) => line.includes("systemctl stop") || line.startsWith("Nova")), ran.join("\n"));
  }));

  it("stops nobody while more is written than their caches hold in a quarter of an hour", () => fast(async () => {
    const busy = Object.fromEntries(Object.keys(versions).map((name) => [name, synced(3, { busy: 2 ** 40 })]));
    const { ran, ended } = await rebuilt(busy);
    match(ended, /Seen: their caches hold the writes of 0 s at the pace of now, and it may be away for 900 s\..*set `version` and `image` back and `gcacheSize` to \d+M or more, which restarts the members one at a time/);
    ok(!ran.some((line) => line.includes("systemctl stop") || line.startsWith("Nova")), ran.join("\n"));
  }));

  it("of the same version asks for none of that", () => fast(async () => deepEqual((await rebuilt(keep(50), { version: "10.11" })).ended, "done")));

  it("of one that is down is refused where the others do not keep what it missed, unless one has the new version already", () => fast(async () => {
    const idle: Step<Do> = { do: "rebuild", on: ["db-2"], what: "idle" };
    const uuid = "6a1f6d3e-0b1c-11f0-9d2a-2f5d7c2b9a10";
    const views = (cached: number) => ({ "db-1": synced(2, { cached }), "db-3": synced(2, { cached }) });
    const files = `tablespace=yes\nuuid=${uuid}\nseqno=20\n`;
    match((await rebuilt(views(30), { files }, idle)).ended, /^refused: a member gets another major version only while the others keep what it missed\./);
    deepEqual((await rebuilt(views(21), { files }, idle)).ended, "done");
    deepEqual((await rebuilt(views(30), { files, versions: { ...versions, "db-1": "11.8" } }, idle)).ended, "done");
  }));
});

describe("galera: a join among members of several major versions", () => {
  const uuid = "6a1f6d3e-0b1c-11f0-9d2a-2f5d7c2b9a10";
  const among = (own: Record<string, string>, cached: number) =>
    guests({ "db-1": synced(2, { cached }), "db-3": synced(2, { cached }) }, { versions: { ...versions, ...own }, version: "11.8", files: `tablespace=yes\nuuid=${uuid}\nseqno=20\n` });
  const donorsOf = async ({ three, ran, at }: ReturnType<typeof guests>) => {
    steps.join(three, member("db-2")).catch(() => undefined);
    while (at("systemctl start") < 0) await sleep(10);
    return /--wsrep-sst-donor=(\S+)/.exec(ran.join("\n"))![1];
  };

  it("gets what it missed from anybody", () => fast(async () => deepEqual(await donorsOf(among({ "db-2": "11.8" }, 21)), "db-1,")));
  it("gets all data from one of its own version, and from no other", () => fast(async () => deepEqual(await donorsOf(among({ "db-2": "11.8", "db-3": "11.8" }, 30)), "db-3")));
  it("is refused all data of another version", () => fast(async () => {
    const { three, ran } = among({ "db-2": "11.8" }, 30);
    await rejects(steps.join(three, member("db-2")), { name: "Refused", message: /a member gets all data from one of its own major version.*db-2 is of 11\.8, the others of 10\.11.*set `version` and `image` back/ });
    deepEqual(ran, []);
  }));
});

describe("galera: an upgrade of the system tables", () => {
  const upgraded = async (more: Parameters<typeof guests>[1]) => {
    const { three, ran } = guests(running("db-1", "db-2", "db-3"), { versions: { ...versions, "db-2": "11.8" }, version: "11.8", ...more });
    await steps.upgrade(three, member("db-2"));
    return ran.filter((line) => line.includes("mariadb-upgrade"));
  };

  it("is done on the member alone", () => fast(async () => {
    const [ran = "", ...rest] = await upgraded({ tables: "10.11.19-MariaDB", offered: "11.8.6-MariaDB" });
    match(ran, /--unit=datastores-upgrade .* mariadb-upgrade --skip-write-binlog/);
    deepEqual(rest, []);
  }));
  it("is done where nobody has written down of which version they are", () => fast(async () => deepEqual((await upgraded({ offered: "11.8.6-MariaDB" })).length, 1)));
  it("is not done again", () => fast(async () => deepEqual(await upgraded({ tables: "11.8.6-MariaDB" }), [])));
  it("that came to nothing says so", () => fast(async () => rejects(upgraded({ tables: "10.11.19-MariaDB" }), /the system tables of db-2 are not of 11\.8/)));
});
