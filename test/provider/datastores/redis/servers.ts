import type { Answer, Command, Redis } from "../../../../provider/datastores/redis/client";
import { header, optionsText, sha256, users, withoutClient } from "../../../../provider/datastores/redis/configuration";
import type { OnItsWay } from "../../../../provider/datastores/redis/nodes";
import { shardOf } from "../../../../provider/datastores/redis/sight";
import { count, evenly, joined, written, type Slots } from "../../../../provider/datastores/redis/slots";
import { CommandFailed } from "../../../../provider/errors";
import { letStart } from "../../../../provider/guest/guard";
import type { Guest } from "../../../../provider/guest/guest";
import { cluster, member } from "../../cluster";
import { without } from "./model";

/** The hashes of the passwords that these rules let a user in with, after those that it had (Redis: ACL SETUSER). */
function letIn(rules: string[], had: string[] = []): string[] {
  return rules.reduce((hashes, rule) => {
    if (rule === "reset" || rule === "resetpass") return [];
    if (/^#[0-9a-f]{64}$/.test(rule)) return [...new Set([...hashes, rule.slice(1)])];
    if (!/^(on|[~&+-].*)$/.test(rule)) throw new Error(`nobody is let in by ${rule}`);
    return hashes;
  }, had);
}

const usersOf = (file: string): Record<string, string[]> =>
  Object.fromEntries([...file.matchAll(/^user (\S+) (.*)$/gm)].map(([, name = "", rules = ""]) => [name, letIn(rules.split(" "))]));

const settingsOf = (file: string): Record<string, string> => Object.fromEntries([...file.matchAll(/^([a-z-]+) "(.*)"$/gm)].map(([, key = "", value = ""]) => [key, value]));

/** What a server believes of a node. */
interface Node { of?: string; slots: Slots; epoch: number }

export interface Server {
  name: string;
  address: string;
  id: string;
  /** Whom it knows, itself among them, by id. */
  view: Map<string, Node>;
  /** Whom it was told to forget: it hears of them from nobody, until they are met again. */
  forgotten: Set<string>;
  open: OnItsWay[];
  keys: number;
  /** The hashes of the passwords with which each user is let in. */
  users: Record<string, string[]>;
  /** What it runs with, of its options file and of what it was told since. */
  settings: Record<string, string>;
  /** Its options file. */
  file: string;
  /** Its other files, by their paths. */
  files: Map<string, string>;
  /** So many times it still answers its administrator, until it is started anew. */
  answers: number;
  /** How often it was started anew. */
  invocations: number;
  /** How often it was asked whom it knows. */
  told: number;
  mark: { hasHadData: boolean; left: boolean; held?: true };
  /** It has written what it has in memory, as it was asked to. */
  saved: boolean;
  /** It has a snapshot on its disk. */
  snapshot: boolean;
  /** Since when it is down. */
  down?: number;
  enabled: boolean;
  /** Who is in its cluster it saves in a directory that a power cut leaves whole. */
  writesThrough: boolean;
  /** When it answers, after its last start. */
  starts: number;
  /** Until when it reads its data, and answers little else than that. */
  reads: number;
  /** When it last began to follow somebody. */
  followed: number;
  /** Seconds until it has the data of whom it follows. */
  syncs: number;
  /** It does not hear what others say. */
  deaf: boolean;
  /** It cannot write to its disk. */
  full: boolean;
  failsOver: boolean;
  /** The major version that is installed. */
  version: string;
  /** So many of its failovers come to nothing. */
  fruitless: number;
}

export const idOf = (name: string): string => name.replace(/\D/g, "").padStart(40, "0");
const addressOf = (name: string): string => name.replace(/^.*-(\d+)-(\d+)$/, "198.18.$1.$2");
/** How long others have no link to one that is silent before one of them says so, and before most agree. */
const [nodeTimeout, agreement] = [15_000, 1000];
const startTakes = 1000;

/**
 * Guests with a server of Redis Cluster each. Those in `inCluster` are one cluster, in which the first of each shard owns its slots and the others
 * follow it; those `alone` know nobody. `strangers` are in the cluster and no members. They gossip when one is asked, at most once a second.
 */
export function guests(inCluster: string[], { alone = [] as string[], leaving = [] as string[], strangers = [] as string[], vendor = "redis" as Redis["want"]["options"]["vendor"], persistence = "every-second" as Redis["want"]["options"]["persistence"], authority = { certificate: "", key: "of the authority" } as Redis["authority"] } = {}) {
  const passwords: Redis["passwords"] = ["not-a-secret"];
  const file = `masteruser "replica"\n${Object.entries(users(passwords, authority)).map(([name, rules]) => `user ${name} ${rules}\n`).join("")}maxmemory "0"\n`;
  const all = [...inCluster, ...alone].map((name): Server => ({
    name, address: addressOf(name), id: idOf(name), view: new Map([[idOf(name), { slots: [], epoch: 0 }]]), forgotten: new Set(), open: [], keys: 0, users: usersOf(file), settings: settingsOf(file), file, files: new Map(), answers: Infinity, invocations: 0, told: 0,
    mark: { hasHadData: inCluster.includes(name), left: false }, saved: false, snapshot: inCluster.includes(name), enabled: true, writesThrough: inCluster.includes(name), starts: -Infinity, reads: -Infinity, followed: -Infinity, syncs: 3, deaf: false, full: false, failsOver: false, version: "7.0", fruitless: 0,
  }));
  const servers = Object.fromEntries(all.map((server) => [server.name, server]));
  const at = (id: string): Server => all.find((server) => server.id === id)!;
  const own = (self: Server): Node => self.view.get(self.id)!;
  const runs = (self: Server): boolean => self.down === undefined && Date.now() >= self.starts;
  const isLinked = (self: Server): boolean => {
    const { of } = own(self);
    return of !== undefined && runs(self) && runs(at(of)) && Date.now() >= Math.max(self.followed, self.starts, at(of).starts) + self.syncs * 1000;
  };

  const shards = [...new Set(inCluster.filter((name) => !strangers.includes(name)).map(shardOf))];
  const headOf = (shard: number): string => inCluster.find((name) => shardOf(name) === shard)!;
  const formed = inCluster.map((name): [string, Node] => {
    const head = headOf(shardOf(name));
    const shard = shards.indexOf(shardOf(name));
    return [idOf(name), { ...(name !== head && { of: idOf(head) }), slots: name === head && shard >= 0 ? evenly(shards.length)[shard]! : [], epoch: shard + 1 }];
  });
  for (const name of inCluster) servers[name]!.view = new Map(structuredClone(formed));

  const meetings: [Server, Server][] = [];
  const know = (self: Server, id: string): void => {
    if (!self.view.has(id) && !self.forgotten.has(id)) self.view.set(id, { slots: [], epoch: 0 });
  };
  const follow = (self: Server, of: string): void => {
    Object.assign(own(self), { of, slots: [] });
    Object.assign(self, { followed: Date.now(), open: [] });
  };
  const takeOver = (self: Server): void => {
    const old = self.view.get(own(self).of!)!;
    self.view.set(self.id, { slots: old.slots, epoch: Math.max(...all.map((each) => own(each).epoch)) + 1 });
    Object.assign(old, { slots: [] });
    self.failsOver = false;
  };
  /** Whoever says with the greater epoch that it owns a slot is believed (Redis: Cluster specification, Hash slots configuration propagation). */
  const hear = (self: Server, other: Server): void => {
    for (const id of other.view.keys()) know(self, id);
    const said = own(other);
    const primary = own(self).of ?? self.id;
    const had = self.view.get(primary)?.slots ?? [];
    let { slots } = said;
    for (const [id, node] of self.view) {
      if (id === other.id) continue;
      if (node.epoch < said.epoch) node.slots = without(node.slots, said.slots);
      else slots = without(slots, node.slots);
    }
    // What a primary does not claim any more stays its own in the eyes of others until somebody else does.
    const kept = said.of === undefined ? without(self.view.get(other.id)!.slots, joined(...[...self.view].filter(([id]) => id !== other.id).map(([, node]) => node.slots))) : [];
    self.view.set(other.id, { ...said, slots: joined(slots, kept) });
    const others = self.view.get(primary);
    if (other.id !== primary && count(had) > 0 && count(others!.slots) === 0 && written(said.slots) === written(had)) follow(self, other.id);
    else if (primary !== self.id && others?.of !== undefined && others.of !== self.id) follow(self, others.of);
  };
  /** All that is said on the cluster's bus in a second. */
  const gossip = (): void => {
    for (const pair of meetings.splice(0).filter((both) => both.every(runs)))
      pair.forEach((self, index) => {
        const { id } = pair[1 - index]!;
        self.forgotten.delete(id);
        know(self, id);
      });
    for (const self of all.filter((each) => runs(each) && each.failsOver && isLinked(each))) takeOver(self);
    for (const self of all.filter((each) => runs(each) && !each.deaf))
      for (const other of all.filter((each) => each !== self && runs(each) && self.view.has(each.id))) hear(self, other);
  };
  let heard = Date.now();
  const catchUp = (): void => {
    if (Date.now() - heard < 1000) return;
    heard = Date.now();
    gossip();
  };

  const health = (other: Server): string[] => {
    const silent = other.down === undefined ? 0 : Date.now() - other.down;
    return silent < nodeTimeout ? [] : [silent < nodeTimeout + agreement ? "fail?" : "fail"];
  };
  /** While it tries to reach one that is gone, it has a link to it for a moment. */
  const hasLink = (self: Server, id: string): boolean => runs(at(id)) || self.told % 3 === 1;
  const nodes = (self: Server): string => [
    ...[...self.view].map(([id, { of, slots, epoch }]) => [id, `${at(id).address}:6379@16379`, [...(id === self.id ? ["myself"] : []), of === undefined ? "master" : "slave", ...health(at(id))].join(","),
      of ?? "-", 0, 0, epoch, hasLink(self, id) ? "connected" : "disconnected", ...(count(slots) > 0 ? [written(slots)] : []),
      ...(id === self.id ? self.open : []).map(({ slot, peer, way }) => `[${slot}-${way === "out" ? ">" : "<"}-${peer}]`)]),
    // Its own id is known only once it has answered.
    ...meetings.filter((pair) => pair.includes(self)).map((pair) => ["f".repeat(40), `${pair.find((each) => each !== self)!.address}:6379@16379`, "handshake", "-", 0, 0, 0, "disconnected"]),
  ].map((line) => `${line.join(" ")}\n`).join("");

  const lines = (pairs: Record<string, string | number>): string => Object.entries(pairs).map(([key, value]) => `${key}:${value}\r\n`).join("");
  const clusterInfo = (self: Server): string => {
    const owners = [...self.view].filter(([, { slots }]) => count(slots) > 0);
    const well = owners.filter(([id]) => health(at(id)).length === 0);
    const slotsOf = (those: typeof owners) => those.reduce((sum, [, { slots }]) => sum + count(slots), 0);
    // Slots that nobody owns are no matter: cluster-require-full-coverage is off.
    return lines({ cluster_state: well.length * 2 > owners.length ? "ok" : "fail", cluster_slots_assigned: slotsOf(owners), cluster_slots_ok: slotsOf(well), cluster_known_nodes: self.view.size, cluster_size: owners.length,
      cluster_current_epoch: Math.max(...[...self.view.values()].map(({ epoch }) => epoch)), cluster_my_epoch: own(self).epoch });
  };
  const replication = (self: Server): string => {
    const { of } = own(self);
    const replicas = all.filter((each) => runs(each) && own(each).of === self.id);
    return lines({
      role: of === undefined ? "master" : "slave",
      ...(of !== undefined && { master_host: at(of).address, master_port: 6379, master_link_status: isLinked(self) ? "up" : "down", master_sync_in_progress: isLinked(self) ? 0 : 1, slave_read_repl_offset: 900, slave_repl_offset: 900 }),
      connected_slaves: replicas.length,
      ...Object.fromEntries(replicas.map((each, index) => [`slave${index}`, `ip=${each.address},port=6379,state=${isLinked(each) ? "online" : "wait_bgsave"},offset=900,lag=0`])),
      master_repl_offset: 900,
    });
  };

  const questions: Record<string, (self: Server) => Answer> = {
    "CLUSTER MYID": ({ id }) => id,
    "CLUSTER NODES": (self) => {
      self.told += 1;
      return nodes(self);
    },
    "CLUSTER INFO": clusterInfo,
    "INFO replication": replication,
    "INFO persistence": ({ full }) => lines({ loading: 0, async_loading: 0, aof_enabled: 1, aof_last_write_status: "ok", rdb_bgsave_in_progress: 0, rdb_last_bgsave_status: full ? "err" : "ok" }),
    "INFO memory": () => lines({ used_memory: 2e6, used_memory_dataset: 1e6, total_system_memory: 1e9, maxmemory: 0 }),
    DBSIZE: ({ keys }) => keys,
    "ACL GETUSER": ({ users }) => ["flags", ["on", "sanitize-payload"], "passwords", users.default!, "commands", "+@all", "keys", "~*", "channels", "&*", "selectors", []],
  };
  const error = (words: string): Answer => ({ error: `ERR ${words}` });
  const changes: Record<string, (self: Server, ...words: string[]) => Answer> = {
    "ACL SETUSER": (self, name = "", ...rules) => {
      self.users[name] = letIn(rules, self.users[name]);
      return "OK";
    },
    "CLUSTER MEET": (self, host, port, bus = "16379") => {
      const other = all.find(({ address }) => address === host);
      if (!other || port !== "6379" || bus !== "16379") throw new Error(`nobody is at ${host}:${port}@${bus}`);
      meetings.push([self, other]);
      return "OK";
    },
    "CLUSTER SET-CONFIG-EPOCH": (self, epoch) => {
      if (self.view.size > 1) return error("The user can assign a config epoch only when the node does not know any other node.");
      if (own(self).epoch > 0) return error("Node config epoch is already non-zero");
      own(self).epoch = Number(epoch);
      return "OK";
    },
    "CLUSTER ADDSLOTSRANGE": (self, ...ends) => {
      if (ends.length % 2 === 1) return error("wrong number of arguments for 'cluster|addslotsrange' command");
      const slots = joined(ends.flatMap((first, index) => (index % 2 === 0 ? [[Number(first), Number(ends[index + 1])] as const] : [])));
      if ([...self.view.values()].some((node) => count(without(slots, node.slots)) < count(slots))) return error("Slot is already busy");
      own(self).slots = joined(own(self).slots, slots);
      return "OK";
    },
    "CLUSTER REPLICATE": (self, id = "") => {
      const other = self.view.get(id);
      if (!other) return error(`Unknown node ${id}`);
      if (id === self.id) return error("Can't replicate myself");
      if (other.of !== undefined) return error("I can only replicate a master, not a replica.");
      const { of, slots } = own(self);
      if (of === undefined && (count(slots) > 0 || self.keys > 0)) return error("To set a master the node must be empty and without assigned slots.");
      follow(self, id);
      return "OK";
    },
    "CLUSTER FAILOVER": (self, ...how) => {
      if (how.length > 0) throw new Error(`a failover that loses nothing is not ${how.join(" ")}`);
      const { of } = own(self);
      if (of === undefined) return error("You should send CLUSTER FAILOVER to a replica");
      if (health(at(of)).length > 0) return error("Master is down or failed, please use CLUSTER FAILOVER FORCE");
      if (self.fruitless-- <= 0) self.failsOver = true;
      return "OK";
    },
    "SHUTDOWN SAVE": (self) => {
      if (self.full) return error("Errors trying to SHUTDOWN. Check logs.");
      Object.assign(self, { saved: true, down: Date.now() });
      return "OK";
    },
    "BGSAVE SCHEDULE": (self) => {
      self.snapshot = !self.full;
      return "Background saving started";
    },
    "CONFIG SET": (self, ...words) => {
      if (words.length % 2 === 1) return error("wrong number of arguments for 'config|set' command");
      const settings = Object.fromEntries(words.flatMap((key, index) => (index % 2 === 0 ? [[key, words[index + 1]!] as const] : [])));
      if ((settings["cluster-replica-no-failover"] ?? "yes") !== "yes") throw new Error(`nobody sets ${words.join(" ")}`);
      Object.assign(self.settings, settings);
      return "OK";
    },
    "CLUSTER FORGET": (self, id = "") => {
      if (!self.view.has(id)) return error(`Unknown node ${id}`);
      if (id === self.id) return error("I tried hard but I can't forget myself...");
      if (id === own(self).of) return error("Can't forget my master!");
      self.view.delete(id);
      self.forgotten.add(id);
      return "OK";
    },
    "CLUSTER SETSLOT": (self, slot, ...how) => {
      if (how.join(" ") !== "STABLE") throw new Error(`nobody sets slot ${slot} ${how.join(" ")}`);
      if (own(self).of !== undefined) return error("Please use SETSLOT only with masters.");
      // A replica of Valkey does what its primary was told, and is told nothing itself (valkey-io/valkey#1664).
      for (const each of [self, ...(vendor === "valkey" ? all.filter((other) => own(other).of === self.id && isLinked(other)) : [])]) each.open = each.open.filter((open) => open.slot !== Number(slot));
      return "OK";
    },
  };

  /** What was changed on each guest, in order. */
  const ran: string[] = [];
  /** What each server was asked. */
  const asked: string[] = [];
  /** A run ends after so many changes. */
  const cut = { after: Infinity };
  const note = (what: string): void => {
    if (ran.length >= cut.after) throw new Error("the run is cut");
    ran.push(what);
  };
  const answer = (self: Server, command: Command, mayChange: boolean): Answer => {
    const words = command.map(String);
    const what = words.slice(0, 2).join(" ");
    const said = `${self.name} ${words.join(" ")}`;
    if (Date.now() < self.reads && /^CLUSTER|^DBSIZE/.test(what)) return { error: "LOADING Redis is loading the dataset in memory" };
    if (questions[what] && (words.length <= 2 || words[2] === "default")) {
      asked.push(said);
      return questions[what](self);
    }
    if (!changes[what] || !mayChange) throw new Error(`nobody asks ${said}`);
    note(said);
    return changes[what](self, ...words.slice(2));
  };
  const told = (self: Server, command: string, stdin: string, mayChange: boolean): string => {
    catchUp();
    if (!runs(self)) throw new CommandFailed(self.name, command.slice(0, 10), 1, "[Errno 111] Connection refused");
    const { host, commands } = JSON.parse(stdin) as { host: string; commands: Command[] };
    if (host !== "127.0.0.1") throw new Error(`${self.name} is asked for ${host}`);
    if (self.answers-- <= 0) throw new CommandFailed(self.name, command.slice(0, 10), 1, "ERR max number of clients + cluster connections reached");
    const answers = JSON.stringify(commands.map((each) => answer(self, each, mayChange)));
    if (!runs(self)) throw new CommandFailed(self.name, command.slice(0, 10), 1, "127.0.0.1 ended the connection");
    return answers;
  };
  const units: Record<string, (self: Server) => void> = {
    start: (self) => {
      if (!self.writesThrough) throw new Error(`a power cut may leave ${self.name} a table of nodes with which it starts no more`);
      if (self.down !== undefined) Object.assign(self, { down: undefined, starts: Date.now() + startTakes, users: usersOf(self.file), settings: settingsOf(self.file), answers: Infinity, invocations: self.invocations + 1 });
    },
    stop: (self) => { self.down ??= Date.now(); },
    restart: (self) => { units.stop!(self); units.start!(self); },
    enable: (self) => { self.enabled = true; },
    disable: (self) => { self.enabled = false; },
  };

  const guest = (self: Server): Guest => ({
    name: self.name, say: () => undefined,
    look: async (command, stdin = "") => {
      if (command.startsWith("python3 -c")) return told(self, command, stdin, false);
      if (command.includes("echo held")) return self.mark.held ? "held\n" : "";
      if (command.includes("blkid")) return `TYPE=xfs\nUUID=c0ffee\nmounted=yes\nfiles=2\nmarker=${JSON.stringify({ project: "shop", stack: "test", cluster: "db", member: self.name, ...self.mark })}\n---\n`;
      if (/^systemctl show -p ActiveState (-p Result )?-p Job \w+-server$/.test(command)) return `ActiveState=${self.down !== undefined ? "inactive" : Date.now() < self.starts ? "activating" : "active"}\nResult=success\nJob=\n`;
      if (/^systemctl show --value -p InvocationID \w+-server$/.test(command)) return `${self.invocations}\n`;
      if (command === "[ ! -e /var/lib/datastore/redis/dump.rdb ] || echo yes") return self.snapshot ? "yes\n" : "";
      if (command.startsWith("for name in")) return "";
      if (command.startsWith("dpkg-query")) return `5:${self.version}.15-1~deb12u5\n`;
      if (command.includes("dpkg-query")) {
        const [client, others] = [/^user default .*\n/m.exec(self.file)![0], withoutClient(self.file)];
        return `version=5:7.0.15-1~deb12u5\nguarded=yes\noptions=${others === withoutClient(file) ? sha256(withoutClient(optionsText(redis.want, memberOf(self.name), passwords, authority))) : ""}\nclient=${sha256(client)}\n---\n${header(redis.want.options)}`;
      }
      if (command === "cat /etc/datastores/redis/server.conf") return self.file;
      const [, path] = /^cat (\S+) 2>\/dev\/null \|\| true$/.exec(command) ?? [];
      if (path !== undefined) return self.files.get(path) ?? "";
      const [, sum] = /^grep -c ([0-9a-f]{64}) \/etc\/datastores\/redis\/server\.conf /.exec(command) ?? [];
      if (sum !== undefined) return `${self.file.split(sum).length - 1}\n`;
      if (command.startsWith("timeout 10 openssl s_client ")) return "Verification: OK\n";
      if (command.startsWith("runuser -u redis -- timeout 10 /usr/bin/redis-server ")) return "";
      throw new Error(`nobody asks ${self.name} ${command}`);
    },
    run: async (command, stdin = "") => {
      if (command.startsWith("python3 -c")) return told(self, command, stdin, true);
      if (command.startsWith("mkdir -p /usr/local/lib/datastores") || command === "systemctl daemon-reload") return "";
      for (const line of command.replace(letStart, "").split(/[;\n]/).map((each) => each.trim()).filter(Boolean)) {
        if (line.startsWith("[ ! -e /var/lib/datastore/redis ] || mv -T ")) {
          note(`${self.name} sets its data aside`);
          self.writesThrough = false;
          continue;
        }
        if (line === "xfs_io -c \"chattr +s\" /var/lib/datastore/redis/cluster") self.writesThrough = true;
        if (/^(mkdir -p|chown redis:redis|chmod 700|rm -f) \/etc\/datastores\/redis/.test(line)) continue;
        if (line.startsWith("[ -d ") || line.startsWith("xfs_io ") || line === "sync -f /var/lib/datastore" || line.startsWith("systemctl reset-failed ")) continue;
        const [, act = ""] = /^systemctl (\w+)(?: --quiet| --no-block)* (\w+)-server$/.exec(line) ?? [];
        if (!units[act]) throw new Error(`nobody runs on ${self.name} ${line}`);
        note(`${self.name} systemctl ${act}`);
        units[act](self);
      }
      return "";
    },
    write: async (path, content) => {
      if (path === "/etc/datastores/redis/server.conf") {
        note(`${self.name} writes its options`);
        const wrote = content !== self.file;
        self.file = content;
        return wrote;
      }
      if (path === "/run/datastores/options" || path.startsWith("/etc/datastores/redis/")) {
        self.files.set(path, content);
        return true;
      }
      if (["/may-start", "/take", ".service.d/datastore.conf"].some((end) => path.endsWith(end))) return true;
      if (path !== "/var/lib/datastore/.datastore.json") throw new Error(`nobody writes ${path}`);
      const { hasHadData, left, held } = JSON.parse(content) as Server["mark"];
      note(`${self.name} marked ${JSON.stringify({ hasHadData, left, held })}`);
      self.mark = { hasHadData, left, ...(held && { held }) };
      return true;
    },
  });

  const memberOf = (name: string) => ({ ...member(name), address: addressOf(name) });
  const of = cluster([], {}, async (name) => guest(servers[name]!));
  const members = all.map(({ name }) => name).filter((name) => !leaving.includes(name) && !strangers.includes(name));
  const redis: Redis = {
    ...of, passwords, authority, leaving: leaving.map(memberOf),
    want: { ...of.want, members: members.map(memberOf), options: { vendor, persistence, configuration: {} } },
  };
  /** Who owns which slots, as one of them says. */
  const owners = (name: string): Record<string, string> =>
    Object.fromEntries([...servers[name]!.view].filter(([, { slots }]) => count(slots) > 0).map(([id, { slots }]) => [at(id).name, written(slots)]));
  /** It ends by itself, and systemd starts it again. */
  const crash = (name: string): void => units.restart!(servers[name]!);
  return { redis, servers, ran, asked, cut, memberOf, takeOver, owners, crash };
}
