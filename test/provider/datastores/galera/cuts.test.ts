import { deepEqual, equal } from "node:assert/strict";
import { galera } from "../../../../provider/datastores/galera";
import { plan } from "../../../../provider/datastores/galera/plan";
import { cuts as cutsOf } from "./cuts";
import { after, all, named, sight, type Seen } from "./model";

/** What is wanted of what is seen; `was` are the members before, for a wish that is taken back halfway. */
interface Operation { members: string[]; start: Seen; was?: string[] }

/** A cluster that is well but for its options, which the new wish changes. */
const renewed = (members: string[]) => all(members, "synced,unconfigured");
const blank = (...members: string[]) => all(members, "blank");
const of = (words: string[]): Seen => Object.fromEntries(words.map((word, index) => [`db-${index + 1}`, sight(word, words.length)]));

const operations: Record<string, Operation> = {
  "a create of 1": { members: named(1), start: blank(...named(1)) },
  "a create of 3": { members: named(3), start: blank(...named(3)) },
  "a create of 5": { members: named(5), start: blank(...named(5)) },
  "a grow from 1 to 3": { members: named(3), start: { ...renewed(named(1)), ...blank("db-2", "db-3") }, was: named(1) },
  "a grow from 3 to 5": { members: named(5), start: { ...renewed(named(3)), ...blank("db-4", "db-5") }, was: named(3) },
  "a shrink from 3 to 1": { members: named(1), start: renewed(named(3)), was: named(3) },
  "a shrink from 5 to 3": { members: named(3), start: renewed(named(5)), was: named(5) },
  "a shrink without one in the middle": { members: ["db-1", "db-3", "db-4"], start: renewed(named(4)), was: named(4) },
  "one member for another": { members: ["db-2"], start: { ...renewed(["db-1"]), ...blank("db-2") }, was: ["db-1"] },
  "settings for 3 that need a restart": { members: named(3), start: all(named(3), "synced,unconfigured,old"), was: named(3) },
  "settings for 1 that need a restart": { members: named(1), start: all(named(1), "synced,unconfigured,old"), was: named(1) },
  "a grow from 3 to 5 with such settings": { members: named(5), start: { ...all(named(3), "synced,unconfigured,old"), ...blank("db-4", "db-5") }, was: named(3) },
  "a shrink from 5 to 3 with such settings": { members: named(3), start: all(named(5), "synced,unconfigured,old"), was: named(5) },
  "settings taken back that silenced one": { members: named(3), start: of(["synced/3,unconfigured", "silent,unconfigured", "synced/3,unconfigured"]) },
  "settings taken back that silenced one of two": { members: named(2), start: of(["synced/2,unconfigured", "silent,unconfigured"]) },
  "a server made again": { members: named(3), start: { ...all(named(3), "synced/2"), ...blank("db-2") } },
  "a server made again with its volume kept": { members: named(3), start: of(["synced/2", "whole:5,uninstalled,unmounted,unconfigured", "synced/2"]) },
  "a recovery of 3": { members: named(3), start: of(["whole:81", "whole:95", "whole:95"]) },
  "a recovery of 3 from one that leaves": { members: named(3), start: of(["whole:81", "whole:81", "partial:-1", "whole:95,unmounted"]) },
  "a grow taken back in the middle": { members: named(3), start: of(["synced/4,unconfigured", "synced/4,unconfigured", "synced/4,unconfigured", "synced/4,new", "starting,new"]) },
  "a shrink taken back in the middle": { members: named(5), start: of(["synced/3,unconfigured", "synced/3,unconfigured", "synced/3,unconfigured", "whole:9", "whole:9,left,unconfigured"]) },
  "a shrink taken back after the cluster was made anew": { members: named(3), start: of(["synced@A/1", "whole@B:9,left", "whole@B:9,left"]) },
};

describe("galera plan, cut", () => {
  for (const [name, { members, start, was }] of Object.entries(operations)) {
    it(`reaches the same end from wherever ${name} was cut`, () => {
      for (const [cut, halfway] of cuts(members, start)) reaches(members, halfway, cut);
    });

    if (was) it(`ends as before when ${name} is cut and taken back`, () => {
      for (const [cut, halfway] of cuts(members, start)) reaches(was, outdated(halfway), cut);
    });
  }

  it("reaches the same end within its plans from wherever settings taken back that silenced all were cut", () => {
    for (const count of [1, 3]) for (const [cut, halfway] of cuts(named(count), all(named(count), "silent,unconfigured"))) {
      let seen = halfway;
      for (let round = 1; round <= 3; round++) seen = plan({ members: named(count) }, seen).reduce((now, step) => after(now, step), seen);
      deepEqual([seen, plan({ members: named(count) }, seen)], [all(named(count), "synced"), []], cut);
    }
  });

  for (const name of ["a create of 3", "a grow from 3 to 5", "a shrink from 5 to 3"]) {
    const { members, start, was } = operations[name]!;
    it(`reaches the same end when ${name} is cut, and its second run is cut too`, () => {
      for (const [first, halfway] of cuts(members, start))
        for (const [second, later] of cuts(members, halfway)) reaches(members, later, `${first}; ${second}`);
    });

    if (was) it(`reaches the same end when ${name} is cut, taken back, cut, and wanted again`, () => {
      for (const [first, halfway] of cuts(members, start))
        for (const [second, later] of cuts(was, outdated(halfway))) reaches(members, outdated(later), `${first}; taken back: ${second}`);
    });
  }
});

const cuts = (members: string[], start: Seen) => cutsOf({ members }, start);

/** From `seen` one plan leads to a well cluster of `members` and of nobody else, after which there is nothing to do. */
function reaches(members: string[], seen: Seen, cut: string): void {
  const end = plan({ members }, seen).reduce((now, step) => after(now, step), seen);
  deepEqual(Object.fromEntries(members.map((name) => [name, end[name]])), all(members, "synced"), cut);
  for (const [name, each] of Object.entries(end)) if (!members.includes(name)) equal(isGone(each), true, `${name} after ${cut}`);
  deepEqual(plan({ members }, end), [], cut);
}

const isGone = (each: Seen[string]) => each.is === "down" && (each.data.is === "none" || each.left);

/** The same guests once something else is wanted of them. */
const outdated = (seen: Seen): Seen => Object.fromEntries(Object.entries(seen).map(([name, each]) => [name, galera.outdated(each, { members: true })]));
