import { CommandFailed } from "../../../../provider/errors";
import type { Guest } from "../../../../provider/guest/guest";
import { cluster } from "../../cluster";

/** `busy` is how many bytes come in between two looks. */
export interface View { state: string; size: number; conf?: number; primary?: boolean; written?: number; cached?: number; busy?: number }
interface Mark { hasHadData: boolean; left: boolean; chosenOver?: Record<string, string>; held?: true }

export const synced = (size: number, more: Partial<View> = {}): View => ({ state: "Synced", size, ...more });
/** Members that run as one cluster. */
export const running = (...names: string[]): Record<string, View> => Object.fromEntries(names.map((name) => [name, synced(names.length)]));

/**
 * Guests whose servers answer with one view each, for as long as they are asked; one that is stopped leaves the others' views: at once, or
 * after the seconds that `stops` says. A forgetful one says how it is, and then does not answer.
 */
export function guests(views: Record<string, View | undefined>, { stops = 0, started = true, unit = "ActiveState=active\nResult=success\nNRestarts=0", leaving = [] as string[], marks = {} as Record<string, Mark>, disk = "", files = "", df = "", unreadable = false, deaf = false, bare = false, mute = [] as string[], forgetful = [] as string[], versions = {} as Record<string, string>, version = undefined as string | undefined, tables = undefined as string | undefined, offered = undefined as string | undefined } = {}) {
  /** What was done on each guest, in order. */
  const ran: string[] = [];
  /** Who was asked for its view after each of these. */
  const asked: string[][] = [[]];
  const note = (what: string) => { ran.push(what); asked.push([]); };
  /** When the server of each has stopped. */
  const until: Record<string, number> = {};
  const stop = (name: string) => {
    until[name] ??= Date.now() + stops * 1000;
    if (views[name] && views[name].primary !== false) for (const view of Object.values(views)) if (view) view.size -= 1;
    views[name] = undefined;
  };
  const guest = (name: string): Guest => ({
    name, say: (line) => note(`${name} says ${line}`),
    look: async (command, stdin = "") => {
      const view = views[name];
      if (command.includes("echo held")) return marks[name]?.held ? "held\n" : "";
      if (command.includes("blkid")) return disk || `TYPE=xfs\nUUID=c0ffee\nmounted=yes\nfiles=2\nmarker=${JSON.stringify({ project: "shop", stack: "test", cluster: "db", member: name, hasHadData: false, left: false, ...marks[name] })}\n---\n${files}`;
      if (command.includes("-p ActiveState -p Job")) return `ActiveState=${view || (mute.includes(name) && !(name in until)) ? "active" : Date.now() < (until[name] ?? 0) ? "deactivating" : "inactive"}\nJob=\n`;
      if (command.includes("ActiveEnterTimestampMonotonic")) return `InactiveExitTimestampMonotonic=3148709\nActiveEnterTimestampMonotonic=${started ? 51750741 : 0}\n`;
      if (command.includes("systemctl show")) return unit;
      if (command.includes("sst_in_progress")) return "";
      if (command.startsWith("for name in")) return bare && at("--unit=datastores-install") < 0 ? "mariadb-server\n" : "";
      if (command.startsWith("dpkg-query") && versions[name]) return `1:${versions[name]}.6-0+deb12u1\n`;
      if (stdin.includes("'wsrep_provider_options'") && (!view || forgetful.includes(name))) throw new CommandFailed(name, command, 1, "ERROR 1040 (HY000): Too many connections\n");
      if (stdin.includes("'wsrep_provider_options'")) return `wsrep_provider_options\tgcache.dir = /var/lib/datastore/mysql/; gcache.recover = yes; gcache.size = 128M\n`;
      if (command.includes("pgrep")) return "";
      if (command.includes("mariadb_upgrade_info") && !command.includes("blkid")) return `${(at("mariadb-upgrade --skip-write-binlog") < 0 ? tables : offered ?? tables) ?? ""}\n`;
      if (command.includes("df ")) return df;
      if (command.includes("/ibdata1 ] || echo yes")) return "yes\n";
      if (command.includes("datastores-position")) { if (command.includes("systemd-run")) note(`${name} tells its position`); return ""; }
      if (command.includes("echo unreadable")) return unreadable ? "unreadable\n" : "";
      if (command.includes("journalctl")) return "not started: /var/lib/datastore is not the data volume\n";
      if (command.includes("openssl s_client")) return "Verification: OK\n";
      asked.at(-1)!.push(name);
      return !view ? "" : [["cluster_status", view.primary === false ? "non-Primary" : "Primary"], ["local_state_comment", view.state], ["cluster_size", view.size],
        ["cluster_state_uuid", "A"], ["cluster_conf_id", view.conf ?? 7], ["ready", "ON"], ["last_committed", 50], ["replicated_bytes", view.written ?? 0], ["received_bytes", view.busy ? asked.flat().length * view.busy : 0], ["local_cached_downto", view.cached ?? 1]].map(([key, value]) => `wsrep_${key}\t${value}`).join("\n");
    },
    run: async (command) => {
      note(`${name} runs ${command}`);
      if (command.includes("systemctl stop")) stop(name);
      if (command.includes("systemctl kill")) until[name] = 0;
      if (deaf && command.startsWith("mariadb")) throw new Error("ERROR 1040 (HY000): Too many connections");
      return command.includes("echo moved") ? "moved\n" : "";
    },
    write: async (path, content) => {
      if (!path.endsWith("/.datastore.json")) note(`${name} writes ${path}`);
      if (!path.endsWith("/.datastore.json")) return true;
      const { hasHadData, left, chosenOver, held } = JSON.parse(content) as Mark;
      if (held || marks[name]?.held) marks[name] = { hasHadData, left, ...(held && { held }) };
      note(`${name} marked ${JSON.stringify({ hasHadData, left, chosenOver, held })}`);
      return true;
    },
  });
  const members = ["db-1", "db-2", "db-3"].filter((name) => !leaving.includes(name));
  const at = (what: string) => ran.findIndex((line) => line.includes(what));
  return { three: cluster(members, { configuration: {}, version }, async (name) => guest(name), leaving), ran, asked, at };
}
