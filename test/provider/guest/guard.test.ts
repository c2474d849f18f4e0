import { deepEqual, equal, match, ok } from "node:assert/strict";
import execa from "execa";
import { guardUnit, letStart, signed, take as takePath, transferred } from "../../../provider/guest/guard";
import type { Guest } from "../../../provider/guest/guest";
import { needsRoot } from "./box";

/** What a guest that was just booted has below its data volume's mount point. */
interface Booted {
  configured?: boolean;
  /** A run lets it start, since the guest booted. */
  let?: boolean;
  marker?: Record<string, unknown> | string;
  data?: boolean;
  /** The major version that opened the data last, and the package that is installed. */
  written?: [by: string, installed: string];
  /** Of the last state transfer: whether it was on the disk in whole. */
  transfer?: "whole" | "cut" | "begun";
}

describe("the guard of a datastore's unit", () => {
  before(needsRoot);
  let guard: string;
  let settle: string;
  let take: string;
  beforeEach(async () => {
    const written: [string, string][] = [];
    const guest: Guest = {
      name: "db-1", look: () => Promise.resolve(""), run: () => Promise.resolve(""), say: () => undefined,
      write: (path, content) => Promise.resolve(written.push([path, content]) > 0),
    };
    await guardUnit(guest, "db.service", { server: "db-server", user: "nobody", configured: "/var/lib/configured", data: "data", first: "/bin/rm -f /run/told", transfers: { file: "data/space", anew: "[ -e /var/lib/datastore/data/nothing-known ]" } });
    [take, settle, guard] = written.map(([, content]) => content).filter((content) => content.startsWith("#!/bin/sh")) as [string, string, string];
    const unit = written.find(([path]) => path.endsWith(".conf"))![1];
    match(unit, new RegExp(`^ExecCondition=\\+${written.find(([, content]) => content === guard)![0]}$`, "m"));
    match(unit, new RegExp(`^ExecStartPost=-\\+${written.find(([, content]) => content === settle)![0]}$`, "m"));
    for (const line of ["Restart=on-failure", "RestartSec=5", "StartLimitBurst=5", "StartLimitIntervalSec=900", "SendSIGKILL=yes", "TimeoutStopSec=900"])
      ok(unit.includes(`\n${line}\n`), line);
    // Before anything reads the data.
    match(unit, new RegExp(`^ExecStartPre=\\+${written.find(([, content]) => content === take)![0]}\nExecStartPre=\\+/bin/rm -f /run/told$`, "m"));
  });

  /** The guard's exit code and words on a guest whose /var/lib is so. */
  const started = async ({ configured = true, let: isLet = false, marker, data = false, transfer, written: [by, installed] = ["", ""] }: Booted) => {
    const { exitCode, stdout } = await execa("unshare", ["--mount", "--propagation", "private", "/bin/sh", "-euc",
      `mount -t tmpfs none /var/lib; mount -t tmpfs none /run; mkdir /var/lib/datastore; cd /var/lib/datastore
[ -z "$1" ] || touch /var/lib/configured
[ -z "$2" ] || printf %s "$2" >.datastore.json
[ -z "$3" ] || { mkdir data; touch data/ibdata1; }
[ -z "$4" ] || /bin/sh -c "$4"
[ -z "$5" ] || { touch data/space; (umask 007; /bin/sh -c "$6"); }
case "$5" in cut|begun) touch data/another; mv data/another data/space;; esac
[ "$5" != begun ] || touch data/nothing-known
[ -z "$7" ] || echo "$7" >.written-by
mkdir /run/bin; printf '#!/bin/sh\necho "hi %s"\n' "$8" >/run/bin/dpkg-query; chmod 755 /run/bin/dpkg-query; PATH=/run/bin:$PATH
exec setpriv --reuid=65534 --regid=65534 --clear-groups /bin/sh -c "$0"`, guard, configured ? "yes" : "", typeof marker === "string" ? marker : marker ? JSON.stringify(marker) : "", data ? "yes" : "", isLet ? letStart : "", transfer ?? "", settle, by, installed], { reject: false });
    return `${exitCode} ${stdout}`.trim();
  };

  it("that is told what is on the disk keeps what it knew when there is no room to write it, and does so in any time zone", async () => {
    const { stdout } = await execa("unshare", ["--mount", "--propagation", "private", "/bin/bash", "--norc", "-euc",
      `mount -t tmpfs none /var/lib; mkdir -p /var/lib/datastore; mount -t tmpfs -o size=64k none /var/lib/datastore; cd /var/lib/datastore; mkdir data; touch data/space
told() { TZ=$1 /bin/sh -c "$0" 2>/dev/null && echo yes || echo no; cat .transferred; }
told UTC; told Asia/Tokyo
dd if=/dev/zero of=full bs=4k 2>/dev/null || true
told UTC; touch data/another 2>/dev/null; mv data/another data/space; told UTC; ${transferred("data/space", ".")} && echo whole || echo cut`, settle]);
    const lines = stdout.split("\n");
    const known = lines[1]!;
    match(known, /^\d+:\d+\.\d{9}$/);
    deepEqual(lines, ["yes", known, "yes", known, "yes", known, "no", known, "cut"]);
  });

  for (const [what, booted, says] of [
    ["starts a new member on its marked volume when it is let", { let: true, marker: { hasHadData: false, left: false } }, "0"],
    ["does not start by itself what was not verified, whatever it holds", { marker: { hasHadData: false, left: false }, data: true }, "1 not started: this member was not verified yet: the next pulumi up starts it"],
    ["starts on the data that it had", { marker: { hasHadData: true, left: false }, data: true }, "0"],
    ["starts on what a state transfer brought", { marker: { hasHadData: true, left: false }, data: true, transfer: "whole" }, "0"],
    ["does not start by itself on what a state transfer brought that was not on the disk", { marker: { hasHadData: true, left: false }, data: true, transfer: "cut" },
      "1 not started: its last state transfer was not whole on the disk when it lost power: the next pulumi up starts it"],
    ["starts by itself where a state transfer begins anew anyway", { marker: { hasHadData: true, left: false }, data: true, transfer: "begun" }, "0"],
    ["starts on that when it is let: it gets all anew", { let: true, marker: { hasHadData: true, left: false }, data: true, transfer: "cut" }, "0"],
    ["does not start before it is configured", { configured: false, marker: { hasHadData: false, left: false } }, "1 not started: not configured yet"],
    ["does not start without its volume", {}, "1 not started: /var/lib/datastore is not the data volume: it has no .datastore.json"],
    ["does not start on a volume that was emptied", { marker: { hasHadData: true, left: false } }, "1 not started: the data volume once held data and is empty now"],
    ["does not start when its member left", { marker: { hasHadData: true, left: true }, data: true }, "1 not started: this member left the cluster"],
    ["does not start when its cluster was stopped, though it is let", { let: true, marker: { hasHadData: true, left: false, held: true }, data: true }, "1 not started: its cluster was stopped: the pulumi up that starts it again does"],
    ["does not start on what a later version has opened", { marker: { hasHadData: true, left: false }, data: true, written: ["11.8", "1:10.11.19-0+deb12u1"] },
      "1 not started: its data were opened by version 11.8, which 10.11 may not read: version and image say which it is to be"],
    ["starts on what the same or an earlier version has opened", { marker: { hasHadData: true, left: false }, data: true, written: ["10.11", "1:11.8.6-0+deb13u1"] }, "0"],
    ["reads a marker that a person wrote", { marker: `{ "hasHadData" : true,\n"left" : true }`, data: true }, "1 not started: this member left the cluster"],
  ] as [string, Booted, string][])
    it(what, async () => equal(await started(booted), says));
});

describe("what takes a member's data", () => {
  before(needsRoot);
  let take: string;
  beforeEach(async () => {
    const guest = { name: "db-1", run: () => Promise.resolve(""), write: (path: string, content: string) => { if (path === takePath) take = content; return Promise.resolve(true); } };
    await guardUnit(guest as unknown as Guest, "db.service", { server: "db-server", user: "daemon", configured: "/var/lib/configured", data: "data/append", first: "/bin/true" });
  });
  /** Who owns what after it, and what is written down, where the installed package is `version`; `first` comes before. */
  const taken = async (first: string, version = "1:11.8.6-0+deb13u1") => (await execa("unshare", ["--mount", "--propagation", "private", "/bin/bash", "--norc", "-euc",
    `mount -t tmpfs none /var/lib; mount -t tmpfs none /run; mkdir -p /run/bin /var/lib/datastore/data/below; cd /var/lib/datastore; touch data/below/table
printf '#!/bin/sh\\necho "hi %s"\\n' "$1" >/run/bin/dpkg-query; chmod 755 /run/bin/dpkg-query; PATH=/run/bin:$PATH
${first}
/bin/sh -c "$0" || echo failed; stat -c '%U %n' data data/below data/below/table; echo "by $(cat .written-by)"`, take, version])).stdout.split("\n");
  const all = ["daemon data", "daemon data/below", "daemon data/below/table", "by 11.8"];

  it("makes them the service's own, its group's too, and writes down who opens them", async () => {
    deepEqual(await taken("chown -R 4242:4242 data"), all);
    deepEqual(await taken("echo 10.11 >.written-by; chown -R daemon:4242 data"), all);
  });

  it("writes down before another version comes who opens them now, unless it is written down already: who is installed then may never have opened them", async () => {
    const written = async (before: string) => (await execa("unshare", ["--mount", "--propagation", "private", "/bin/bash", "--norc", "-euc",
      `mount -t tmpfs none /var/lib; mkdir /var/lib/datastore; mount -t tmpfs none /var/lib/datastore; cd /var/lib/datastore
mount -t tmpfs none /usr/local/lib; mkdir ${takePath.replace(/\/[^/]+$/, "")}; printf '#!/bin/sh\necho 11.8 >/var/lib/datastore/.written-by\n' >${takePath}; chmod 755 ${takePath}
${before}
eval "$0"; cat .written-by`, signed])).stdout;
    deepEqual([await written(":"), await written("echo 10.11 >.written-by")], ["11.8", "10.11"]);
  });

  it("has their root last, so that one that was cut is gone on with, and what is right is not looked through", async () => {
    deepEqual(await taken("chown -R 4242:4242 data; chown daemon:daemon data/below/table"), all);
    deepEqual((await taken("chown -R daemon:daemon data; chown 4242 data/below/table"))[2], "UNKNOWN data/below/table");
  });

  it("does nothing more where all is right, also on a full disk, and opens nothing for a version that it cannot write down", async () => {
    const full = "chown -R daemon:daemon data; rm -rf data; mkdir old; mount -t tmpfs -o size=16k none /var/lib/datastore; cd /var/lib/datastore; mkdir -p data/below; touch data/below/table; chown -R daemon:daemon data";
    deepEqual(await taken(`${full}; echo 11.8 >.written-by; dd if=/dev/zero of=full bs=4k 2>/dev/null || true`), all);
    deepEqual((await taken(`${full}; echo 10.11 >.written-by; dd if=/dev/zero of=full bs=4k 2>/dev/null || true`)).slice(-5).filter((line) => !line.startsWith("daemon")), ["failed", "by 10.11"]);
  });
});
