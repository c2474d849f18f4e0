import { match, ok } from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, parse } from "node:path";
import { version } from "../../package.json";
import { pretended } from "./pretence";
import { ofProject, project } from "./project";
import { exported, real, states } from "./stored";

/**
 * A state that any version stored is one that this version knows: a program that did not change has nothing to do. A version's
 * folder has programs and their states; `GOLDEN=1 npx mocha test/package/states.test.ts` makes those of this version that are
 * not there, but for the real one. One that is there stays: of a version that was published it is the truth.
 */
describe("a stored state", function () {
  ofProject(this);

  for (const of of readdirSync(states)) for (const { base, name, ext } of readdirSync(join(states, of)).map((file) => parse(file)).filter(({ ext }) => [".js", ".ts"].includes(ext)))
    it(`of ${of}, ${name.replaceAll("-", " ")}: nothing to do`, async () => {
      const main = `index${ext}`;
      const program = await (await project()).program(`${of}-${name}`, { [main]: readFileSync(join(states, of, base), "utf8"), "package.json": JSON.stringify({ main }) });
      const state = join(states, of, `${name}.json`);
      if (process.env.GOLDEN && of === version && name !== real && !existsSync(state)) {
        await pretended(program, ["orders-1", "orders-2", "orders-3", "orders-4"], "up", "--yes", "--skip-preview");
        writeFileSync(state, await exported(program));
      };
      await program.pulumi(["stack", "import", "--file", state]);
      const { stdout } = await program.pulumi(["preview", "--expect-no-changes", "--diff"]);
      match(stdout, /\d+ unchanged/);
    });

  it("is there of this version", () => ok(existsSync(join(states, version)), `copy the newest programs to ${join(states, version)}, and make their states`));
});
