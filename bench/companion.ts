import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { eventually } from "../provider/guest/eventually";
import { begin } from "./interruption";

/** A program of ours in a process of its own, that goes on until we end it. Its messages are objects, and what all of them say is kept. */
export class Companion {
  readonly said: Record<string, unknown> = {};
  private readonly child: ChildProcess;

  constructor(private readonly who: string, file: string, args: string[] = []) {
    this.child = begin(() => fork(file, args, { execArgv: file.endsWith(".ts") ? ["-r", "ts-node/register/transpile-only"] : [] }));
    this.child.on("message", (message: object) => Object.assign(this.said, message));
    // Who cannot be told anything has ended: the next wait says so.
    this.child.on("error", () => undefined);
  }

  tell(message: object): void {
    this.child.send(message);
  }

  /** Waits until it has said `what`. Throws when it ends before that, or one of those it needs. */
  async says<T>(what: string, seconds: number, needs: Companion[] = []): Promise<T> {
    const missing = `${this.who} to say "${what}"`;
    await eventually(missing, { seconds, every: 100 }, async () => {
      if (what in this.said) return true;
      for (const each of [this, ...needs]) if (!each.lives()) throw new Error(`${each.who} ended (${each.child.signalCode ?? `exit code ${each.child.exitCode}`}) while we waited for ${missing}: what they printed above, if anything, says why`);
      return `they had said: ${Object.keys(this.said).join(", ") || "nothing"}`;
    });
    return this.said[what] as T;
  }

  /** What it holds, as the ports it listens on, is free then. */
  async end(): Promise<void> {
    if (!this.lives()) return;
    const exit = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await exit;
  }

  private lives(): boolean {
    return this.child.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }
}
