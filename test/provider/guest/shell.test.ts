import { deepEqual, equal, throws } from "node:assert/strict";
import execa from "execa";
import fc from "fast-check";
import { assignments, sh } from "../../../provider/guest/shell";

const words = async (command: string) => (await execa("/bin/bash", ["--norc", "-c", command], { stripFinalNewline: false })).stdout.split("\0").slice(0, -1);

describe("shell", () => {
  it("any strings come back from a shell as they went in", () => fc.assert(fc.asyncProperty(
    // A program's arguments end at NUL, and a lone surrogate is no character.
    fc.array(fc.oneof(fc.string({ unit: "grapheme", maxLength: 20 }), fc.string({ unit: fc.constantFrom(..."'\"\\$`!*?~#&;|<>(){}[] \t\n\r-=a"), maxLength: 12 })), { minLength: 1, maxLength: 20 })
      .map((all) => all.map((text) => text.replaceAll("\0", ""))),
    async (all) => deepEqual(await words(sh`printf '%s\\0' ${all}`), all)), { numRuns: 60 }));

  it("a value beside a text is part of its word", async () => deepEqual(await words(sh`printf '%s\\0' a${"b c"}d ${5}`), ["ab cd", "5"]));

  it("an empty string is a word, an empty list is none", async () => {
    deepEqual(await words(sh`printf '%s\\0' ${""} x`), ["", "x"]);
    equal(sh`echo ${[]}`, "echo ");
  });

  it("plain words stay readable", () => equal(sh`cat ${"/etc/mysql/my.cnf"} ${["a=b", "10%"]}`, "cat /etc/mysql/my.cnf a=b 10%"));

  it("an escape that JavaScript does not know makes no command", () =>
    throws(() => sh`sed 's/\(a\)/\1/' ${"file"}`, /a backslash in a command is written twice: sed 's/));

  it("assignments are read up to the first equals sign, other lines are left out", () => {
    deepEqual(assignments("a=1\n  b=x=y \nnoise\nc=\n"), { a: "1", b: "x=y", c: "" });
    deepEqual(assignments(""), {});
  });
});
