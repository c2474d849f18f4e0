/** The planner will not: data or quorum would be lost, or what is asked cannot be done yet. */
export class Refused extends Error {
  override name = "Refused";
  constructor(readonly rule: string, saw: string, wayForward: string) {
    super(`refused: ${rule}. Seen: ${saw}. Way forward: ${wayForward}.`);
  }
}

/** A command on a guest ended badly. `stderr` is whole; the message keeps its end, where the cause is. */
export class CommandFailed extends Error {
  override name = "CommandFailed";
  constructor(guest: string, command: string, readonly code: number | null, readonly stderr: string) {
    const end = stderr.trim().split("\n").slice(-4).join(" | ") || "it printed no error";
    const outcome = code === null ? "the connection was lost" : `exit code ${code}`;
    const full = stderr.includes("No space left on device") ? `. Way forward: make room on ${guest}, where \`df -h\` shows which disk is full, then run \`pulumi up\` again` : "";
    super(`${guest}: \`${command.trim().split("\n")[0]!.slice(0, 120)}\` failed (${outcome}): ${end}${full}`);
  }
}

/** A wait met its deadline. */
export class TimedOut extends Error {
  override name = "TimedOut";
  constructor(what: string, seconds: number, readonly saw: string) {
    super(`waited ${seconds} s for ${what}; last seen: ${saw}`);
  }
}

/** A step failed on a member; the steps before it are done, those after it were not begun. What a wait saw does not tell why: a journal does. */
export class StepFailed extends Error {
  override name = "StepFailed";
  constructor(step: string, member: string, override readonly cause: unknown) {
    super(`${step} ${member}: ${reason(cause)}${cause instanceof TimedOut ? ". Way forward: read `sudo journalctl -e` on the members named here, then run `pulumi up` again" : ""}`);
  }
}

export const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));
