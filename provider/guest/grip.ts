import type { Guest } from "./guest";
import { commandOf, folder } from "./lease";
import { sh } from "./shell";

/** What keeps a guest for a run: its lease, and its commands that still run. A run that takes the lease waits for both. */
export interface Grip {
  /** Seconds that it has left; none or fewer when its run is dead. */
  lease?: { seconds: number; title: string };
  commands: Command[];
}

export interface Command {
  pid: number;
  /** For how long it runs, as `ps` writes it. */
  elapsed: string;
  /** Its own first words. */
  words: string;
  /** After `letGo`: how it ended, if it did. */
  ended?: "TERM" | "KILL";
}

/** Seconds that a command has to end by itself. */
const grace = 10;

/** Whoever has the file open holds the lock, or waits for it. By inode: a path may be another file to another process. `find -samefile` would open it, too. */
const seen = `${sh`cd ${folder} 2>/dev/null || exit 0`}
holders() { for fd in /proc/[0-9]*/fd/*; do [ ! "$fd" -ef busy ] || { pid=\${fd#/proc/}; echo "\${pid%%/*}"; }; done | sort -un; }
if [ -s lease ]; then
  { read -r _; read -r until; read -r what; } <lease
  read -r uptime _ </proc/uptime
  echo "lease $((until - \${uptime%.*})) $what"
fi
for pid in $(holders); do
  elapsed=$(ps -o etime= -p "$pid" | tr -d ' ') || continue
  echo "command $pid $elapsed $(base64 -w 0 "/proc/$pid/cmdline" 2>/dev/null || true)"
done`;

/**
 * Nobody takes the lease while it is removed and the commands end, so all of them are of the run that had it, or of those before. That one is refused its next command,
 * which also keeps it from renewing what it lost.
 */
const release = `${sh`mkdir -p ${folder}; exec 9>${folder}/lock; flock -w 10 9 || { echo "another run is just taking the lease" >&2; exit 1; }`}
${seen}
rm -f lease
end() {
  pids=$(holders)
  [ -n "$pids" ] || return 0
  kill "-$1" $pids 2>/dev/null || true
  for i in $(seq "$2"); do [ -n "$(holders)" ] || break; sleep 0.5; done
}
end TERM ${2 * grace}
holders | sed 's/^/outlived TERM /'
end KILL ${grace}
holders | sed 's/^/outlived KILL /'`;

/** Who keeps the guest. Only looks. */
export const gripOf = async (guest: Guest): Promise<Grip> => read(await guest.look(seen), false);

/** Takes the guest from whoever keeps it: removes the lease, and ends the commands that still run. Says what there was. */
export const letGo = async (guest: Guest): Promise<Grip> => read(await guest.look(release), true);

function read(answer: string, forced: boolean): Grip {
  const lines = answer.split("\n").map((line) => line.split(" "));
  const [lease] = lines.filter(([what]) => what === "lease");
  const outlived = (signal: string, pid: string) => lines.some(([what, ...words]) => what === "outlived" && words[0] === signal && words[1] === pid);
  return {
    ...(lease && { lease: { seconds: Number(lease[1]), title: lease.slice(2).join(" ") } }),
    commands: lines.filter(([what]) => what === "command").map(([, pid = "", elapsed = "", encoded = ""]) => ({
      pid: Number(pid), elapsed, words: wordsOf(Buffer.from(encoded, "base64").toString()),
      ...(forced && !outlived("KILL", pid) && { ended: outlived("TERM", pid) ? "KILL" : "TERM" }),
    })),
  };
}

/** Of a shell of ours the first line of its command; of all others their arguments. No secret is in either: those go by standard input. */
const wordsOf = (cmdline: string): string => commandOf(cmdline.replaceAll("\0", " ")).trim().split("\n")[0]!.slice(0, 120);
