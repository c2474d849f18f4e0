import { deepEqual, equal } from "node:assert/strict";
import { blank as newServer, kept, recall, underNew } from "../../../../provider/datastores/redis/memory";
import { plan } from "../../../../provider/datastores/redis/plan";
import type { Sight, Up } from "../../../../provider/datastores/redis/sight";
import { Refused } from "../../../../provider/errors";
import { describe as lines } from "../../../../provider/plan";
import type { State } from "../../../../provider/rest";
import type { Wanted } from "../../../../provider/topology";
import { goldens, pairs } from "../../../goldens";
import { under } from "../../cluster";
import { after, blank, named, running, silence, ups, type Seen } from "./model";

const folder = `${__dirname}/plans`;

/** `3x1`: so many shards, each with so many replicas. */
const size = (text: string): [shards: number, replicas: number] => {
  const [shards = 0, replicas = 0] = text.split("x").map(Number);
  return [shards, replicas];
};
const down = (data: boolean, more: object = {}): Sight => ({ is: "down", data, installed: true, mounted: true, configured: true, hasHadData: true, left: false, ...more });

/** What happens to members of a cluster that runs, one word each: `db-1-1=emptied`, or to all: `all=by:2+1`. */
function happened(seen: Seen, word: string): Seen {
  const [, name = "", what = ""] = /^(all|db-\d+-\d+)=(.+)$/.exec(word) ?? [];
  if (name === "all") return Object.keys(seen).reduce((now, each) => happened(now, `${each}=${what}`), seen);
  const next = structuredClone(seen);
  const sight = next[name];
  const failed = () => ups(next).forEach(([, view]) => { if (sight?.is === "up") view.failed = [...view.failed, sight.id]; });
  switch (what.split(":")[0]) {
    case "promoted": return after(next, { do: "promote", on: [name] }, []);
    case "blank": failed(); next[name] = structuredClone(blank); break;
    case "ready": next[name] = down(false, { hasHadData: false }); break;
    case "emptied": failed(); next[name] = down(false); break;
    case "data": next[name] = down(true); break;
    case "estranged": next[name] = down(true, { hasHadData: false, configured: false, estranged: true }); break;
    case "off": next[name] = down(true, { hasHadData: false }); break;
    case "starting": next[name] = { ...(down(true) as object), is: "starting" } as Sight; break;
    case "unreachable": next[name] = { is: "unreachable", why: "timed out" }; break;
    case "silent": return silence(next, [...Object.entries(next).filter(([, each]) => each.is === "silent").map(([each]) => each), name]);
    case "mute": next[name] = { ...(down(true) as object), is: "silent", why: "max number of clients reached" } as Sight; break;
    case "gone": failed(); next[name] = { is: "unreachable", why: "timed out" }; break;
    case "foreign": next[name] = { is: "foreign", why: "it holds ext4" }; break;
    case "alone": next[name] = { ...(sight as object), is: "down", data: false, id: undefined } as Sight; return after(next, { do: "start", on: [name] }, []);
    case "old": (sight as Up).current = false; break;
    case "unconfigured": Object.assign(sight!, { configured: false }); break;
    case "by": Object.assign(sight!, { authorities: what.slice(3).split("+") }); break;
    case "unloaded": Object.assign(sight!, { unloaded: true }); break;
    case "unsecured": Object.assign(sight!, { secured: false }); break;
    case "held": return after(next, { do: "hold", on: [name] }, []);
    case "is": Object.assign(sight!, { version: what.slice(3), writtenBy: what.slice(3) }); break;
    case "was": Object.assign(sight!, { version: undefined, installed: false, mounted: false, configured: false, writtenBy: what.slice(4) }); break;
    case "unheld": Object.assign(sight!, { unheld: true }); break;
    case "new": Object.assign(sight!, { hasHadData: false }); break;
    case "strange": (sight as Up).knows.push("somebody"); break;
    case "opens": {
      const [, slot, to = ""] = what.split(":");
      const [giver, taker] = [sight as Up, next[to] as Up];
      giver.open.push({ slot: Number(slot), peer: to, way: "out" });
      taker.open.push({ slot: Number(slot), peer: name, way: "in" });
      break;
    }
    case "holds": {
      const [, keys, most] = what.split(":").map(Number);
      (sight as Up).memory = { keys: keys! * 2 ** 20, used: (keys! + 2) * 2 ** 20, most: most! * 2 ** 20 };
      break;
    }
    case "unlinked": (sight as Up).linked = false; break;
    case "noslots": (sight as Up).slots = ""; break;
    default: throw new Error(`nothing like ${word} happens`);
  }
  return next;
}

/** The lines of a plan, or why there is none. */
function answer(want: Wanted, seen: Seen): string[] {
  try {
    return lines(plan(want, seen));
  } catch (error) {
    if (error instanceof Refused) return [error.message];
    throw error;
  }
}

describe("redis plan, by example", () => {
  goldens(folder, ({ want = [], seen = [], then = [], forget, replace, resize, rebuild, authorities, state, abreast, version }) => {
    const members = named(...size(want[0]!));
    const there = seen[0] === "nothing" ? {} : running(...size(seen[0]!));
    const now = then.reduce(happened, { ...Object.fromEntries(members.map((name) => [name, structuredClone(blank)])), ...there } as Seen);
    return answer({ members, forget, replace, due: { resize: pairs(resize), rebuild: pairs(rebuild) }, authorities, version: version?.[0], ...(state && { state: state[0] as State }), maxUnavailable: Number(abreast?.[0] ?? 1) }, under(version?.[0], now));
  });
});

describe("redis: what a preview remembers", () => {
  it("of a cluster of which nothing is known is that it is well: there is nothing to do", () => {
    const members = named(4, 2);
    deepEqual(answer({ members }, recall(members, {})), []);
  });

  it("of one that was seen is what was seen, though a member is seen no more, and one that was starting is well", () => {
    const members = named(3, 1);
    const seen = running(3, 1, () => 1);
    deepEqual(recall(members, seen), seen);
    equal((recall(members, { ...seen, "db-2-2": { ...(seen["db-2-2"] as Up), is: "starting" } as unknown as Sight })["db-2-2"] as Up).is, "up");
  });

  it("of members that come is nothing: they are new", () => {
    const members = named(4, 1);
    const now = { ...recall(named(3, 1), running(3, 1)), ...Object.fromEntries(["db-4-1", "db-4-2"].map((name) => [name, newServer])) };
    deepEqual(answer({ members }, now).slice(0, 3), ["install db-4-1 db-4-2", "mount db-4-1 db-4-2", "configure db-4-1 db-4-2"]);
  });

  it("of a look in the middle of a failover is that it has ended, whoever took over", () => {
    const members = named(3, 1);
    const [before, later] = [running(3, 1), running(3, 1, (shard) => (shard === 1 ? 1 : 0))];
    const mixed = { ...before, "db-1-1": later["db-1-1"]! };
    equal(answer({ members }, mixed)[0]!.split(":")[1]!.split(".")[0], " nothing is changed in the middle of a failover");
    deepEqual(answer({ members }, recall(members, mixed)), []);
  });

  it("is nothing that changes by itself", () => {
    const seen = running(3, 1);
    (seen["db-1-1"] as Up).offset = 7;
    deepEqual(kept(seen), running(3, 1));
  });

  it("of a server that is made again is its volume: who it was lies there", () => {
    const seen = running(3, 1);
    deepEqual(underNew(seen["db-1-1"]!), { is: "down", data: true, installed: false, mounted: false, configured: false, hasHadData: true, left: false });
    deepEqual(underNew({ is: "unreachable", why: "x" }), newServer);
  });
});
