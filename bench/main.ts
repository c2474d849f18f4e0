import { rmSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { down, folder as devcloud, requireMachine, reserve, up } from "../devcloud";
import { reason } from "../provider/errors";
import { engine } from "../tools/engine";
import { cluster } from "./cluster";
import { goOn, heed, interrupted } from "./interruption";
import { phases } from "./phases";
import { previews } from "./previews";

const folder = `${devcloud}.bench`;
const say = (line: string) => console.error(line);
const remove = () => rmSync(folder, { recursive: true, force: true });
const parts = { cluster, previews, phases };

/** What it finds goes to standard output, as BENCHMARKS.md has it; progress to standard error. */
async function bench(named: string[]): Promise<void> {
  // What an earlier run left has servers of the same names.
  await down(say);
  remove();
  goOn();
  const tools = await engine(say);
  goOn();
  await up(say);
  console.log(`${cpus().length} × ${cpus()[0]?.model}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node.js ${process.versions.node}\n`);
  for (const [name, part] of Object.entries(parts)) {
    goOn();
    if (named.length === 0 || named.includes(name)) console.log(`${await part(tools, folder)}\n`);
  }
}

/** Says what became of it where it fails, so that what comes after it is done as well. */
async function attempt(act: () => unknown): Promise<void> {
  try {
    await act();
  } catch (error) {
    process.exitCode = 1;
    console.error(reason(error));
  }
}

/** `npm run bench`, or some of it by name. */
async function main(named: string[]): Promise<void> {
  const unknown = named.filter((name) => !(name in parts));
  if (unknown.length > 0) throw new Error(`there is no bench ${unknown.join(", ")}: give some of ${Object.keys(parts).join(", ")}, or nothing for all`);
  await requireMachine(say);
  const release = await reserve(say);
  // Until now there was nothing to clean up, and a signal just ended us.
  heed(say);
  await attempt(() => bench(named).catch((error) => {
    // What fails because all is being ended is no news.
    if (!interrupted()) throw error;
  }));
  for (const act of [() => down(say), remove, release]) await attempt(act);
  if (interrupted()) process.exitCode = 130;
}

main(process.argv.slice(2)).catch((error) => {
  console.error(reason(error));
  process.exitCode = 1;
});
