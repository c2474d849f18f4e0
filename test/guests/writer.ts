import { setTimeout as sleep } from "node:timers/promises";
import { createConnection, type Connection } from "mysql2/promise";

/** How a client fared while something was done to its cluster. */
export interface Fared {
  rows: number;
  /** Milliseconds of the longest time without an acknowledged row. */
  longestGap: number;
  seconds: number;
}

export interface Clients {
  endpoints: string[];
  password: string;
  caCertificate: string;
}

/** Milliseconds between two rows. */
const pause = 15;

/**
 * A client that writes one row after another over TLS, to one member until that fails, then to the next. A row counts
 * as acknowledged when the server said so: of a row that was cut off nobody knows.
 */
export class Writer {
  private readonly acknowledged: number[] = [];
  private id = 0;
  private at = 0;
  private connection: Connection | undefined;
  private running = true;
  /** Milliseconds after which it gives a member up that does not answer. */
  patience = 15_000;
  private failed = "none";
  private last = Date.now();
  private phase = { began: Date.now(), rows: 0, longestGap: 0 };
  private readonly loop: Promise<void>;

  private constructor(private readonly clients: Clients) {
    this.loop = this.write();
  }

  static async start(clients: Clients): Promise<Writer> {
    const connection = await connect(clients, 0, 15_000);
    await connection.query("CREATE DATABASE IF NOT EXISTS written");
    await connection.query("CREATE TABLE IF NOT EXISTS written.rows_ (id INT PRIMARY KEY, filler CHAR(200)) ENGINE=InnoDB");
    connection.destroy();
    return new Writer(clients);
  }

  /** How it fared since the last call. */
  fared(): Fared {
    const { began, rows, longestGap } = this.phase;
    const now = Date.now();
    this.phase = { began: now, rows: 0, longestGap: 0 };
    return { rows, longestGap: Math.max(longestGap, now - Math.max(this.last, began)), seconds: (now - began) / 1000 };
  }

  /** The endpoint that it writes to. */
  get to(): string {
    return this.clients.endpoints[this.at]!;
  }

  /** What its last failure said. */
  get failure(): string {
    return this.failed;
  }

  /** The ids of all rows acknowledged so far. */
  soFar(): number[] {
    return [...this.acknowledged];
  }

  async end(): Promise<void> {
    this.running = false;
    await this.loop;
    this.connection?.destroy();
  }

  private async write(): Promise<void> {
    while (this.running) {
      const id = ++this.id;
      try {
        this.connection ??= await connect(this.clients, this.at, this.patience);
        await this.connection.query({ sql: `INSERT INTO written.rows_ VALUES (${id}, REPEAT('x', 200))`, timeout: this.patience });
        const now = Date.now();
        this.phase.longestGap = Math.max(this.phase.longestGap, now - Math.max(this.last, this.phase.began));
        this.phase.rows += 1;
        this.last = now;
        this.acknowledged.push(id);
        await sleep(pause);
      } catch (error) {
        this.failed = String(error);
        this.connection?.destroy();
        this.connection = undefined;
        this.at = (this.at + 1) % this.clients.endpoints.length;
        await sleep(100);
      }
    }
  }
}

async function connect({ endpoints, password, caCertificate }: Clients, at: number, patience: number): Promise<Connection> {
  const [host, port] = endpoints[at]!.split(":");
  const connection = await createConnection({ host, port: Number(port), user: "root", password, connectTimeout: patience, ssl: { ca: caCertificate } });
  // What breaks while idle is told by the next row.
  connection.on("error", () => undefined);
  return connection;
}
