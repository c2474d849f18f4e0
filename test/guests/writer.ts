import { setTimeout as sleep } from "node:timers/promises";

/** How a client fared while something was done to its cluster. */
export interface Fared {
  rows: number;
  /** Milliseconds of the longest time without an acknowledged row. */
  longestGap: number;
  seconds: number;
}

/** A database, as a client of it sees it. */
export interface Database {
  /** Writes one row, and gives up after `patience` milliseconds. Throws when it is not acknowledged. */
  put(id: number, patience: number): Promise<void>;
  /** The last row failed: the next one may go elsewhere. */
  failed(): void;
  end(): void;
}

/** Milliseconds between two rows. */
const pause = 15;
export const mostASecond = 1000 / pause;

/** A client that writes one row after another. A row counts as acknowledged when the server said so: of a row that was cut off nobody knows. */
export class Writer {
  private acknowledged: number[] = [];
  private id = 0;
  private running = true;
  /** Milliseconds after which it gives a row up. */
  patience = 15_000;
  private lastFailure = "none";
  private last = Date.now();
  private phase = { began: Date.now(), rows: 0, longestGap: 0 };
  private readonly loop: Promise<void>;

  constructor(private readonly database: Database) {
    this.loop = this.write();
  }

  /** How it fared since the last call. */
  fared(): Fared {
    const { began, rows, longestGap } = this.phase;
    const now = Date.now();
    this.phase = { began: now, rows: 0, longestGap: 0 };
    return { rows, longestGap: Math.max(longestGap, now - Math.max(this.last, began)), seconds: (now - began) / 1000 };
  }

  /** What its last failure said. */
  get failure(): string {
    return this.lastFailure;
  }

  /** The ids of all rows acknowledged so far. */
  soFar(): number[] {
    return [...this.acknowledged];
  }

  /** These are known to be gone. */
  forget(lost: { id: number }[]): void {
    const ids = new Set(lost.map(({ id }) => id));
    this.acknowledged = this.acknowledged.filter((id) => !ids.has(id));
  }

  /** Writes no more; its rows can still be looked for. */
  async stop(): Promise<void> {
    this.running = false;
    await this.loop;
  }

  async end(): Promise<void> {
    await this.stop();
    this.database.end();
  }

  private async write(): Promise<void> {
    while (this.running) {
      const id = ++this.id;
      try {
        await this.database.put(id, this.patience);
        const now = Date.now();
        this.phase.longestGap = Math.max(this.phase.longestGap, now - Math.max(this.last, this.phase.began));
        this.phase.rows += 1;
        this.last = now;
        this.acknowledged.push(id);
        await sleep(pause);
      } catch (error) {
        this.lastFailure = String(error);
        this.database.failed();
        await sleep(100);
      }
    }
  }
}
