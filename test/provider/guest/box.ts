import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import execa from "execa";
import type { Guest } from "../../../provider/guest/guest";
import { onlyUnder } from "../../../provider/guest/lease";

/** A guest's shell on this machine: its commands run as root with a /run of their own, so that nothing is left behind. */
export class Box {
  readonly folder = mkdtempSync(join(tmpdir(), "box-"));
  private readonly lease = join(this.folder, "run/datastores/lease");

  constructor() {
    mkdirSync(join(this.folder, "run"));
  }

  /** The argument vector that runs a command in here. */
  inside(...command: string[]): [string, string[]] {
    return ["unshare", ["--mount", "--propagation", "private", "/bin/sh", "-c", 'mount --bind "$0" /run && exec "$@"', join(this.folder, "run"), ...command]];
  }

  /** A guest of the run `run`, without SSH between. */
  guest(run: string, said: string[] = []): Guest {
    const look = async (command: string, input = "") =>
      (await execa(...this.inside("/bin/bash", "--norc", "-euo", "pipefail", "-c", command),
        // A command that reads nothing may have ended before an empty input is written.
        { ...(input === "" ? { stdin: "ignore" } : { input }), stripFinalNewline: false })).stdout;
    return {
      name: "db-1", look,
      run: (command, input) => look(`${onlyUnder(run)}\n${command}`, input),
      write: () => Promise.reject(new Error("not in a box")),
      say: (line) => { said.push(line); },
    };
  }

  /** The lines of the lease that lies here, or none. */
  get held(): string[] {
    try {
      return readFileSync(this.lease, "utf8").trimEnd().split("\n");
    } catch {
      return [];
    }
  }

  /** Puts a lease here as another run would: it ends in so many seconds. */
  hold(run: string, seconds: number): void {
    const uptime = Math.floor(Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]));
    mkdirSync(join(this.folder, "run/datastores"), { recursive: true });
    writeFileSync(this.lease, `${run}\n${uptime + seconds}\nshop/test: create 3 members, on laptop\n`);
  }

  letGo(): void {
    rmSync(this.lease, { force: true });
  }

  end(): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** Boxes are mount namespaces. */
export function needsRoot(this: Mocha.Context): void {
  if (process.getuid?.() !== 0) this.skip();
}
