import { join } from "node:path";
import { newKey, publicHalf } from "../test/provider/guest/sshd";
import { Companion } from "./companion";
import { judged, median, table } from "./measure";
import { installationTakes } from "./simulated";

const few = 3;
const many = 50;
const sizes = [few, 10, many];
const rounds = 3;
/** What goes side by side. */
const steps = ["install", "mount", "configure"];
const headings = ["login", "lease", "look and preflight", ...steps, "look again", "all"];

interface Life {
  size: number;
  marks: Record<string, number>;
  /** Most memory that the run's process had. */
  mebibytes: number;
  logins: number[];
}

/** What a run does on all new members at once, over real SSH to guests that are simulated, with the time that a real one takes. */
export async function phases(): Promise<string> {
  const lives: Life[] = [];
  for (let round = 0; round < rounds; round++)
    for (const size of round % 2 === 0 ? sizes : [...sizes].reverse()) {
      const life = await live(size);
      console.error(`${size} guests: ${life.marks.all!.toFixed(1)} s`);
      lives.push(life);
    }
  return told(lives);
}

async function live(size: number): Promise<Life> {
  const privateKey = newKey();
  const members = Array.from({ length: size }, (_, index) => ({ name: `shop1-${index + 1}`, address: `127.18.0.${index + 1}`, server: `server-${index}`, volume: `volume-${index}` }));
  const guests = new Companion("the simulated guests", join(__dirname, "simulated.ts"), [members.map(({ address }) => address).join(), publicHalf(privateKey).wire.toString("base64")]);
  const run = new Companion("the run's process", join(__dirname, "run.js"));
  try {
    await guests.says("ready", 60);
    run.tell({ members, privateKey, steps });
    await run.says("all", 180, [guests]);
    guests.tell({ ask: "logins" });
    const { mebibytes, ...marks } = run.said as Record<string, number>;
    return { size, marks, mebibytes: mebibytes!, logins: await guests.says("logins", 10) };
  } finally {
    await Promise.all([guests.end(), run.end()]);
  }
}

function told(lives: Life[]): string {
  const installation = installationTakes / 1000;
  const of = (size: number) => lives.filter((life) => life.size === size);
  const took = (size: number, what = "all") => median(of(size).map(({ marks }) => marks[what]!));
  const ratio = (size: number, without = 0) => (took(size) - without) / (took(few) - without);
  const rows = sizes.map((size) => [
    `${size}`, ...headings.map((heading) => took(size, heading)), of(size).map(({ marks }) => marks.all!.toFixed(1)).join(", "),
    [...new Set(of(size).flatMap(({ logins }) => logins))].sort().join(", "), Math.max(...of(size).map(({ mebibytes }) => mebibytes)), ratio(size), ratio(size, installation),
  ]);
  const head = ["guests", ...headings.map((each) => `${each}, seconds`), "each", "logins to a guest", "peak MiB of the run", `of the time for ${few}`, "without the installation"];
  return `### The phases that go side by side, on simulated guests (an installation takes ${installation} s)

${table(head, rows)}

${judged(`The time for ${many} guests by that for ${few}`, ratio(many), 1.3)}
${judged("The same without the installation, which is simulated and takes all guests as long", ratio(many, installation), 1.3)}
${judged("Logins to a guest", Math.max(...lives.flatMap(({ logins }) => logins)), 1)}`;
}
