import { createHash } from "node:crypto";
import { optionsText, sha256 } from "../../../../provider/datastores/galera/configuration";
import { observe } from "../../../../provider/datastores/galera/observe";
import type { Guest } from "../../../../provider/guest/guest";
import { fast } from "../../clock";
import { cluster, member } from "../../cluster";

export const self = member("db-2");
export const marker = (more: object = {}) => JSON.stringify({ project: "shop", stack: "test", cluster: "db", member: "db-2", hasHadData: false, left: false, ...more });
export const volume = (more: object = {}) => `TYPE=xfs\nUUID=c0ffee\nmounted=yes\nfiles=2\nmarker=${marker(more)}\n---\n`;
export const grastate = (uuid: string, seqno = -1, safe = 0) => `tablespace=yes\nuuid=${uuid}\nseqno=${seqno}\nsafe_to_bootstrap=${safe}\n`;
export const uuid = "6a1f6d3e-0b1c-11f0-9d2a-2f5d7c2b9a10";
export const nil = "00000000-0000-0000-0000-000000000000";

const sha1 = (data: string | Buffer) => createHash("sha1").update(data).digest();
/** How MariaDB 10.11 keeps that a user logs in with a password. */
export const way = (password: string) => ({ plugin: "mysql_native_password", authentication_string: `*${sha1(sha1(password)).toString("hex").toUpperCase()}` });

/** What a guest answers, which may change with the seconds that pass; what is left out is as on one that runs well. */
export interface Answers {
  unit?: string | ((seconds: number) => string); wsrep?: string | ((seconds: number) => string); transfer?: boolean; job?: string;
  disk?: string; files?: string; login?: string; priv?: string; position?: string; replays?: number;
  /** Runs what asks for the position, in place of the canned answer. */
  shell?: (command: string) => string;
  version?: string; unheld?: string; missing?: string; guarded?: boolean; sum?: string; authority?: string; options?: { version?: string };
  passwords?: [string, ...string[]];
  glance?: boolean;
}

export function look({
  unit = "inactive", job = "", wsrep = "", transfer = false, disk = volume(), files = "", login = "1", priv = JSON.stringify(way("not-a-secret")), position = "", replays = 0, shell,
  version = "1:10.11.6-0+deb12u1", missing = "", unheld = "", guarded = true, sum, authority, options = {}, passwords = ["not-a-secret"], glance,
}: Answers) {
  const began = Date.now();
  const seconds = () => (Date.now() - began) / 1000;
  const now = (answer: string | ((seconds: number) => string)) => (typeof answer === "string" ? answer : answer(seconds()));
  const changes: string[] = [];
  const commands: string[] = [];
  const guest: Guest = {
    name: "db-2", say: () => undefined,
    run: async (command) => { changes.push(command); return ""; },
    write: async (path) => { changes.push(path); return true; },
    look: async (command) => {
      commands.push(command);
      if (shell && /datastores[-/]position/.test(command)) return shell(command);
      if (command.includes("systemd-run")) return "";
      if (command.includes("is-active datastores-position")) return seconds() < replays ? "activating\n" : "inactive\n";
      if (command.includes("cat /run/datastores/position")) return position;
      if (command.includes("-p ActiveState -p Job")) return `ActiveState=${now(unit)}\nJob=${job}\n`;
      if (command.includes("SHOW GLOBAL STATUS")) return now(wsrep);
      if (command.includes("blkid")) return disk + files;
      if (command.includes("sst_in_progress")) return transfer ? "yes\n" : "";
      if (command.startsWith("for name in")) return missing;
      if (command.includes("dpkg-query")) return `version=${version}\nunheld=${unheld}\n${guarded ? "guarded=yes\n" : ""}options=${sum ?? sha256(optionsText(want.want, self, { certificate: authority ?? want.authority.certificate }))}\n`;
      if (command.includes("SELECT 1") && command.includes("wsrep_dirty_reads") && command.includes("FROM mysql.global_priv")) return `${priv}\n---\n${login}\n`;
      throw new Error(`nobody asks ${command}`);
    },
  };
  const want = cluster(["db-1", "db-2", "db-3"], options, async () => guest);
  return observe({ ...want, passwords, glance }, self).then((sight) => ({ sight, changes, commands, waited: Math.round(seconds()) }));
}

/** The same, however long it waits. */
export const lookLong = (answers: Answers) => fast(() => look(answers));
export const prepared = { version: "10.11", installed: true, mounted: true, configured: true, hasHadData: false, left: false };
export const status = (more: Record<string, string | number> = {}) => Object.entries({
  cluster_conf_id: 3, cluster_size: 3, cluster_state_uuid: uuid, cluster_status: "Primary", local_state_comment: "Synced", ready: "ON", last_committed: 41, replicated_bytes: 7, ...more,
}).map(([key, value]) => `wsrep_${key}\t${value}`).join("\n");
