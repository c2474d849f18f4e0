import { deepEqual, equal } from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import execa from "execa";

const root = dirname(__dirname);

describe("the reference", function () {
  this.timeout(120_000);
  const out = mkdtempSync(join(tmpdir(), "datastores-docs-"));
  after(() => rmSync(out, { recursive: true }));

  it("has words for each public name, and no link leads nowhere", async () => {
    const { exitCode, all } = await execa("node", [join(root, "node_modules/typedoc/bin/typedoc"), "--out", out], { cwd: root, reject: false, all: true });
    equal(exitCode, 0, all);
  });
});

describe("what is written for people", () => {
  for (const file of ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "devcloud/README.md", "examples/galera/README.md", "examples/redis/README.md"])
    it(`${file} leads to files that there are`, () => {
      const targets = [...readFileSync(join(root, file), "utf8").matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, target]) => target!);
      deepEqual(targets.filter((target) => !existsSync(join(root, dirname(file), target))), []);
    });
});
