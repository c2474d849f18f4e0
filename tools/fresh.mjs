// Runs a program of this repository from a fresh clone: first gets the node packages when the lock file
// changed since they were installed, then compiles what the provider process loads by the package's name.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Node.js ${process.versions.node} is too old: install Node.js 20.19 or newer.`);
  process.exit(1);
}

// A terminal sends Ctrl-C to the child as well: we wait for its own end. Other signals come to us alone and are passed on.
let child;
process.on("SIGINT", () => {});
for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));

/** Runs a command to its end, and ends with it when it fails. */
async function run(command, args) {
  child = spawn(command, args, { cwd: root, stdio: "inherit" });
  const [status, signal] = await once(child, "close");
  if (status !== 0) process.exit(status ?? (signal === "SIGINT" ? 130 : 1));
}

const lock = readFileSync(join(root, "package-lock.json"), "utf8");
const installed = join(root, "node_modules", ".installed-from");
if (!existsSync(installed) || readFileSync(installed, "utf8") !== lock) {
  await run("npm", ["ci", "--ignore-scripts", "--no-fund", "--no-audit", "--loglevel=error"]);
  writeFileSync(installed, lock);
}
await run("npm", ["run", "--silent", "build"]);

const [program, ...args] = process.argv.slice(2);
/** Quick tests first, those on real guests last; with `--full` the ones that take hours, and draw no lots. */
const everything = ["test/*.test.ts", ...["components", "provider", "tools", "devcloud", program === "--full" ? "full" : "guests"].map((place) => `test/${place}/**/*.test.ts`)];
if (program === "--test" || program === "--full") {
  await run("npm", ["run", "--silent", "check"]);
  await run("node", ["node_modules/mocha/bin/mocha.js", ...(args.length > 0 ? args : everything)]);
} else {
  await run("node", ["-r", "ts-node/register/transpile-only", program, ...args]);
}
