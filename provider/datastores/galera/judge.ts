import type { Guest } from "../../guest/guest";
import { serverWith } from "./settings";

/**
 * Asks the server that is installed whether it would start with these options: it knows its own names and values, no list of ours
 * does. It reads the image's own files too, which may load plugins. Answers what it refuses; what it would take otherwise than it was given is said.
 */
export async function judgeOptions(guest: Guest, text: string): Promise<string | undefined> {
  const answer = await guest.look(`${serverWith} --help --verbose 2>&1 >/dev/null || echo "exit status $?"`, text);
  const { errors, warnings } = readJudgement(answer);
  for (const warning of warnings) guest.say(`configuration: MariaDB says: ${warning}`);
  return errors.length > 0 ? `MariaDB on ${guest.name} would not start with this configuration: ${errors.join("; ")}. Mend it in \`configuration\`` : undefined;
}

/** Lines such as `2026-11-24  0:59:13 0 [ERROR] /usr/sbin/mariadbd: unknown variable 'foo_bar=1'`; the reason of some failures has no label. */
export function readJudgement(answer: string): { errors: string[]; warnings: string[] } {
  const lines = [...new Set(answer.split("\n").map((line) => line.replace(/^\d{4}-\d\d-\d\d\s+\S+ \d+ /, "").replace(/\S*mariadbd: /, "").trim()).filter(Boolean))];
  const labelled = (label: string) => lines.filter((line) => line.startsWith(label)).map((line) => line.slice(label.length).trim());
  const errors = labelled("[ERROR]").filter((line) => line !== "Aborting");
  const failed = lines.at(-1)?.startsWith("exit status");
  return {
    errors: errors.length > 0 || !failed ? errors : lines.filter((line) => !line.startsWith("[")),
    // The limits are those of the shell that asks, and the tables are not looked at: neither is the service's.
    warnings: labelled("[Warning]").filter((line) => !/max_open_files|mysql\.plugin table/.test(line)),
  };
}
