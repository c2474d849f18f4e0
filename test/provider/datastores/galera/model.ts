import type { Data, Prepared, Sight } from "../../../../provider/datastores/galera/sight";
import type { Step } from "../../../../provider/plan";

export type Seen = Record<string, Sight>;

const prepared: Prepared = { installed: true, mounted: true, configured: true, hasHadData: true, left: false };
const flags: Record<string, object> = {
  new: { hasHadData: false },
  uninstalled: { installed: false },
  unmounted: { mounted: false },
  unconfigured: { configured: false },
  unsecured: { secured: false },
  safe: { safeToBootstrap: true },
  left: { left: true },
  held: { held: true },
  old: { current: false },
  writer: { written: 100 },
  unloaded: { unloaded: true },
  remembers: { remembers: true },
  unheld: { unheld: true },
};
/** What `,is=10.11` says of a member's version, `,data=10.11` of one whose server was made again, `,has=11.8` of what is installed, and `,tables=10.11` of its system tables. */
const versions: Record<string, (version: string) => object> = {
  is: (version) => ({ version, writtenBy: version, tables: version }),
  data: (version) => ({ writtenBy: version, tables: version }),
  has: (version) => ({ version }),
  tables: (tables) => ({ tables }),
};

/**
 * One sight in a word: `blank`, `whole@A:95`, `synced@A/3,unsecured`. The letter names a history, the number after
 * the colon a position in it, that after the slash a size of the cluster; `,flags` say what is not as usual, `,by=2+1` whose certificates it has, `,over=db-1=B:95` over what it was chosen.
 */
export function sight(text: string, members: number): Sight {
  const [head = "", ...rest] = text.split(",");
  const [, kind = "", uuid = "A", seqno, size = String(members)] = /^(\w+)(?:@(\w))?(?::(-?\d+))?(?:\/(\d+))?$/.exec(head) ?? [];
  const up = (state: string, primary = true) => ({ is: "up", primary, state, size: Number(size), uuid, secured: true, current: true, ...(seqno === undefined ? {} : { committed: Number(seqno) }), ...prepared });
  const down = (data: object, extra: object = {}) => ({ is: "down", data, ...prepared, ...extra });
  // Of torn data InnoDB tells history and position, or nobody does; of partial ones mostly nobody.
  const nobodyTells = seqno === "-1" && (kind === "torn" || !head.includes("@"));
  const data = (is: string) => ({ is, uuid: is !== "whole" && nobodyTells ? "00000000-0000-0000-0000-000000000000" : uuid, seqno: Number(seqno ?? 1), safeToBootstrap: false });
  const kinds: Record<string, object> = {
    unreachable: { is: "unreachable", why: "timed out" },
    foreign: { is: "foreign", why: "it holds ext4" },
    starting: { is: "starting", ...prepared },
    silent: { is: "silent", why: "Too many connections", ...prepared },
    blank: down({ is: "none" }, { installed: false, mounted: false, configured: false, hasHadData: false }),
    ready: down({ is: "none" }, { hasHadData: false }),
    emptied: down({ is: "none" }),
    whole: down(data("whole")),
    torn: down(data("torn")),
    partial: down(data("partial")),
    synced: up("Synced"),
    donor: up("Donor/Desynced"),
    joining: up("Joining: receiving State Transfer"),
    split: up("Initialized", false),
  };
  if (!kinds[kind]) throw new Error(`no such sight: ${text}`);
  const over = rest.flatMap((flag) => (flag.startsWith("over=") ? [flag.split("=").slice(1)] : []));
  const [by] = rest.flatMap((flag) => (flag.startsWith("by=") ? [flag.slice(3).replaceAll("_", " ").split("+")] : []));
  const seen = Object.assign({}, kinds[kind], ...rest.map((flag) => flags[flag] ?? {}), over.length > 0 ? { chosenOver: Object.fromEntries(over) } : {}, by && { authorities: by }) as Sight;
  for (const flag of rest) {
    const [, what = "", version = ""] = /^(is|data|has|tables)=(.+)$/.exec(flag) ?? [];
    Object.assign(seen, versions[what]?.(version));
  }
  if (seen.is === "down" && seen.data.is !== "none")
    Object.assign(seen.data, rest.includes("safe") ? { safeToBootstrap: true } : {}, rest.includes("unasked") ? { asked: false } : {});
  return seen;
}

/** The names of `count` members. */
export const named = (count: number): string[] => Array.from({ length: count }, (_, index) => `db-${index + 1}`);

/** The same sight of each of `members`. */
export const all = (members: string[], text: string): Seen => Object.fromEntries(members.map((name) => [name, sight(text, members.length)]));

/** What the guests show once `step` is done on `on`: all of its members, or those that it reached before a cut. */
export function after(seen: Seen, step: Step, on: string[] = step.on): Seen {
  const next = structuredClone(seen);
  const change = (change: object) => on.forEach((name) => Object.assign(next[name]!, change));
  switch (step.do) {
    case "install": on.forEach((name) => install(next[name] as Prepared, step.words)); break;
    case "upgrade": on.forEach((name) => Object.assign(next[name]!, { tables: (next[name] as Prepared).version })); break;
    case "mount": change({ mounted: true }); break;
    // With which options a silent server runs is seen to be as before, until it is started anew.
    case "configure": on.forEach((name) => next[name]!.is !== "silent" && Object.assign(next[name]!, { configured: true })); break;
    case "bootstrap": case "recover": on.forEach((name) => {
      if (step.what !== undefined) decide(next, name, JSON.parse(step.what) as Record<string, string>);
      start(next, name, step.do === "recover");
    }); break;
    case "join": on.forEach((name) => start(next, name, true)); break;
    case "secure": Object.values(next).forEach((each) => each.is === "up" && (each.secured = true)); break;
    case "clean": change({ data: { is: "none" }, hasHadData: false, left: false, chosenOver: undefined }); break;
    case "rebuild": on.forEach((name) => stop(next, name)); change({ installed: false, mounted: false, configured: false });
      on.forEach((name) => newDisk(next[name] as Prepared)); break;
    case "resize": return step.what === "idle" ? next : after(seen, { ...step, do: "restart" }, on);
    // One that was to answer nobody and does is configured.
    case "restart": on.filter((name) => step.what !== "silent" || seen[name]!.is === "silent").forEach((name) => { stop(next, name); start(next, name, true); });
      change({ configured: true }); break;
    case "leave": on.forEach((name) => stop(next, name)); change({ left: true, chosenOver: undefined }); break;
    case "stop": on.forEach((name) => stop(next, name)); break;
    case "hold": on.forEach((name) => stop(next, name)); change({ held: true }); break;
    case "verify": change({ hasHadData: true, left: false, chosenOver: undefined }); on.forEach((name) => delete (next[name] as Prepared).held); agree(next); break;
    default: throw new Error(`the model knows no step ${step.do}`);
  }
  for (const each of Object.values(next)) if ("chosenOver" in each && each.chosenOver === undefined) delete each.chosenOver;
  return next;
}

/** What the guests may show when `step` is cut on its first member, beside doing nothing and being done. */
export function during(seen: Seen, step: Step): Seen[] {
  const [name] = step.on as [string];
  const self = seen[name]!;
  const shows = (...changes: Seen[]) => changes.map((change) => ({ ...structuredClone(seen), ...structuredClone(change) }));
  const down = (data: Data): Seen => ({ [name]: { ...preparedOf(self), left: false, is: "down", data } });
  switch (step.do) {
    case "bootstrap": case "recover": {
      const over = JSON.parse(step.what ?? "{}") as Record<string, string>;
      // Killed: what it has committed is told by its data all the same.
      const begun = self.is === "down" && ["whole", "torn"].includes(self.data.is) ? [{ ...self.data, is: "whole", safeToBootstrap: true } as Data]
        : step.do === "bootstrap" ? [{ is: "whole", uuid: "A", seqno: -1, safeToBootstrap: true } as Data] : [];
      if (step.what === undefined) return shows(...begun.map(down));
      const [marked, decided] = [structuredClone(seen), structuredClone(seen)];
      for (const other of Object.keys(over).slice(0, 1)) Object.assign(marked[other]!, { left: true });
      decide(decided, name, over);
      return [marked, decided, ...begun.map((data) => ({ ...decided, [name]: { ...decided[name], data } as Sight }))];
    }
    // The marker goes before the data: an empty volume never says that it had some.
    case "clean": return shows({ [name]: { ...self, hasHadData: false } as Sight }, { [name]: { ...self, hasHadData: false, data: { is: "none" } } as Sight });
    case "restart": case "resize": case "rebuild": case "leave": {
      if (step.what === "idle") return [];
      const stopped = structuredClone(seen);
      stop(stopped, name);
      return [stopped];
    }
    case "join": {
      const starting: Seen = { [name]: { ...preparedOf(self), left: false, is: "starting" } };
      return shows(
        { [name]: { ...self, left: false } as Sight },
        down({ is: "partial", uuid: "unknown", seqno: -1, safeToBootstrap: false }),
        down({ is: "whole", uuid: historyOf(seen), seqno: 7, safeToBootstrap: false }),
        starting,
        { ...withDonor(seen), ...starting },
      );
    }
    // Marked first, then stopped.
    case "hold": return shows({ [name]: { ...self, held: true } as Sight });
    default: return [];
  }
}

/** The version that is wanted, where that is another; else the one that was there. */
function install(self: Prepared, words: string | undefined): void {
  const version = / to (\S+)$/.exec(words ?? "")?.[1] ?? self.version ?? self.writtenBy;
  Object.assign(self, { installed: true, ...(version && { version }) });
  delete self.unheld;
}

/** What is not on the volume is gone. */
function newDisk(self: Prepared): void {
  if (self.version !== undefined) self.writtenBy ??= self.version;
  delete self.authorities;
  delete self.version;
  delete self.unheld;
}

/** Writes down what the cluster goes on without. */
function decide(seen: Seen, name: string, chosenOver: Record<string, string>): void {
  for (const other of Object.keys(chosenOver)) if ((seen[other] as Prepared).mounted) Object.assign(seen[other]!, { left: true });
  Object.assign(seen[name]!, { left: false, chosenOver });
}

/** Starts a member in the cluster that runs; without one, from its own data or as a new cluster. */
function start(seen: Seen, name: string, secured: boolean): void {
  const uuid = historyOf(seen, name);
  const had = seen[name]!;
  const { version } = had as Prepared;
  // Data of its own keep their system tables; what it is given has the giver's.
  const given = had.is === "down" && (had.data.is === "none" || had.data.is === "partial") && version !== undefined;
  seen[name] = { ...preparedOf(had), ...(version && { writtenBy: version }), ...(given && { tables: version }), left: false, is: "up", primary: true, state: "Synced", size: 0, uuid, secured, current: true };
  agree(seen);
}

/** Stops a member gracefully: the others, who have received all that it has committed, shrink their cluster, and who is the last of it knows that. One that was still starting has but a part of the data. */
function stop(seen: Seen, name: string): void {
  agree(seen);
  const self = seen[name]!;
  if (self.is === "down") return;
  const data: Data = self.is === "silent" ? { is: "whole", uuid: historyOf(seen), seqno: 9, safeToBootstrap: false } : self.is === "up" ? { is: "whole", uuid: self.uuid, seqno: self.committed ?? 9, safeToBootstrap: self.primary && inPrimary(seen).length === 1 } : { is: "partial", uuid: "unknown", seqno: -1, safeToBootstrap: false };
  seen[name] = { ...preparedOf(self), is: "down", data, ...("held" in self && { held: true }) };
  agree(seen);
}

const inPrimary = (seen: Seen) => Object.entries(seen).flatMap(([name, each]) => (each.is === "up" && each.primary ? [[name, each] as const] : []));

/** Who answers nobody takes part all the same. */
function agree(seen: Seen): void {
  const members = inPrimary(seen);
  const silent = Object.values(seen).filter(({ is }) => is === "silent").length;
  const last = Math.max(...members.map(([, { committed = -1 }]) => committed));
  for (const [, each] of members) Object.assign(each, { size: members.length + silent, state: "Synced", ...(last < 0 ? {} : { committed: last }) });
}

function historyOf(seen: Seen, seed?: string): string {
  const own = seed && seen[seed];
  return inPrimary(seen)[0]?.[1].uuid ?? (own && own.is === "down" && ["whole", "torn"].includes(own.data.is) ? (own.data as { uuid: string }).uuid : "A");
}

/** A state transfer takes one donor, which is not Synced for as long, and the one that joins counts already. */
function withDonor(seen: Seen): Seen {
  const members = inPrimary(seen);
  return Object.fromEntries(members.map(([name, each], index) => [name, { ...each, size: members.length + 1, state: index === 0 ? "Donor/Desynced" : "Synced" }]));
}

const preparedOf = (sight: Sight): Prepared => {
  const { installed, mounted, configured, hasHadData, left, chosenOver, version, writtenBy, tables, unheld } = { ...prepared, ...sight } as Prepared;
  return { installed, mounted, configured, hasHadData, left, ...(chosenOver && { chosenOver }), ...(version && { version }), ...(writtenBy && { writtenBy }), ...(tables && { tables }), ...(unheld && { unheld }) };
};
