import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { Guest } from "../../guest/guest";
import { assignments } from "../../guest/shell";
import { dataPath } from "./configuration";
import { cnf } from "../../template";
import type { Cluster } from "../datastore";

type Passwords = Cluster<unknown>["passwords"];

/** What a member itself says of the cluster. */
export interface Wsrep {
  cluster_status: string;
  cluster_size: string;
  cluster_state_uuid: string;
  cluster_conf_id: string;
  local_state_comment: string;
  ready: string;
  /** Position of the last write that this member has done. */
  last_committed: string;
  /** Bytes that this member's own clients had replicated since it started. */
  replicated_bytes: string;
  /** Bytes that it received from others since then. */
  received_bytes: string;
  /** Position of the oldest write that this member could still give to one that missed it. */
  local_cached_downto: string;
}

/** Root's client, which a limit that is set for all statements does not bind: else it could not be taken back. */
export const client = "mariadb --batch --skip-column-names --init-command='SET SESSION max_statement_time = 0'";

/** Runs statements as root through the local socket, where no password is needed. */
export const execute = (guest: Guest, statements: string): Promise<string> =>
  guest.run(`${client} --connect-timeout=5`, statements);

/** The same, as a person reads what they answer. */
export const command = async (_: Cluster<unknown>, guest: Guest, words: string[]): Promise<string> =>
  (await guest.run("mariadb --table --connect-timeout=5", words.join(" "))).trimEnd();

/** The rows of what changes nothing, their columns between tabs. */
export const query = (guest: Guest, statements: string): Promise<string> =>
  guest.look(`${client} --connect-timeout=5`, statements);

/** The member's own view, or why its server does not tell it. */
export async function ask(guest: Guest): Promise<{ view?: Wsrep; why: string }> {
  const rows = await guest.look(
    `${client} --connect-timeout=2 -e "SHOW GLOBAL STATUS LIKE 'wsrep_%'" 2>&1 || true`);
  return viewIn(rows);
}

/** The view in what a server said, and in its own words why there is none. */
export function viewIn<View extends Wsrep>(rows: string): { view?: View; why: string } {
  const status = Object.fromEntries(rows.split("\n").map((row) => row.replace(/^wsrep_/, "").split("\t")));
  return status.cluster_status === undefined ? { why: rows.trim() || "it says nothing" } : { view: status as unknown as View, why: "" };
}

/** The member's own view; undefined while its server does not answer. */
export const wsrep = async (guest: Guest): Promise<Wsrep | undefined> => (await ask(guest)).view;

/** What systemd says of the server: `activating` also for as long as a state transfer takes, and while its start waits for its turn. */
export const unitState = async (guest: Guest): Promise<string> => {
  const { ActiveState = "unknown", Job } = assignments(await guest.look("systemctl show -p ActiveState -p Job mariadb"));
  return ActiveState === "inactive" && Job ? "activating" : ActiveState;
};

/** Whether it has ever been ready since it was last begun to be started. */
export async function hasStarted(guest: Guest): Promise<boolean> {
  const { ActiveEnterTimestampMonotonic: ready = 0, InactiveExitTimestampMonotonic: begun = 0 } = assignments(await guest.look("systemctl show -p ActiveEnterTimestampMonotonic -p InactiveExitTimestampMonotonic mariadb"));
  return Number(ready) > Number(begun);
}

export const isDown = (state: string): boolean => ["inactive", "failed", "unknown"].includes(state);

/** Whether a state transfer is under way, which may take hours and has found the cluster already. */
export const receives = async (guest: Guest): Promise<boolean> => (await guest.look(`[ ! -e ${dataPath}/sst_in_progress ] || echo yes`)) !== "";

/** Each way to log in that the server keeps of a user. Where there are several, an empty one stands for the user's own; it stays when the others are gone. */
export function keptIn(priv: string): string[] {
  if (priv.trim() === "") return [];
  const { auth_or: others = [], ...own } = JSON.parse(priv) as Way & { auth_or?: Partial<Way>[] };
  return [own, ...others].flatMap(({ plugin, authentication_string: hash }) => (plugin === undefined ? [] : [plugin === "mysql_native_password" ? String(hash) : plugin]));
}

interface Way {
  plugin?: string;
  authentication_string?: string;
}

/** Whether the administrator can log in over TLS with the present password, as the outputs promise, tried; and with these and no others, as the server keeps them. One outside of the cluster reads its own tables only so. */
export async function isSecured(guest: Guest, passwords: Passwords): Promise<boolean> {
  const login = `[client]\nuser=root\npassword=${cnf(passwords[0])}\nhost=127.0.0.1\nssl-ca=/etc/mysql/datastore/ca.pem\nconnect-timeout=5\n`;
  const answer = await guest.look(`${client} --connect-timeout=5 --raw -e "SET SESSION wsrep_dirty_reads = ON; SELECT Priv FROM mysql.global_priv WHERE User = 'root' AND Host = '%'" 2>/dev/null </dev/null || true
echo ---
mariadb --defaults-file=/dev/stdin --ssl-verify-server-cert --batch --skip-column-names -e 'SELECT 1' 2>/dev/null || true`, login);
  const [priv = "", loggedIn = ""] = answer.split("---\n");
  return loggedIn.trim() === "1" && isDeepStrictEqual(keptIn(priv).sort(), passwords.map(kept).sort());
}

/** What MariaDB keeps of a password: replicated statements lie on disks, and this one does not tell it. */
function kept(password: string): string {
  const sha1 = (data: string | Buffer) => createHash("sha1").update(data).digest();
  return `*${sha1(sha1(password)).toString("hex").toUpperCase()}`;
}

/**
 * The administrator for clients, over TLS only; root on the guest itself keeps its socket.
 * `mysql` is the account of state transfers: it is who it is by its operating-system user, so no password lies on a disk.
 * One statement makes the administrator, and is all of a change: between two it would be nobody, or have no privileges, and replication is cut between statements.
 */
export const administrators = (passwords: Passwords): string => `
GRANT ALL PRIVILEGES ON *.* TO root@'%' IDENTIFIED VIA ${passwords.map((password) => `mysql_native_password USING '${kept(password)}'`).join(" OR ")} REQUIRE SSL WITH GRANT OPTION;
CREATE USER IF NOT EXISTS mysql@localhost IDENTIFIED VIA unix_socket;
GRANT RELOAD, PROCESS, LOCK TABLES, BINLOG MONITOR, REPLICA MONITOR ON *.* TO mysql@localhost;
`;
