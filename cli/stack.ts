import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { outputs, parse, type Outputs } from "../provider/inputs";
import { reach } from "../provider/reach";
import { leavers, names, type Member } from "../provider/topology";

/** Where the stack is, as it was said: handed on to pulumi. */
export interface Where {
  cwd?: string;
  stack?: string;
}

export const flags = ({ cwd, stack }: Where): string[] => [...(cwd ? ["--cwd", cwd] : []), ...(stack ? ["--stack", stack] : [])];

const type = "pulumi-nodejs:dynamic/datastores:Cluster";

interface Resource {
  type: string;
  id?: string;
  outputs?: Record<string, unknown>;
  /** It has been replaced, and is still to go. */
  delete?: boolean;
}

/** The clusters of the stack, as its state has them, of which one may be chosen by name. */
export async function clustersOf(where: Where, chosen?: string): Promise<Outputs[]> {
  const clusters = (await resources(where)).filter((each) => each.type === type && !each.delete && each.outputs);
  const named = clusters.filter(({ id }) => chosen === undefined || id === chosen);
  if (clusters.length === 0) throw new Error("the stack has no cluster of this package; `pulumi up` of a program with one makes it, and --stack names another stack");
  if (named.length === 0) throw new Error(`the stack has no cluster ${chosen}; it has ${clusters.map(({ id }) => id).join(", ")}`);
  return named.map(({ id, outputs: state }) => parse(outputs, revealed(state), `the state of ${id} is not as this version of the package writes it: use the version that made it`));
}

/** Its members, and those that it has still to do without. */
export const everyone = (state: Outputs): Member[] => [...state.members, ...leavers(state, state.known)];

/** Of these clusters the one that a member is of. */
export function clusterOf(clusters: Outputs[], member: string): Outputs {
  const found = clusters.find((each) => names({ members: everyone(each) }).includes(member));
  if (!found) throw new Error(`the stack has no member ${member}; it has ${names({ members: clusters.flatMap(everyone) }).join(", ")}`);
  return found;
}

/** Seconds that a guest gets to let us in: somebody waits for the answer. */
const patience = 10;

/** A cluster and its guests, to be closed at the end, as the last run has left word of how they are reached. */
export const reached = (state: Outputs, say: (line: string) => void): ReturnType<typeof reach> =>
  reach(state, { leaving: leavers(state, state.known), pins: state.pins, former: state.formerKeys, seconds: patience, say });

/** Read from a pipe: the secrets in it are neither written to a disk nor shown in an error. */
async function resources(where: Where): Promise<Resource[]> {
  const { stdout } = await promisify(execFile)("pulumi", ["stack", "export", "--show-secrets", "--non-interactive", ...flags(where)], { maxBuffer: Infinity })
    .catch((error: { code?: unknown; stderr?: string }) => { throw new Error(told(error)); });
  return fromJson<{ deployment?: { resources?: Resource[] } }>(stdout).deployment?.resources ?? [];
}

/** What helps where Pulumi's own words do not say it. */
const waysForward: [says: RegExp, way: string][] = [
  [/no stack selected/, ", or name one with --stack"],
  [/no stack named/, "; `pulumi stack ls` lists those that there are"],
  [/no Pulumi\.yaml|^chdir/, "; go to the folder of your Pulumi program, or name it with --cwd"],
];

function told({ code, stderr = "" }: { code?: unknown; stderr?: string }): string {
  if (code === "ENOENT") return "there is no `pulumi` on PATH: install it as https://www.pulumi.com/docs/install/ says, or add its folder to PATH";
  const says = stderr.split("\n").flatMap((line) => /^error: (.*\S)/.exec(line)?.[1] ?? []).join("; ") || stderr.trim() || `it ended with ${String(code)} and said nothing`;
  return `pulumi stack export: ${says}${waysForward.find(([words]) => words.test(says))?.[1] ?? ""}`;
}

/** Under this key Pulumi says of an object in its state that it is no plain one, and what instead. */
const [signature, secret] = ["4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"];

/** A value of the state with its secrets in place, at any depth. */
function revealed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(revealed);
  if (typeof value !== "object" || value === null) return value;
  const { [signature]: kind, plaintext } = value as Record<string, unknown>;
  if (kind === secret) return revealed(fromJson(String(plaintext)));
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, revealed(part)]));
}

/** What the parser says of bad JSON would quote it. */
function fromJson<T>(text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new Error("pulumi stack export printed no state with its secrets that can be read");
  }
}
