import type { Guest } from "../../guest/guest";
import { sh } from "../../guest/shell";
import { needsRestart, variable } from "./live";
import { isOurs } from "./options";
import { execute, query } from "./sql";

/** Stands for what restarts a member without a change of its settings. No option of MariaDB has a capital in its name. */
const trigger = "restartTrigger";

/** The settings in an options file as they stand there, by their variables; but for those that the package itself decides. */
function settingsIn(text: string): Map<string, string> {
  const [server = ""] = text.split(/^\[(?!mysqld\])/m);
  return new Map(server.split("\n").flatMap((line): [string, string][] => {
    const [, restart, key = "", value = ""] = /^# restart (\w+)$|^([\w-]+) = (.*)$/.exec(line) ?? [];
    if (restart !== undefined) return [[trigger, restart]];
    return key === "" || isOurs(key) ? [] : [[variable(key), value]];
  }));
}

/** The settings that are otherwise in one options file than in another. */
export function differing(was: string, wanted: string): string[] {
  const [before, then] = [settingsIn(was), settingsIn(wanted)];
  return [...new Set([...before.keys(), ...then.keys()])].filter((key) => before.get(key) !== then.get(key));
}

/** Those of some settings that a server which runs takes only when it is started anew: as we know it, or as it says itself. */
export async function fixedOf(guest: Guest, settings: string[]): Promise<string[]> {
  const types = await typesOf(guest, settings.filter((key) => key !== trigger && !needsRestart(key)));
  return settings.filter((key) => !types.has(key));
}

/** The types of variables that the server takes while it runs. */
async function typesOf(guest: Guest, variables: string[]): Promise<Map<string, string>> {
  if (variables.length === 0) return new Map();
  const rows = await query(guest, `SELECT LOWER(VARIABLE_NAME), VARIABLE_TYPE FROM information_schema.SYSTEM_VARIABLES WHERE READ_ONLY = 'NO' AND VARIABLE_NAME IN (${variables.map(quote).join(", ")})`);
  return new Map(rows.trim().split("\n").filter(Boolean).map((row) => row.split("\t") as [string, string]));
}

/** What a server runs with once it was given all of `options` that it takes: of some settings that wait for a restart, what it was started with. */
export function withoutFixed(running: string, options: string, fixed: string[]): string {
  const [before, then] = [settingsIn(running), settingsIn(options)];
  for (const key of fixed) {
    const was = before.get(key);
    if (was === undefined) then.delete(key);
    else then.set(key, was);
  }
  return `[mysqld]\n${[...then].map(([key, value]) => (key === trigger ? `# restart ${value}\n` : `${key} = ${value}\n`)).join("")}`;
}

/**
 * Gives a server that runs what it takes of the settings in `wanted`, and of those that were taken out of `was`: as it would have them at its next start, in its own
 * words, so that a size is a number and what was taken out goes back to what Debian's files or MariaDB itself have. Says what it took otherwise.
 */
export async function setLive(guest: Guest, was: string, wanted: string): Promise<void> {
  const settings = [...new Set([...settingsIn(wanted).keys(), ...differing(was, wanted)])];
  const types = await typesOf(guest, settings.filter((key) => key !== trigger && !needsRestart(key)));
  const values = await nextValues(guest, wanted, [...types.keys()]);
  const set = [...types].flatMap(([key, type]) => (values.has(key) ? [{ key, value: literal(type, values.get(key)!) }] : []));
  if (set.length === 0) return;
  await execute(guest, `SET SESSION sql_mode = '';\n${set.map(({ key, value }) => `SET GLOBAL ${key} = ${value};`).join("\n")}`);
  const taken = await query(guest, set.map(({ key }) => `SELECT '${key}', @@GLOBAL.${key};`).join("\n"));
  for (const [key = "", value = ""] of taken.trim().split("\n").map((row) => row.split("\t"))) {
    const asked = Number(values.get(key));
    if (!Number.isNaN(asked) && Number(value) !== asked && !["ON", "OFF"].includes(value)) guest.say(`configuration: MariaDB took ${value} for ${key} where ${asked} was asked`);
  }
}

/** What a server would begin with under these options. */
async function nextValues(guest: Guest, options: string, variables: string[]): Promise<Map<string, string>> {
  if (variables.length === 0) return new Map();
  const table = await guest.look(`${serverWith} --help --verbose 2>/dev/null | sed -n '/^Variables (--/,$p' | grep -E ${sh`${`^(${variables.map((key) => key.replaceAll("_", "[-_]")).join("|")})[[:space:]]`}`} || true`, options);
  return new Map(table.split("\n").filter(Boolean).map((line) => {
    const [, name = "", value = ""] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
    return [variable(name), value];
  }));
}

/** A shell command: a server that reads the options on standard input beside the image's own, as the service does. */
export const serverWith = `file=$(mktemp); trap 'rm -f "$file"' EXIT; cat >"$file"; chown mysql "$file"
runuser -u mysql -- mariadbd --defaults-extra-file="$file"`;

/** A value as `SET` takes it. */
function literal(type: string, value: string): string {
  if (value === "(No default value)") return "DEFAULT";
  return ["VARCHAR", "ENUM", "SET", "FLAGSET"].includes(type) ? quote(value) : value;
}

const quote = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
