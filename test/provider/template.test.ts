import { deepEqual, doesNotMatch, equal, match, throws } from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { hostsText, optionsText } from "../../provider/datastores/galera/configuration";
import { cnf, word } from "../../provider/template";
import { golden } from "../goldens";
import { cluster, member } from "./cluster";

const three = ["db-1", "db-2", "db-3"];
const want = (configuration: Record<string, string | number | boolean> = {}) =>
  cluster(three, { configuration }, () => Promise.reject(new Error("no guest"))).want;
const authority = { certificate: "a certificate" };
const nasty = "a\"b\\c&d'e#f;g\nwsrep_on=OFF\n[client]";

/** Reads a value as MariaDB's option files are read: quotes go, escapes are undone. */
function mariadb(written: string): string {
  match(written, /^"[^\n]*"$/);
  return written.slice(1, -1).replace(/\\(.)/gs, (_, escaped: string) => ({ n: "\n", t: "\t", r: "\r", b: "\b", s: " " })[escaped] ?? escaped);
}

describe("template", () => {
  it("an option's value is one quoted line, whatever it holds", () => {
    equal(cnf(nasty), String.raw`"a\"b\\c&d'e#f;g\nwsrep_on=OFF\n[client]"`);
    equal(cnf(4096), '"4096"');
    equal(cnf(true), '"true"');
  });

  it("an option's value is read back as it was given", () => fc.assert(fc.property(fc.string({ unit: "binary" }), (value) => {
    equal(mariadb(cnf(value)), value);
    doesNotMatch(cnf(value), /\n/);
  })));

  it("a plain word is itself, anything else is refused", () => {
    equal(word("198.18.0.11"), "198.18.0.11");
    for (const text of ["", "two words", "a\nb", "a\"b", "a'b", "a\\b", "a&b", "a;b", "$(a)", "a#b", "a\n"]) throws(() => word(text), /not a plain word/, text);
  });

  it("a member's options file", () => golden(join(__dirname, "datastores/galera/datastore.cnf"), optionsText(want({ max_connections: 500, "slow-query-log": true }), member("db-2"), authority)));

  it("no string of the user adds a line or a section to the options file", () => {
    const shape = (text: string) => text.split("\n").filter((line) => line.trim() !== "").map((line) => line.replace(/\s*=.*/, ""));
    const nastyWant = { ...want({ init_connect: nasty }), owner: { project: nasty, stack: nasty, cluster: nasty } };
    const nastyMember = { ...member("db-2"), name: nasty };
    deepEqual(shape(optionsText(nastyWant, nastyMember, authority)), shape(optionsText(want({ init_connect: "" }), member("db-2"), authority)));
  });

  it("what the user sets comes after what is set for him, so that it holds", () => {
    const text = optionsText(want({ innodb_flush_log_at_trx_commit: 2 }), member("db-1"), authority);
    match(text, /innodb_flush_log_at_trx_commit = 1\n[^]*\ninnodb_flush_log_at_trx_commit = "2"\n[^]*\[sst\]/);
  });

  it("each member is told all members", () => {
    match(optionsText(want(), member("db-1"), authority), /wsrep_cluster_address = "gcomm:\/\/198\.18\.0\.11,198\.18\.0\.12,198\.18\.0\.13"/);
    match(hostsText(want()), /^198\.18\.0\.11 db-1\n198\.18\.0\.12 db-2\n198\.18\.0\.13 db-3$/m);
  });

  it("a hosts file holds no name that is more than a name", () => {
    throws(() => hostsText({ ...want(), members: [{ ...member("db-1"), name: "db-1 localhost\n1.2.3.4 evil" }] }), /not a plain word/);
  });

  it("nothing that was written starts a cluster", () => doesNotMatch(optionsText(want(), member("db-1"), authority), /new.cluster|gcomm:\/\/"/));
});
