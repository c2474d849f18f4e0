import { connect, connectBastion, fingerprintsOf, type Bastion, type Connection, type Follow, type Session } from "./ssh";
import type { Guest } from "./guest";
import type { Member } from "../topology";

/** Seconds for a guest that is up to let in a key that it was just given. */
const presentSeconds = 20;

/** The guests of one run: one connection each, made at the first call, and the host keys they showed; so of their bastion. */
export class Guests {
  private readonly connections = new Map<string, Promise<Connection>>();
  private readonly pins: Record<string, string>;
  /** Host keys that the cloud has told of guests with a new disk. */
  private readonly told = new Map<string, string>();
  private bastion?: Promise<Bastion>;

  /** `pins`: the host key that each server showed before, by server id, and the bastion's by its place. A new server starts anew. */
  constructor(private readonly members: Member[], pins: Record<string, string>, private readonly session: Omit<Session, "say" | "seconds"> & { seconds(name: string): number | undefined; say(name: string, line: string): void }) {
    this.pins = { ...pins };
  }

  /** Dials a guest once; a failure stays the answer for this run. */
  readonly reach = async (name: string): Promise<Guest> => (await this.dial(name)).guest;

  /** Dials a guest once more, that has booted anew: it shows the host key that it showed before, or one of those of its new disk. None of them known, the first is trusted. */
  async again(name: string, keys?: string[] | void): Promise<Guest> {
    const before = await this.connections.get(name);
    before?.close();
    if (keys) this.renew(name, keys);
    else if (before) this.pins[this.serverOf(name)] = before.fingerprint;
    this.connections.delete(name);
    return this.reach(name);
  }

  /** Its disk is new: it shows one of these keys, if any is told, and what it showed before counts no more. */
  renew(name: string, keys: string[]): void {
    delete this.pins[this.serverOf(name)];
    if (keys.length > 0) this.told.set(name, keys.join("\n"));
  }

  private serverOf(name: string): string {
    return this.members.find((each) => each.name === name)!.server;
  }

  /** Dials a guest once more, with the present key alone, and goes on over that connection: it is proven to let it in. */
  async byPresentKey(name: string): Promise<Guest> {
    const before = await this.dial(name);
    this.pins[this.serverOf(name)] = before.fingerprint;
    const now = await this.connect(name, { former: [], seconds: presentSeconds });
    this.connections.set(name, Promise.resolve(now));
    before.close();
    return now.guest;
  }

  /** Whether the bastion, where there is one, lets in a former key alone. */
  async bastionByFormer(): Promise<boolean> {
    return (await this.dialBastion())?.byFormer ?? false;
  }

  /** Shows what a command prints on a guest for as long as it prints. */
  async follow(name: string, ...what: Parameters<Follow>): Promise<void> {
    await (await this.dial(name)).follow(...what);
  }

  private dial(name: string): Promise<Connection> {
    let connection = this.connections.get(name);
    if (!connection) {
      connection = this.connect(name);
      this.connections.set(name, connection);
    }
    return connection;
  }

  private async connect(name: string, otherwise: Partial<Session> = {}): Promise<Connection> {
    const { address, server } = this.members.find((each) => each.name === name)!;
    const argument = `access.hostKeys.${name}`;
    const pins = this.accepted(this.told.get(name) ?? this.session.access.hostKeys?.[name], argument, server);
    return connect({ name, address, pins }, { ...this.as(name), ...otherwise }, await this.dialBastion());
  }

  /** One for all guests, so that in a run it shows one key; and its sshd turns away some of those who come all at once (MaxStartups). */
  private dialBastion(): Promise<Bastion | undefined> {
    const { bastion } = this.session.access;
    if (!bastion) return Promise.resolve(undefined);
    const argument = "access.bastion.hostKey";
    this.bastion ??= connectBastion({ name: "bastion", address: bastion.host, argument, pins: this.accepted(bastion.hostKey, argument, placeOf(bastion)) }, this.as("bastion"), bastion);
    return this.bastion;
  }

  /** The fingerprints of which one must be shown: of the keys that were given, or else what was shown before. */
  private accepted(given: string | undefined, argument: string, pin: string): string[] | undefined {
    if (given !== undefined) return fingerprintsOf(given, argument);
    const pinned = this.pins[pin];
    return pinned === undefined ? undefined : [pinned];
  }

  private as(name: string): Session {
    return { ...this.session, seconds: this.session.seconds(name), say: (line) => this.session.say(name, line) };
  }

  /** The pins to remember: of each of these servers, and of the bastion, what it showed now or before. */
  async shown(members: Member[]): Promise<Record<string, string>> {
    const { bastion } = this.session.access;
    const pins: Record<string, string> = {};
    const remember = async (pin: string, connection?: Promise<{ fingerprint: string }>) => {
      const shown = await connection?.then(({ fingerprint }) => fingerprint, () => undefined) ?? this.pins[pin];
      if (shown) pins[pin] = shown;
    };
    for (const { name, server } of members) await remember(server, this.connections.get(name));
    if (bastion) await remember(placeOf(bastion), this.bastion);
    return pins;
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.connections.values()].map(async (connection) => (await connection).close()));
    await this.bastion?.then(({ close }) => close(), () => undefined);
  }
}

/** No server's id: those have no colon. */
const placeOf = ({ host, port = 22 }: NonNullable<Session["access"]["bastion"]>): string => `${host}:${port}`;
