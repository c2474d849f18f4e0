import { connect, fingerprintsOf, type Connection, type Follow, type Session } from "./ssh";
import type { Guest } from "./guest";
import type { Member } from "../topology";

/** The guests of one run: one connection each, made at the first call, and the host keys they showed. */
export class Guests {
  private readonly connections = new Map<string, Promise<Connection>>();

  /** `pins`: the host key that each server showed before, by server id. A new server starts anew. */
  constructor(private readonly members: Member[], private readonly pins: Record<string, string>, private readonly session: Omit<Session, "say" | "seconds"> & { seconds(member: string): number | undefined; say(member: string, line: string): void }) {}

  /** Dials a guest once; a failure stays the answer for this run. */
  readonly reach = async (name: string): Promise<Guest> => (await this.dial(name)).guest;

  /** Shows what a command prints on a guest for as long as it prints. */
  async follow(name: string, ...what: Parameters<Follow>): Promise<void> {
    await (await this.dial(name)).follow(...what);
  }

  private dial(name: string): Promise<Connection> {
    const member = this.members.find((each) => each.name === name)!;
    let connection = this.connections.get(name);
    if (!connection) {
      const given = this.session.access.hostKeys?.[name];
      const pinned = this.pins[member.server];
      connection = connect(
        { name, address: member.address, pins: given ? fingerprintsOf(given, `access.hostKeys.${name}`) : (pinned === undefined ? undefined : [pinned]) },
        { ...this.session, seconds: this.session.seconds(name), say: (line) => this.session.say(name, line) });
      this.connections.set(name, connection);
    }
    return connection;
  }

  /** The pins to remember: of each of these servers, what it showed now or before. */
  async shown(members: Member[]): Promise<Record<string, string>> {
    const pins: Record<string, string> = {};
    for (const { name, server } of members) {
      const shown = await this.connections.get(name)?.then(({ fingerprint }) => fingerprint, () => undefined) ?? this.pins[server];
      if (shown) pins[server] = shown;
    }
    return pins;
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.connections.values()].map(async (connection) => (await connection).close()));
  }
}
