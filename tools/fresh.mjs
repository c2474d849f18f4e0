// Runs a program of this repository from a fresh clone: first gets the node packages when the lock file
// changed since they were installed, then compiles what the provider process loads by the package's name.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { program, root, run } from "./commands.mjs";

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Node.js ${process.versions.node} is too old: install Node.js 20.19 or newer.`);
  process.exit(1);
}

const lock = readFileSync(join(root, "package-lock.json"), "utf8");
const installed = join(root, "node_modules", ".installed-from");
if (!existsSync(installed) || readFileSync(installed, "utf8") !== lock) {
  await run("npm", ["ci", "--ignore-scripts", "--no-fund", "--no-audit", "--loglevel=error"]);
  writeFileSync(installed, lock);
}
await run("npm", ["run", "--silent", "build"]);

const [file, ...args] = process.argv.slice(2);
await run("node", [...program(file), ...args]);
