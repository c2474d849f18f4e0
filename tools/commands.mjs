import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

// A terminal sends Ctrl-C to our children as well: we wait for their own end. Other signals come to us alone and are passed on.
const children = new Set();
export let interrupted = false;
process.on("SIGINT", () => { interrupted = true; });
for (const signal of ["SIGTERM", "SIGHUP"])
  process.on(signal, () => {
    interrupted = true;
    children.forEach((child) => child.kill(signal));
  });

/** The exit status of a command that has ended. */
export async function statusOf(command, args, options = {}) {
  const child = spawn(command, args, { cwd: root, stdio: "inherit", ...options });
  children.add(child);
  const [status, signal] = await once(child, "close");
  children.delete(child);
  return status ?? (signal === "SIGINT" ? 130 : 1);
}

/** Runs a command to its end, and ends with it when it fails. */
export async function run(command, args) {
  const status = await statusOf(command, args);
  if (status !== 0) process.exit(status);
}

/** What node needs to run a program of this repository. */
export const program = (file) => ["-r", "ts-node/register/transpile-only", file];
