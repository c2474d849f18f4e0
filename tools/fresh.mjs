// Runs a program of this repository from a fresh clone: first gets the node packages when the lock file
// changed since they were installed, then compiles what the provider process loads by the package's name.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Node.js ${process.versions.node} is too old: install Node.js 20.19 or newer.`);
  process.exit(1);
}

function run(command, args) {
  const { status, signal, error } = spawnSync(command, args, { cwd: root, stdio: "inherit" });
  if (error) console.error(`${command}: ${error.message}`);
  if (status !== 0) process.exit(status ?? (signal === "SIGINT" ? 130 : 1));
}

const lock = readFileSync(join(root, "package-lock.json"), "utf8");
const installed = join(root, "node_modules", ".installed-from");
if (!existsSync(installed) || readFileSync(installed, "utf8") !== lock) {
  run("npm", ["ci", "--no-fund", "--no-audit", "--loglevel=error"]);
  writeFileSync(installed, lock);
}
run("npm", ["run", "--silent", "build"]);

const [program, ...args] = process.argv.slice(2);
if (program === "--test") {
  run("npm", ["run", "--silent", "check"]);
  run("npx", ["mocha", ...args]);
} else {
  run("node", ["-r", "ts-node/register/transpile-only", program, ...args]);
}
