import { deepEqual } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { version } from "../../package.json";
import { ofProject, project } from "./project";

const root = dirname(dirname(__dirname));
const text = (file: string) => readFileSync(join(root, file), "utf8");

/** What people read of a grow, here and there, against what the engine shows of one. */
describe("the words of a grow", function () {
  ofProject(this);
  let shown: string[];
  before(async () => {
    const stored = `test/package/states/${version}/least`;
    const { pulumi } = await (await project()).program("grow", { "index.ts": text(`${stored}.ts`).replace("members: 3", "members: 5"), "package.json": '{ "main": "index.ts" }' });
    await pulumi(["stack", "import", "--file", join(root, `${stored}.json`)]);
    shown = (await pulumi(["preview", "--diff"], { all: true })).all!.split("\n").map((line) => line.trim());
  });

  /** Resources come in any order, steps in theirs. */
  const areShown = (lines: string[]) => {
    deepEqual(lines.filter((line) => !shown.includes(line)), []);
    const steps = (of: string[]) => of.filter((line) => line.startsWith("[orders]"));
    deepEqual(steps(lines), steps(shown));
  };

  it("in the README are those of a preview", () => {
    const [, grow = ""] = /Change `members: 3` to `5`[^]*?```\n([^]*?)```/.exec(text("README.md")) ?? [];
    areShown(grow.trim().split("\n"));
  });

  it("in the workflow for pull requests are those of a preview", () => {
    const workflow = text("examples/preview-in-pull-request.yml");
    const [, comment = ""] = /shortened:\n#\n([^]*?)#\n# To read it/.exec(workflow) ?? [];
    areShown(comment.trim().split("\n").map((line) => line.replace(/^# */, "")));
    deepEqual(Object.keys((parse(workflow) as { jobs: object }).jobs), ["preview"]);
  });
});
