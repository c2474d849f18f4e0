import { createConnection, type Connection } from "mysql2/promise";
import type { Database } from "../writer";

export interface Access {
  endpoints: string[];
  password: string;
  caCertificate: string;
}

/** A client over TLS that stays with one member until that fails, and goes to the next. */
export class Client implements Database {
  private at = 0;
  private connection: Connection | undefined;

  private constructor(private readonly access: Access) {}

  static async start(access: Access): Promise<Client> {
    const connection = await connect(access, 0, 15_000);
    await connection.query("CREATE DATABASE IF NOT EXISTS written");
    await connection.query("CREATE TABLE IF NOT EXISTS written.rows_ (id INT PRIMARY KEY, filler CHAR(200)) ENGINE=InnoDB");
    connection.destroy();
    return new Client(access);
  }

  /** The endpoint that it writes to. */
  get to(): string {
    return this.access.endpoints[this.at]!;
  }

  async put(id: number, patience: number): Promise<void> {
    this.connection ??= await connect(this.access, this.at, patience);
    await this.connection.query({ sql: `INSERT INTO written.rows_ VALUES (${id}, REPEAT('x', 200))`, timeout: patience });
  }

  /** Verifies by these from its next connection on. */
  trust(caCertificate: string): void {
    this.access.caCertificate = caCertificate;
  }

  /** From its next connection on. */
  changeOver(password: string): void {
    this.access.password = password;
  }

  failed(): void {
    this.end();
    this.at = (this.at + 1) % this.access.endpoints.length;
  }

  end(): void {
    this.connection?.destroy();
    this.connection = undefined;
  }
}

async function connect({ endpoints, password, caCertificate }: Access, at: number, patience: number): Promise<Connection> {
  const [host, port] = endpoints[at]!.split(":");
  const connection = await createConnection({ host, port: Number(port), user: "root", password, connectTimeout: patience, ssl: { ca: caCertificate } });
  // What breaks while idle is told by the next row.
  connection.on("error", () => undefined);
  return connection;
}
