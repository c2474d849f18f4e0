// Runs the tests: those that are named, else all, two jobs at a time. Quick ones go first, those on real guests last; with `--full` the ones that
// take hours, and draw no lots, in place of the lives on guests that each change is tried with. The last line adds up what all of them printed.
import { closeSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { interrupted, program, root, run, statusOf } from "./commands.mjs";

const mocha = "node_modules/mocha/bin/mocha.js";
const within = (...places) => places.map((place) => `test/${place}/**/*.test.ts`);
/** The devcloud's own tests make a second one: beside them there is none. */
const quick = [["test/*.test.ts", ...within("cli", "components", "provider", "tools", "package")], within("devcloud")];
/** One measures the whole machine, the others build anew what the programs of others run on. */
const alone = ["test/full/figures.test.ts", "test/full/node.test.ts", "test/full/package.test.ts"];
const isAlone = (file) => alone.includes(relative(root, resolve(root, file)));
const down = [...program("devcloud/main.ts"), "down"];

const args = process.argv.slice(2);
const full = args[0] === "--full";
const named = full ? args.slice(1) : args;
await run("npm", ["run", "--silent", "check"]);
if (full && named.length > 1 && named.every((file) => file.endsWith(".test.ts"))) process.exit(await inOrder(named));
else if (named.length > 0) await run("node", [mocha, ...named]);
else {
  const counted = process.env.TESTS_ENDED = join(root, ".devcloud.ended");
  rmSync(counted, { force: true });
  if (full) {
    await run("node", [mocha, ...alone]);
    await run("node", down);
  }
  const folder = full ? "test/full" : "test/guests";
  const files = readdirSync(join(root, folder)).filter((name) => name.endsWith(".test.ts")).map((name) => `${folder}/${name}`);
  // Where a quick one fails nobody waits for the others.
  const status = await sideBySide(quick) || await sideBySide(files.filter((file) => !alone.includes(file)).map((file) => [file]));
  const [passed, failed, skipped] = readFileSync(counted, "utf8").trim().split("\n").map((line) => line.split(" ").map(Number))
    .reduce((sum, counts) => sum.map((each, index) => each + counts[index]));
  rmSync(counted);
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exit(status);
}

/** First those that must be alone, one after another, then the others, beside which no devcloud of theirs is left. The worst exit status. */
async function inOrder(files) {
  const first = files.filter(isAlone);
  const others = files.filter((file) => !isAlone(file));
  if (first.length === 0) return sideBySide(others.map((file) => [file]));
  const status = await statusOf("node", [mocha, ...first]);
  if (others.length === 0 || interrupted) return status;
  await run("node", down);
  return Math.max(status, await sideBySide(others.map((file) => [file])));
}

/** Two jobs at a time, each of some files, beside a devcloud of its own; what one prints comes in one piece, once it has ended. The worst exit status. */
async function sideBySide(jobs) {
  let worst = 0;
  const lane = async (number) => {
    const env = { ...process.env, DEVCLOUD: `.devcloud.${number}` };
    const report = join(root, `.devcloud.${number}.report`);
    for (let files = jobs.shift(); files && !interrupted; files = jobs.shift()) {
      const what = files.join(" ");
      console.log(`begun: ${what}`);
      const output = openSync(report, "w");
      const status = await statusOf("node", [mocha, ...files], { stdio: ["ignore", output, output], env });
      closeSync(output);
      console.log(`${readFileSync(report, "utf8")}\nended: ${what}, ${status === 0 ? "all passed" : `exit status ${status}`}`);
      rmSync(report);
      worst = Math.max(worst, status);
    }
    await statusOf("node", down, { env });
  };
  await Promise.all([lane(1), lane(2)]);
  return worst;
}
