import { deepEqual, equal, rejects } from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import execa from "execa";
import { optionsFile } from "../../../../provider/datastores/galera/configuration";
import { grastate, look, lookLong, nil, status, uuid, volume, type Answers } from "./look";

describe("galera observe: a position that the data do not tell", () => {
  const crashed = { files: grastate(uuid), disk: volume({ hasHadData: true }) };
  const position = async (answers: Answers) => {
    const { sight, commands } = await look({ ...crashed, ...answers });
    return { seqno: sight.is === "down" && sight.data.is !== "none" ? sight.data.seqno : undefined, asked: commands.filter((command) => command.includes("--wsrep-recover")).length };
  };
  const answer = (text: string) => `2026-11-23  5:01:02 0 [Note] WSREP: Recovered position: ${text}\n`;

  for (const [text, seqno] of [[`${uuid}:42`, 42], [`${uuid}:42,0-1-7`, 42], [`0-1-7,${uuid}:42`, 42], [`${uuid}:-1`, -1], [`${nil}:-1`, -1]] as const)
    it(`is what MariaDB says: ${text}`, async () => deepEqual(await position({ position: answer(text) }), { seqno, asked: 1 }));

  it("stays unknown when MariaDB speaks of another history, or says nothing", async () => {
    for (const text of [answer(`${uuid.replace("6a1f", "7b2f")}:42`), "", "[ERROR] Aborting\n"]) equal((await position({ position: text })).seqno, -1, text);
  });

  it("is asked for also under old options", async () => deepEqual(await position({ sum: "other", position: answer(`${uuid}:42`) }), { seqno: 42, asked: 1 }));

  it("is asked for only of whole data on a guest that can tell, and only while the server is down", async () => {
    for (const [what, answers] of Object.entries<Answers>({
      "a clean stop": { files: grastate(uuid, 95) }, "a part of the data": { files: `transfer=yes\n${grastate(uuid)}` }, "no data": { files: "" },
      "packages are missing": { missing: "mariadb-server\n" }, "another version": { options: { version: "11.4" } },
      "a volume that is not mounted": { disk: volume({ hasHadData: true }).replace("mounted=yes", "mounted=no") }, "a server that runs": { unit: "active", wsrep: status() },
    })) equal((await position({ ...answers, position: answer(`${uuid}:42`) })).asked, 0, what);
  });

  it("is waited for while the log is replayed", async () => {
    const { sight, waited, commands } = await lookLong({ ...crashed, replays: 400, position: answer(`${uuid}:42`) });
    deepEqual([sight.is === "down" && sight.data, waited], [{ is: "whole", uuid, seqno: 42, safeToBootstrap: false }, 400]);
    equal(commands.filter((command) => command.includes("systemd-run")).length, 1);
  });

  it("that is still not there after a quarter of an hour fails the look", async () => {
    await rejects(lookLong({ ...crashed, replays: Infinity }), { name: "TimedOut", message: /waited 900 s for MariaDB to tell its position; last seen: it replays its log/ });
  });

  describe("on a guest", () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), "position-"));
      writeFileSync(join(folder, "options"), "");
      program("systemctl", "exit 3");
      // Its own options go; what is left is the command, which is waited for.
      program("systemd-run", 'while [ "${1#--}" != "$1" ]; do shift; done; "$@"');
    });
    afterEach(() => rmSync(folder, { recursive: true }));
    const program = (name: string, text: string) => writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    const says = (text: string, code = 0) => program("mariadbd", `echo "$@" >>${folder}/asked; echo "${text}"; exit ${code}`);
    const asked = () => readFileSync(join(folder, "asked"), "utf8").trim().split("\n").length;
    const shell = (command: string) => execa.sync("/bin/bash", ["--norc", "-euo", "pipefail", "-c",
      command.replaceAll("/run/datastores", `${folder}/run`).replaceAll(optionsFile, `${folder}/options`)],
    { env: { PATH: `${folder}:${process.env.PATH}`, SHLVL: "2" }, reject: false }).stdout;
    const seqno = async () => (await position({ shell })).seqno;

    it("is asked for once, and again when its answer is gone, as after a start", async () => {
      says(answer(`${uuid}:42`).trim());
      deepEqual([await seqno(), await seqno(), asked()], [42, 42, 1]);
      says(answer(`${uuid}:43`).trim());
      rmSync(join(folder, "run/position"));
      deepEqual([await seqno(), asked()], [43, 2]);
    });

    it("that MariaDB could not tell is asked for again: what kept it from that may be mended", async () => {
      says("[ERROR] mariadbd: Disk is full", 1);
      equal(await seqno(), -1);
      says(answer(`${uuid}:42`).trim());
      equal(await seqno(), 42);
    });
  });
});
