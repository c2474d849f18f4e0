import { readFileSync } from "node:fs";
import type { Writable } from "node:stream";
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { reason } from "../provider/errors";
import { client } from "./client";
import { logs, type Journal } from "./logs";
import { clustersOf, type Where } from "./stack";
import { statusOf } from "./status";
import { text } from "./text";
import { unlock } from "./unlock";

/** Where it prints: what was asked for, and what is said beside it. */
export interface Terminal {
  out: Writable;
  error: Writable;
  colours: boolean;
}

const name = "pulumi-openstack-datastores";
/** As a shell tells of a program that Ctrl-C ended. */
const interrupted = 130;

/** Runs one command, and answers its exit code: 2 for what could not be done at all. */
export async function run(args: string[], { out, error, colours }: Terminal): Promise<number> {
  const print = (lines: string) => out.write(`${lines}\n`);
  const say = (line: string) => void error.write(`${line}\n`);
  let code = 0;

  const program = new Command(name)
    .description("Looks at the database clusters of a Pulumi stack, and changes nothing, but for `unlock --force` and what `client` is told. It reads what it needs from the stack: nothing is to be set up.")
    .version(version())
    .configureOutput({ writeOut: (help) => out.write(help), writeErr: (help) => error.write(help) })
    .showHelpAfterError("--help tells more")
    .exitOverride();
  const command = (usage: string, description: string) => program.command(usage).description(description)
    .option("--cwd <folder>", "folder of the Pulumi program (default: this one)")
    .option("--stack <name>", "name of the stack (default: the one that is selected)");

  command("status", "how each cluster of the stack and its members are just now")
    .option("--cluster <name>", "only this one")
    .option("--json", "for machines")
    .addHelpText("after", statusHelp)
    .action(async ({ cluster, json, ...where }: Where & { cluster?: string; json?: boolean }) => {
      const states = await clustersOf(where, cluster);
      const clusters = await Promise.all(states.map((state) => statusOf(state, where, say)));
      print(json ? JSON.stringify({ clusters }, null, 2) : clusters.map((each) => text(each, colours)).join("\n\n"));
      code = clusters.every(({ well }) => well) ? 0 : 1;
    });

  command("logs", "what the database of a member told its journal")
    .argument("<member>", "such as orders-1")
    .option("--lines <number>", "how many of the last lines", count, 50)
    .option("--follow", "go on with each new line until Ctrl-C")
    .addHelpText("after", "\nExit code: 0 done; 2 could not be done; 130 ended by Ctrl-C.")
    .action(async (member: string, { lines, follow, ...where }: Where & Journal) => {
      const states = await clustersOf(where);
      code = (await logs(states, member, { lines, follow }, out, say)) ? interrupted : 0;
    });

  command("client", "what the database of a member answers its administrator")
    .argument("<member>", "such as orders-1")
    .argument("<words...>", "a statement of MariaDB in quotes, such as 'SHOW PROCESSLIST'; a command of Redis, such as SLOWLOG GET; after -- where a word begins with a dash")
    .addHelpText("after", clientHelp)
    .action(async (member: string, words: string[], where: Where) => void print(await client(await clustersOf(where), member, words, say)));

  command("unlock", "who keeps a cluster from being changed: the run that holds its lease, or commands of one that still run")
    .argument("<cluster>", "such as orders")
    .option("--force", "remove the lease of each member, and end the commands that still run")
    .addHelpText("after", unlockHelp)
    .action(async (cluster: string, { force = false, ...where }: Where & { force?: boolean }) => {
      const [state] = await clustersOf(where, cluster);
      const { lines, free } = await unlock(state!, force, where, say);
      print(lines.join("\n"));
      code = free ? 0 : 1;
    });

  try {
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (failure) {
    if (failure instanceof CommanderError) return failure.exitCode === 0 ? 0 : 2;
    say(`${name}: ${reason(failure).replace(/\s*\n\s*/g, " ")}`);
    return 2;
  }
}

/** Of the package, which lies above both the sources and what is compiled. */
const version = (): string => (JSON.parse(readFileSync(require.resolve(`${name}/package.json`), "utf8")) as { version: string }).version;

function count(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("Give a whole number.");
  return Number(text);
}

const clientHelp = `
The words go to the member by standard input, and are shown to nobody there. A run that changes the cluster is waited for, 40 s at most.

Exit code: 0 done; 2 could not be done.`;

const unlockHelp = `
Without --force it changes nothing. With it, a run that is alive stops at its next command, and what was under way is gone on with by the next
\`pulumi up\`. Commands are told to end (TERM), and killed after 10 s; no other process is. Databases are none of them, and go on.

Exit code: 0 nobody keeps it, or none any more; 1 it is kept, or a member could not be asked; 2 none could be asked.`;

const statusHelp = `
role    of a Galera member: in cluster; donor (gives its data to a joiner or a backup, and is well); joining; starting; stopping;
        outside (of the majority); silent (its server does not answer); down; of any: unreachable
state   in the database's own words
lag     of Galera: writes of others that wait here for a second already (wsrep_local_recv_queue), and for which share of that
        second flow control paused the cluster's writes (wsrep_flow_control_paused_ns)
disk    of the data volume; from 90 % on that is wrong
Below the table stands what is wrong, each with the command to go on with. What there is to do is the next run's own plan.

Exit code: 0 all well; 1 something is wrong with a cluster; 2 it could not be looked at.

--json  {"clusters": [{"name", "datastore", "well": boolean, "underWay": string|null (the run that changes it just now),
          "members": [{"name", "address", "leaving": boolean, "role", "state", "version": string|null,
                       "lag": {"words", "waiting", "paused" (share of a second)}|null, "disk": {"used", "size" (bytes)}|null}],
          "plan": [string], "wrong": [{"member": string|null, "what", "next": string|null}]}]}
        Keys are added, and never changed.`;
