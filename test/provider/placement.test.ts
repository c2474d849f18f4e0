import { deepEqual } from "node:assert/strict";
import { broken, placesOf, type Place } from "../../provider/placement";
import { member } from "./cluster";

const names = ["db-1", "db-2", "db-3"];
/** `a/az1` is on host a, in the zone az1. */
const at = (...words: (string | undefined)[]): Record<string, Place | undefined> => Object.fromEntries(names.map((name, index) => {
  const [host = "", zone] = words[index]?.split("/") ?? [];
  return [name, words[index] === undefined ? undefined : { host, zone }];
}));
const all = () => "all";

describe("where the servers are", () => {
  for (const [what, places, asked, ...warnings] of [
    ["on hosts of their own", at("a/az1", "b/az2", "c/az3"), { locality: "anti-affinity", availabilityZones: ["az1", "az2", "az3"] }],
    ["two on one host, though it was asked for others", at("a", "b", "a"), { locality: "soft-anti-affinity" }, "locality soft-anti-affinity: db-1, db-3 are on one host: it takes all of them along when it fails"],
    ["two on one host, where nothing was said, for that is the default", at("a", "a", "b"), {}, "locality soft-anti-affinity: db-1, db-2 are on one host: it takes all of them along when it fails"],
    ["on one host, as asked for", at("a", "a", "a"), { locality: "affinity" }],
    ["on two hosts, where one was asked for", at("a", "b", "a"), { locality: "soft-affinity" }, "locality soft-affinity: db-1, db-2, db-3 are on 2 hosts, not on one"],
    ["all in one zone, where they were to be dealt to two", at("a/az1", "b/az1", "c/az1"), { availabilityZones: ["az1", "az2"] }, "availabilityZones: db-1, db-2, db-3 are all in the zone az1"],
    ["all in the only zone", at("a/az1", "b/az1", "c/az1"), { availabilityZones: ["az1"] }],
    ["of some not known", at("a/az1", undefined, "a/az1"), { availabilityZones: ["az1", "az2"] }, "locality soft-anti-affinity: db-1, db-3 are on one host: it takes all of them along when it fails"],
    ["of none known", at(undefined, undefined, undefined), {}],
    ["not told by a server that has no host", at("", "", ""), {}],
  ] as [string, Record<string, Place>, object, ...string[]][]) it(what, () => deepEqual(broken(names, all, places, asked), warnings));

  it("counts for each group by itself", () => {
    deepEqual(broken(names, (name) => (name === "db-3" ? "2" : "1"), at("a", "b", "a"), {}), []);
  });

  it("is asked of each, and not known of who cannot be asked", async () => {
    deepEqual(await placesOf([member("db-1"), member("db-2")], async (server) => {
      if (server === "server-of-db-2") throw new Error("404");
      return { host: "a" };
    }), { "db-1": { host: "a" }, "db-2": undefined });
  });
});
