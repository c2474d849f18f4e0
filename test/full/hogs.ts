import { createConnection, type Connection } from "mysql2/promise";

/** Clients that take connections, and do nothing with them until they lose them. */
export class Hogs {
  private readonly all: { destroy(): unknown }[] = [];

  /** At most so many administrators of a MariaDB server: as many as it lets in. */
  async mysql(host: string, password: string, most: number): Promise<void> {
    for (let count = 0; count < most; count++) {
      const connection: Connection | undefined = await createConnection({ host, user: "root", password, ssl: { rejectUnauthorized: false } }).catch(() => undefined);
      if (!connection) return;
      connection.on("error", () => undefined);
      this.all.push(connection);
    }
  }

  end(): void {
    for (const each of this.all) each.destroy();
  }
}
