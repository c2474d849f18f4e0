import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { hops as ofGalera } from "../../provider/datastores/galera/hops";
import { options as optionsOfGalera } from "../../provider/datastores/galera/options";
import { hops as ofRedis } from "../../provider/datastores/redis/hops";
import { hopsOf, isOlder, withHops, type Hops, type Versioned } from "../../provider/hops";
import { nothingDue, type Due } from "../../provider/topology";

const all: Record<string, Hops> = { ...ofGalera, ...ofRedis };

describe("major versions", () => {
  it("are compared by number", () => deepEqual([isOlder("9.1", "10.11"), isOlder("10.11", "11.4"), isOlder("11.4", "11.8"), isOlder("11.8", "11.8"), isOlder("11.8", "10.11")], [true, true, true, false, false]));

  it("lead on to later ones alone, as a document says, and are what `version` can be", () => {
    for (const { document, to } of Object.values(all)) {
      ok(document.startsWith("https://"));
      for (const [from, others] of Object.entries(to)) for (const other of others) {
        ok(isOlder(from, other), `${from} to ${other}`);
        ok(optionsOfGalera.shape.version.safeParse(other).success, other);
      }
    }
  });
});

describe("what becomes of members' major version", () => {
  const hops: Hops = { document: "https://example.com", to: { "1.0": ["2.0"], "2.0": ["3.0"] } };
  const every: Due = { resize: {}, rebuild: { a: "next", b: "next" } };
  const planned = (wanted: string | undefined, a: Versioned, b: Versioned = a, due = every) => hopsOf(wanted, [["a", a], ["b", b]], due, hops);
  const is = (version: string): Versioned => ({ version, writtenBy: version });

  it("is nothing where it is as wanted, nothing is known, or nothing is wanted", () => {
    for (const [wanted, sight] of [["1.0", is("1.0")], ["1.0", {}], [undefined, {}], [undefined, is("1.0")]] as const) deepEqual(planned(wanted, sight), {});
  });

  it("is told of who is on the way, too: by whom its data were opened, whatever is installed", () => {
    deepEqual(planned("2.0", is("1.0")), { a: { from: "1.0", to: "2.0" }, b: { from: "1.0", to: "2.0" } });
    deepEqual(planned("2.0", { writtenBy: "1.0" }, is("2.0"), nothingDue), { a: { from: "1.0", to: "2.0" } });
    deepEqual(planned("2.0", { version: "2.0", writtenBy: "1.0" }, is("2.0"), nothingDue), { a: { from: "1.0", to: "2.0" } });
    deepEqual(planned("2.0", { version: "1.0" }, is("2.0")), { a: { from: "1.0", to: "2.0" } });
  });

  it("is taken back as long as the later version has opened no data", () => {
    deepEqual(planned("1.0", { version: "2.0", writtenBy: "1.0" }, is("1.0")), {});
    throws(() => planned("1.0", is("2.0"), is("1.0")), { name: "Refused", message: /data that a later version has opened are opened by no older one\. Seen: a has 2\.0 installed and data of 2\.0; wanted 1\.0\. Way forward: set `version` to "2\.0"/ });
  });

  it("is no leap over what the vendor names, and the way there is told", () =>
    throws(() => planned("3.0", is("1.0")), { message: /a major version is changed only as its vendor has tried\..*https:\/\/example\.com.*set `version` to "2\.0", from where it goes on, or back/ }));

  it("comes with an image, for whom it is still to come", () => {
    for (const wanted of ["1.0", "2.0"]) throws(() => planned(wanted, is("1.0"), { version: "2.0", writtenBy: "1.0" }, nothingDue), { message: /another `version` comes with another `image`.*Seen: [ab] has/ });
  });

  it("is not guessed while members are of several, and none that is older than the data comes with an image", () => {
    throws(() => planned(undefined, is("1.0"), is("2.0")), { message: /where they are on their way to another `version` names it.*set `version` to "2\.0"/ });
    throws(() => planned(undefined, { version: "1.0", writtenBy: "2.0" }, is("2.0"), nothingDue), { message: /are opened by no older one\. Seen: a has 1\.0 installed and data of 2\.0/ });
    throws(() => planned(undefined, { version: "2.0", writtenBy: "1.0" }, is("1.0"), nothingDue), { message: /another `version` comes with another `image`/ });
  });

  it("is said with the image that brings it", () => {
    deepEqual(withHops(every, { a: { from: "1.0", to: "2.0" } }), { resize: {}, rebuild: { a: "next, 1.0 to 2.0", b: "next" } });
    equal(withHops(nothingDue, {}).rebuild.a, undefined);
  });
});
