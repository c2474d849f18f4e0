import { CommandFailed, reason } from "../../errors";
import type { Guest } from "../../guest/guest";
import { assignments, sh } from "../../guest/shell";
import type { Authority } from "../../inputs";
import { render, word } from "../../template";
import type { Cluster } from "../datastore";
import { logins, port } from "./configuration";
import { nodesOf, type Node } from "./nodes";
import type { Options } from "./options";

export type Redis = Cluster<Options>;
export type Answer = string | number | null | Answer[] | { error: string };
export type Command = (string | number)[];

/** What speaks to a server, on its own machine: one process for many commands, and nothing secret among its arguments. */
export const programText = (): string => render(__dirname, "redis.py", word, {});

/** As whom it may log in: which of the authorities a server knows already, it says itself. */
export const loginsOf = (authority: Authority): [name: string, password: string][] => logins(authority).map(({ administrator: { name, password } }) => [name, password]);

/** Asks a member's own server, as the provider's user. Throws when it cannot be asked at all. */
export const ask = async (guest: Guest, authority: Authority, commands: Command[]): Promise<Answer[]> =>
  JSON.parse(await guest.look(sh`python3 -c ${programText()}`, JSON.stringify({ host: "127.0.0.1", logins: loginsOf(authority), commands }))) as Answer[];

/** The same, for commands that change something: the guest refuses them when this run has not the lease. Throws what Redis says of one that fails. */
export async function tell(guest: Guest, authority: Authority, commands: Command[]): Promise<Answer[]> {
  const answers = JSON.parse(await guest.run(sh`python3 -c ${programText()}`, JSON.stringify({ host: "127.0.0.1", logins: loginsOf(authority), commands }))) as Answer[];
  answers.forEach((answer, index) => {
    if (isError(answer)) throw new Error(`${commands[index]!.slice(0, 2).join(" ")} on ${guest.name}: ${answer.error}`);
  });
  return answers;
}

/** What it answers to one command, as a person reads it. */
export async function command({ authority }: Redis, guest: Guest, words: string[]): Promise<string> {
  const [answer] = await tell(guest, authority, [words]);
  return typeof answer === "string" ? answer.trimEnd() : JSON.stringify(answer, null, 2);
}

/** Why a server says nothing: it was started with users and certificates of other authorities than this run's. */
export const isEstranged = (why: string): boolean => /WRONGPASS|CERTIFICATE_VERIFY_FAILED/.test(why);

/** Why it says nothing: it still reads its data, or those that its primary gives it. */
export const isLoading = (why: string): boolean => why.startsWith("LOADING ");

export const isError = (answer: Answer | undefined): answer is { error: string } => typeof answer === "object" && answer !== null && "error" in answer;

/** What a server says of itself and of the cluster. */
export interface Said {
  id: string;
  nodes: Node[];
  cluster: Record<string, string | undefined>;
  info: Record<string, string | undefined>;
  /** The hashes of the passwords that clients are let in with. */
  passwords: string[];
}

const questions: Command[] = [["ACL", "GETUSER", "default"], ["CLUSTER", "MYID"], ["CLUSTER", "NODES"], ["CLUSTER", "INFO"], ["INFO", "replication"], ["INFO", "persistence"], ["INFO", "memory"]];

/** Its view, or why there is none. */
export async function viewOf(guest: Guest, authority: Authority): Promise<{ said?: Said; why: string }> {
  let answers: Answer[];
  try {
    answers = await ask(guest, authority, questions);
  } catch (error) {
    // The program's own word says more than how it was called.
    return { why: (error instanceof CommandFailed && error.stderr.trim().split("\n").at(-1)) || reason(error) };
  }
  const failed = answers.find(isError);
  if (failed) return { why: failed.error };
  const [id = "", nodes = "", cluster = "", ...info] = answers.slice(1).map(String);
  return { said: { id, nodes: nodesOf(nodes), cluster: pairs(cluster), info: pairs(info.join("\n")), passwords: passwordsIn(answers[0] as Answer[]) }, why: "" };
}

/** Of a user, told as names and values in turn. One that is off lets nobody in; one that needs none has none. */
function passwordsIn(user: Answer[]): string[] {
  const valueOf = (name: string) => user[user.indexOf(name) + 1] as string[];
  return valueOf("flags").includes("on") ? valueOf("passwords") : [];
}

/** Lines such as `cluster_state:ok`. */
const pairs = (text: string): Record<string, string | undefined> => assignments(text.replace(/\r/g, "").replace(/^([^:\n]+):/gm, "$1="));

export const addressOf = ({ want, leaving }: Redis, name: string): string => [...want.members, ...leaving].find((member) => member.name === name)!.address;
export { port };
