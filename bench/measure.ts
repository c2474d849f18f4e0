import { readdirSync, readFileSync } from "node:fs";
import type execa from "execa";

export interface Measured {
  seconds: number;
  /** Most memory that the process and all it started had at one time, each shared page counted once. */
  mebibytes: number;
  /** Each line as it came, with the seconds since the start. */
  lines: { at: number; line: string }[];
}

/** Runs a process to its end, and looks at what it takes. */
export async function measure(child: execa.ExecaChildProcess): Promise<Measured> {
  const began = process.hrtime.bigint();
  const since = () => Number(process.hrtime.bigint() - began) / 1e9;
  const lines: Measured["lines"] = [];
  let rest = "";
  child.stdout?.on("data", (part: Buffer) => {
    const [last = "", ...whole] = (rest + part.toString()).split("\n").reverse();
    rest = last;
    lines.push(...whole.reverse().map((line) => ({ at: since(), line })));
  });
  let mebibytes = 0;
  const look = setInterval(() => { mebibytes = Math.max(mebibytes, memoryOf(child.pid!)); }, 250);
  try {
    await child;
    return { seconds: since(), mebibytes, lines };
  } finally {
    clearInterval(look);
  }
}

/** MiB of a process and of all below it. */
function memoryOf(pid: number): number {
  const parents = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((name) => read(`/proc/${name}/stat`, /\) \S (\d+)/).map((parent): [number, number] => [Number(name), parent]));
  const below = (of: number): number[] => [of, ...parents.filter(([, parent]) => parent === of).flatMap(([child]) => below(child))];
  return below(pid).flatMap((each) => read(`/proc/${each}/smaps_rollup`, /^Pss: +(\d+)/m)).reduce((sum, kib) => sum + kib / 1024, 0);
}

/** A process may end at any time. */
function read(file: string, pattern: RegExp): number[] {
  try {
    return [Number(pattern.exec(readFileSync(file, "utf8"))?.[1] ?? 0)];
  } catch {
    return [];
  }
}

export const median = (values: number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** What was measured, beside what it shall be at most. */
export const judged = (what: string, value: number, most: number): string =>
  `- ${what}: **${Number.isInteger(value) ? value : value.toFixed(2)}**. Aim: at most ${most}, ${value <= most ? "met" : "**not met**"}.`;

/** A table in Markdown. */
export const table = (head: string[], rows: (string | number)[][]): string =>
  [head, head.map(() => "---"), ...rows].map((row) => `| ${row.map((cell) => (typeof cell === "number" ? cell.toFixed(cell < 10 ? 2 : 1) : cell)).join(" | ")} |`).join("\n");
