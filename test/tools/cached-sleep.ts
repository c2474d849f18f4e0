// Wants one slow entry of the cache, as a process that a test can run twice at once or interrupt.
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { cached } from "../../tools/cache";

const [log = "", seconds = ""] = process.argv.slice(2);
const entry = {
  name: "sleep",
  title: "sleeping",
  from: { seconds },
  build: async (folder: string, run: (file: string, args: string[]) => Promise<unknown>) => {
    appendFileSync(log, "built\n");
    await run("sh", ["-c", `sleep ${seconds} & wait`]);
    appendFileSync(join(folder, "slept"), seconds);
  },
};
void cached(entry, console.log).then((place) => console.log(`place: ${place}`));
