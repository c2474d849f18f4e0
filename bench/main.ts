import { rmSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { down, folder as devcloud, requireMachine, reserve, up } from "../devcloud";
import { engine } from "../tools/engine";
import { cluster } from "./cluster";
import { phases } from "./phases";
import { previews } from "./previews";

const folder = `${devcloud}.bench`;
const say = (line: string) => console.error(line);
const parts = { cluster, previews, phases };

/** `npm run bench`, or some of it by name. What it finds goes to standard output, as BENCHMARKS.md has it; progress to standard error. */
async function main(named: string[]): Promise<void> {
  const unknown = named.filter((name) => !(name in parts));
  if (unknown.length > 0) throw new Error(`there is no bench ${unknown.join(", ")}: give some of ${Object.keys(parts).join(", ")}, or nothing for all`);
  await requireMachine(say);
  const release = await reserve(say);
  rmSync(folder, { recursive: true, force: true });
  try {
    // What an earlier run left has servers of the same names.
    await down(say);
    const [tools] = await Promise.all([engine(say), up(say)]);
    console.log(`${cpus().length} × ${cpus()[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node.js ${process.versions.node}\n`);
    for (const [name, part] of Object.entries(parts)) if (named.length === 0 || named.includes(name)) console.log(`${await part(tools, folder)}\n`);
  } finally {
    await down(say);
    rmSync(folder, { recursive: true, force: true });
    release();
  }
}

// Ctrl-C reaches what runs as well, which fails by it: then all is cleaned up.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => say("interrupted: all is cleaned up first"));

main(process.argv.slice(2)).catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
