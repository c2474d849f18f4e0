import type { Writable } from "node:stream";
import { byName } from "../provider/datastores";
import { sh } from "../provider/guest/shell";
import type { Outputs } from "../provider/inputs";
import { clusterOf, reached } from "./stack";

export interface Journal {
  lines: number;
  follow?: boolean;
}

/** Writes what the database of a member told its journal; with `follow` also what it tells from now on. Whether Ctrl-C ended that. */
export async function logs(clusters: Outputs[], member: string, { lines, follow }: Journal, to: Writable, say: (line: string) => void): Promise<boolean> {
  const state = clusterOf(clusters, member);
  const { guests, cluster } = reached(state, say);
  const until = new AbortController();
  const end = () => until.abort();
  try {
    await guests.reach(member);
    process.once("SIGINT", end);
    const { unit } = byName(state.datastore).needs(cluster.want.options);
    await guests.follow(member, sh`journalctl --quiet --no-pager ${[`--unit=${unit}`, `--lines=${lines}`, ...(follow ? ["--follow"] : [])]}`, to, until.signal);
    return until.signal.aborted;
  } finally {
    process.removeListener("SIGINT", end);
    await guests.close();
  }
}
