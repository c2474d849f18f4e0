import type { Sight } from "../../../../provider/datastores/galera/plan";
import type { Step } from "../../../../provider/plan";

export type Seen = Record<string, Sight>;

const prepared = { installed: true, mounted: true, configured: true, hasHadData: true };
const flags: Record<string, object> = {
  new: { hasHadData: false },
  uninstalled: { installed: false },
  unmounted: { mounted: false },
  unconfigured: { configured: false },
  unsecured: { secured: false },
  safe: { safeToBootstrap: true },
};

/**
 * One sight in a word: `blank`, `whole@A:95`, `synced@A/3,unsecured`. The letter names a history, the number after
 * the colon a position in it, that after the slash a size of the cluster; `,flags` say what is not as usual.
 */
export function sight(text: string, members: number): Sight {
  const [head = "", ...rest] = text.split(",");
  const [, kind = "", uuid = "A", seqno = "1", size = String(members)] = /^(\w+)(?:@(\w))?(?::(-?\d+))?(?:\/(\d+))?$/.exec(head) ?? [];
  const up = (state: string, primary = true) => ({ is: "up", primary, state, size: Number(size), uuid, secured: true, ...prepared });
  const down = (data: object, extra: object = {}) => ({ is: "down", data, ...prepared, ...extra });
  const data = (is: string) => ({ is, uuid, seqno: Number(seqno), safeToBootstrap: false });
  const kinds: Record<string, object> = {
    unreachable: { is: "unreachable", why: "timed out" },
    foreign: { is: "foreign", why: "it holds ext4" },
    starting: { is: "starting", ...prepared },
    blank: down({ is: "none" }, { installed: false, mounted: false, configured: false, hasHadData: false }),
    ready: down({ is: "none" }, { hasHadData: false }),
    emptied: down({ is: "none" }),
    whole: down(data("whole")),
    partial: down(data("partial")),
    synced: up("Synced"),
    donor: up("Donor/Desynced"),
    joining: up("Joining: receiving State Transfer"),
    split: up("Initialized", false),
  };
  if (!kinds[kind]) throw new Error(`no such sight: ${text}`);
  const seen = Object.assign({}, kinds[kind], ...rest.map((flag) => flags[flag] ?? {})) as Sight;
  if (rest.includes("safe") && seen.is === "down" && seen.data.is !== "none") seen.data = { ...seen.data, safeToBootstrap: true };
  return seen;
}

/** The same sight of each of `members`. */
export const all = (members: string[], text: string): Seen => Object.fromEntries(members.map((name) => [name, sight(text, members.length)]));

/** What the guests show once `step` is done on `on`: all of its members, or those that it reached before a cut. */
export function after(seen: Seen, step: Step, on: string[] = step.on): Seen {
  const next = structuredClone(seen);
  const change = (change: object) => on.forEach((name) => Object.assign(next[name]!, change));
  const start = (name: string, secured: boolean) => {
    const { installed, mounted, configured, hasHadData } = next[name] as Sight & typeof prepared;
    next[name] = { is: "up", primary: true, state: "Synced", size: 0, uuid: "A", secured, installed, mounted, configured, hasHadData };
    const up = Object.values(next).filter((each) => each.is === "up");
    up.forEach((each) => Object.assign(each, { size: up.length, state: "Synced" }));
  };
  switch (step.do) {
    case "install": change({ installed: true }); break;
    case "mount": change({ mounted: true }); break;
    case "configure": change({ configured: true }); break;
    case "bootstrap": on.forEach((name) => start(name, false)); break;
    case "join": on.forEach((name) => start(name, true)); break;
    case "secure": Object.values(next).forEach((each) => each.is === "up" && (each.secured = true)); break;
    case "verify": change({ hasHadData: true }); break;
    default: throw new Error(`the model knows no step ${step.do}`);
  }
  return next;
}

/** What the guests may show when `step` is cut on its first member, beside doing nothing and being done. */
export function during(seen: Seen, step: Step): Seen[] {
  const [name] = step.on as [string];
  const base = { ...prepared, hasHadData: false };
  const shows = (...changes: Seen[]) => changes.map((change) => ({ ...structuredClone(seen), ...change }));
  const down = (data: object) => ({ is: "down", data, ...base }) as Sight;
  const members = Object.values(seen).filter((each) => each.is === "up").length;
  const others = (state: string) => Object.fromEntries(Object.entries(seen)
    .filter(([, each]) => each.is === "up").map(([other, each]) => [other, { ...each, state, size: members + 1 } as Sight]));
  switch (step.do) {
    case "bootstrap": return shows({ [name]: down({ is: "whole", uuid: "A", seqno: -1, safeToBootstrap: true }) });
    case "join": return shows(
      { [name]: down({ is: "partial", uuid: "unknown", seqno: -1, safeToBootstrap: false }) },
      { [name]: down({ is: "whole", uuid: "A", seqno: 7, safeToBootstrap: false }) },
      { [name]: { is: "starting", ...base } },
      { ...donorOf(others("Synced")), [name]: { is: "starting", ...base } },
    );
    default: return [];
  }
}

/** A state transfer takes one donor, which is not Synced for as long. */
function donorOf(up: Seen): Seen {
  const [name, donor] = Object.entries(up)[0]!;
  return { ...up, [name]: { ...donor, state: "Donor/Desynced" } as Sight };
}
