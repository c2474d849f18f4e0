import * as ssh from "../../provider/guest/ssh";
import type { Guest } from "../../provider/guest/guest";
import { galera } from "../../provider/datastores/galera";
import type { Sight } from "../../provider/datastores/galera/plan";
import { TimedOut } from "../../provider/errors";
import { after, type Seen } from "./datastores/galera/model";

/** Guests in memory that show what the model says, in place of SSH and of MariaDB: for what runs above both. */
export class Fleet {
  readonly dialled: string[] = [];
  readonly done: string[] = [];
  readonly printed: string[] = [];
  readonly unreachable = new Set<string>();
  /** Throws to make a step fail on a member. */
  beforeStep: (step: string, member: string) => void = () => undefined;
  private readonly real = { connect: ssh.connect, observe: galera.observe, steps: { ...galera.steps }, log: console.log };

  constructor(public seen: Seen) {
    Object.assign(ssh, { connect: (target: ssh.Target) => this.connect(target) });
    galera.observe = async (cluster, { name }): Promise<Sight> => {
      await cluster.guest(name);
      return structuredClone(this.seen[name]!);
    };
    for (const what of Object.keys(galera.steps) as (keyof typeof galera.steps)[])
      galera.steps[what] = async (cluster, { name }) => {
        await cluster.guest(name);
        this.beforeStep(what, name);
        this.done.push(`${what} ${name}`);
        this.seen = after(this.seen, { do: what, on: [name] });
      };
    console.log = (line: string) => { this.printed.push(line); };
  }

  /** Puts the real ones back. */
  end(): void {
    Object.assign(ssh, { connect: this.real.connect });
    galera.observe = this.real.observe;
    Object.assign(galera.steps, this.real.steps);
    console.log = this.real.log;
  }

  private async connect({ name, address, pins }: ssh.Target): Promise<ssh.Connection> {
    this.dialled.push(name);
    if (this.unreachable.has(name)) throw new TimedOut(`SSH to ${name} (${address})`, 180, "connect ECONNREFUSED");
    const guest: Guest = { name, look: async () => "", run: async () => "", write: async () => true, say: () => undefined };
    return { guest, fingerprint: pins?.[0] ?? `SHA256:of-${name}`, close: () => undefined };
  }
}
