import { relative } from "node:path";
import type { Progress } from "../tools/progress";
import { cloudsYaml, down, interrupt, status, up } from "./index";

const began = Date.now();
const progress: Progress = (line) => console.log(`[${((Date.now() - began) / 1000).toFixed(1).padStart(5)} s] ${line}`);

const commands: Record<string, () => Promise<void>> = {
  async up() {
    process.once("SIGINT", () => void (interruption = interrupted()));
    await up(progress);
    progress("the devcloud is up; to use it:");
    console.log(`  export OS_CLIENT_CONFIG_FILE=${cloudsYaml} OS_CLOUD=devcloud`);
  },
  async down() {
    await down(progress);
    progress("the devcloud is gone");
  },
  async status() {
    const found = await status();
    if (!found) return console.log("The devcloud is down: `npm run devcloud -- up` starts it.");
    const table = (title: string, lines: string[]) => console.log([`${title}: ${lines.length}`, ...lines].join("\n  "));
    table("services", found.services.map(({ name, says }) => `${name.padEnd(20)} ${says}`));
    table("guests", found.guests);
    table("volumes", found.volumes);
    console.log(`memory: ${found.mebibytes} MiB\nlogs: ${relative(process.cwd(), cloudsYaml).replace("clouds.yaml", "log/")}`);
    if (found.services.some((service) => !service.running)) process.exitCode = 1;
  },
};

let interruption: Promise<never> | undefined;

/** The first Ctrl-C cleans up; the second leaves at once, and the next command cleans up. */
async function interrupted(): Promise<never> {
  process.once("SIGINT", () => process.exit(130));
  progress("interrupted, cleaning up");
  await interrupt().catch((error: Error) => console.error(error.message));
  return process.exit(130);
}

const command = commands[process.argv[2] ?? ""];
if (!command || process.argv.length > 3) {
  console.error("Say what to do: npm run devcloud -- up|status|down");
  process.exit(2);
}
command().catch(async (error: Error) => {
  // What fails because everything is being ended is no news.
  await interruption;
  console.error(error.message);
  process.exit(1);
});
