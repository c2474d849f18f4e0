import { deepEqual, notDeepEqual, ok, throws } from "node:assert/strict";
import { galera } from "../../../../provider/datastores/galera";
import { kept, recall, underNew } from "../../../../provider/datastores/galera/memory";
import { plan } from "../../../../provider/datastores/galera/plan";
import { Refused } from "../../../../provider/errors";
import { describe as lines } from "../../../../provider/plan";
import type { State } from "../../../../provider/rest";
import type { Wanted } from "../../../../provider/topology";
import { answersIn, goldens, pairs } from "../../../goldens";
import { under } from "../../cluster";
import { all, named, sight, type Seen } from "./model";

const folder = `${__dirname}/plans`;

/** The words of `seen:` are of db-1, db-2, … in turn, or of the member that one names: `db-7=synced`. Who is seen and not wanted leaves. */
const sights = (words: string[]): Seen => Object.fromEntries(words.map((word, index) => {
  const [, name = `db-${index + 1}`, text = ""] = /^(?:(db-\d+)=)?(.+)$/.exec(word) ?? [];
  return [name, sight(text, words.length)];
}));

/** The lines of a plan, or why there is none. */
function answer(want: Wanted, seen: Seen): string[] {
  try {
    return lines(plan(want, seen));
  } catch (error) {
    if (error instanceof Refused) return [error.message];
    throw error;
  }
}

describe("galera plan", () => {
  goldens(folder, ({ want = [], seen = [], forget, replace, resize, rebuild, authorities, recovery, state, abreast, version }) =>
    answer({ members: want, forget, replace, due: { resize: pairs(resize), rebuild: pairs(rebuild) }, authorities, version: version?.[0], ...(recovery && { recovery: { from: recovery[0]!, evidence: recovery[1]! } }), ...(state && { state: state[0] as State }), maxUnavailable: Number(abreast?.[0] ?? 1) }, under(version?.[0], sights(seen))));

  it("every step occurs in a golden", () => {
    const shown = new Set(answersIn(folder).map((line) => line.split(" ")[0]));
    deepEqual(Object.keys(galera.steps).filter((step) => !shown.has(step)), []);
  });

  it("what a preview takes for a new server is what the planner knows as such", () => {
    deepEqual(lines(plan({ members: ["db-1"] }, { "db-1": galera.blank })).slice(0, 4), ["install db-1", "mount db-1", "configure db-1", "bootstrap db-1"]);
    deepEqual(galera.blank, sight("blank", 1));
  });

  it("a cluster that is down is never left at that, though the position of one that is to leave is unknown", () => {
    for (const lacks of ["uninstalled", "unmounted", "unconfigured"])
      notDeepEqual(answer({ members: named(3) }, { ...all(named(3), "whole:95"), "db-4": sight(`whole:-1,${lacks}`, 4) }), [], lacks);
  });

  it("a member that is to leave is prepared only where the cluster starts from it", () => {
    const beside = (leaver: string) => answer({ members: named(3) }, { ...all(named(3), "whole:81"), "db-4": sight(leaver, 4) });
    ok(beside("whole:95,uninstalled").includes("install db-4"));
    ok(!beside("whole:80,uninstalled").includes("install db-4"));
  });

  it("a member that nobody looked at is no reason to act", () => {
    const seen = all(named(3), "synced");
    delete seen["db-2"];
    throws(() => plan({ members: named(3) }, seen), { name: "Refused", message: /db-2 cannot be seen \(not looked at\)/ });
  });
});

describe("galera: a server that is made again over its volume", () => {
  const made = (word: string) => underNew(sight(word, 3));

  it("holds what its member held, unprepared, and where that ran its position is unknown", () => {
    deepEqual(made("whole@B:95,left"), sight("whole@B:95,left,uninstalled,unmounted,unconfigured", 3));
    deepEqual(made("synced@B"), sight("whole@B:-1,uninstalled,unmounted,unconfigured", 3));
    deepEqual(made("ready"), galera.blank);
    deepEqual(made("foreign"), sight("foreign", 3));
  });

  it("is as new where nobody knows what its member held", () => {
    for (const word of ["starting", "unreachable", "split@0"]) deepEqual(made(word), galera.blank, word);
  });
});

describe("galera recall", () => {
  const recalled = (...words: (string | undefined)[]) =>
    recall(named(words.length), Object.fromEntries(words.map((word, index) => [`db-${index + 1}`, word ? sight(word, words.length) : undefined])));
  const well = (seen: Seen) => plan({ members: Object.keys(seen) }, seen).length === 0;

  it("of members of whom nothing is known is a well cluster of them", () => {
    for (const count of [1, 3, 5]) ok(well(recall(named(count), {})));
  });

  it("takes those who were up, starting, or receiving for well, and for one cluster", () => ok(well(recalled("synced@B/2", "starting", "joining@B/1", "joining@A/9", undefined))));

  it("keeps what does not pass by itself: who is down, and whose volume is somebody else's", () => {
    const seen = recalled("synced@B/2", "whole@B:95", "foreign", "blank", "whole@B:95,left");
    deepEqual([seen["db-2"], seen["db-3"], seen["db-4"], seen["db-5"]], ["whole@B:95", "foreign", "blank", "whole@B:95,left"].map((word) => sight(word, 5)));
    deepEqual(lines(plan({ members: ["db-1", "db-2"] }, recalled("synced@B/2", "whole@B:95"))), ["join db-2", "verify db-1 db-2"]);
  });

  it("keeps what a well member lacks", () => {
    deepEqual(lines(plan({ members: named(2) }, recalled("synced,unconfigured", "synced"))), ["configure db-1", "verify db-1 db-2"]);
    deepEqual(lines(plan({ members: named(2) }, recalled("synced,new", "synced"))), ["verify db-1 db-2"]);
  });

  it("takes a member that never could be seen for new, or for one that has still to leave", () => {
    for (const words of [["synced", "unreachable", "synced"], ["blank", "unreachable", "ready"]]) deepEqual(recalled(...words)["db-2"], galera.blank);
    ok(well(recall(named(2), { "db-1": sight("synced", 2), "db-2": sight("unreachable", 2) }, ["db-2"])));
  });

  it("counts only those who are up", () => {
    const seen = recalled("synced/3", "synced/3", "whole:95");
    deepEqual([seen["db-1"], seen["db-2"]].map((each) => each?.is === "up" && each.size), [2, 2]);
  });

  it("keeps that the cluster has members who are not known", () => {
    throws(() => plan({ members: named(3) }, recalled("synced/5", "synced/5", "synced/5")), /a cluster has no members but those that are known.*a run that was killed may have let others in/);
  });

  it("keeps that a member outside holds newer data than the cluster, and only then how far that has come", () => {
    const remembered = (...words: string[]) => {
      const seen = kept(Object.fromEntries(words.map((word, index) => [`db-${index + 1}`, sight(word, words.length)])));
      return recall(Object.keys(seen), seen);
    };
    for (const inside of ["synced:90/1", "donor:90/1"])
      throws(() => plan({ members: named(3) }, remembered("whole:95", inside, "whole:95")), /a cluster that runs on older data takes nobody in who holds newer/, inside);
    const seen = remembered("synced:95/2", "synced:95/2", "whole:90");
    deepEqual(lines(plan({ members: named(3) }, seen)), ["join db-3", "verify db-1 db-2 db-3"]);
    ok(seen["db-1"]!.is === "up" && !("committed" in seen["db-1"]!));
  });

  it("is of the names asked for", () => deepEqual(Object.keys(recall(named(2), all(named(3), "synced"))), named(2)));
});
