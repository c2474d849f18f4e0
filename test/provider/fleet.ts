import { once } from "node:events";
import * as ssh from "../../provider/guest/ssh";
import type { Guest } from "../../provider/guest/guest";
import { galera } from "../../provider/datastores/galera";
import type { Sight } from "../../provider/datastores/galera/sight";
import { TimedOut } from "../../provider/errors";
import { isSameKey } from "../../provider/keys";
import { names } from "../../provider/topology";
import { after, type Seen } from "./datastores/galera/model";
import { answer, type Told } from "./machine";

/** Guests in memory that show what the model says, in place of SSH and of MariaDB: for what runs above both. */
export class Fleet {
  readonly dialled: string[] = [];
  /** Seconds that each guest was given to let the provider in. */
  readonly patience: Record<string, number | undefined> = {};
  /** The fingerprints of which each was to show one, the bastion too. */
  readonly accepted: Record<string, string[] | undefined> = {};
  /** What the leases say that were taken. */
  readonly leases: string[] = [];
  readonly done: string[] = [];
  readonly printed: string[] = [];
  readonly unreachable = new Set<string>();
  /** What the members' machines tell otherwise than one that is well. */
  readonly machines: Record<string, Told> = {};
  /** Whose machines were looked at. */
  readonly inspected: string[] = [];
  /** What a guest answers who is looked at otherwise than by `observe`. */
  answer: (member: string, command: string) => string = () => "";
  /** What a guest answers that is told to change something otherwise than by a step. */
  act: (member: string, command: string, stdin: string) => string = () => "";
  /** The authorized_keys of each, where it matters who is let in. */
  readonly authorized: Record<string, string> = {};
  /** Members whose sshd reads another file. */
  readonly deaf = new Set<string>();
  /** Throws before a guest's file is written. */
  beforeWrite: (member: string) => void = () => undefined;
  /** Whether the bastion lets in a former key alone. */
  bastionByFormer = false;
  /** Members at which only a glance was taken. */
  readonly glanced: string[] = [];
  /** Commands whose output was followed. */
  readonly followed: string[] = [];
  /** Throws to make a step fail on a member. */
  beforeStep: (step: string, member: string) => void = () => undefined;
  /** The members in each options file: it is seen as wanted only while it names those that are wanted. */
  private readonly written: Record<string, string> = {};
  private readonly real = { connect: ssh.connect, connectBastion: ssh.connectBastion, observe: galera.observe, steps: { ...galera.steps }, log: console.log };

  constructor(public seen: Seen) {
    Object.assign(ssh, {
      connect: (target: ssh.Target, session: ssh.Session) => this.connect(target, session),
      connectBastion: async (target: ssh.Target): Promise<ssh.Bastion> => ({ fingerprint: this.shown(target), byFormer: this.bastionByFormer, tunnel: () => Promise.reject(new Error("nobody goes through")), close: () => undefined }),
    });
    galera.observe = async (cluster, { name }): Promise<Sight> => {
      await cluster.guest(name);
      if (cluster.glance) this.glanced.push(name);
      const sight = structuredClone(this.seen[name]!);
      return (this.written[name] ?? membersOf(cluster)) === membersOf(cluster) ? sight : galera.outdated(sight, { members: true });
    };
    for (const what of Object.keys(galera.steps) as (keyof typeof galera.steps)[])
      galera.steps[what] = async (cluster, member, step) => {
        const { name } = member;
        await cluster.guest(name);
        this.beforeStep(what, name);
        if (what === "resize" || what === "rebuild") await cluster[what]!(member);
        if (what === "configure") this.written[name] = membersOf(cluster);
        this.done.push(`${what} ${name}`);
        this.seen = after(this.seen, { ...step, do: what, on: [name] });
      };
    console.log = (line: string) => { this.printed.push(line); };
  }

  /** Puts the real ones back. */
  end(): void {
    const { connect, connectBastion } = this.real;
    Object.assign(ssh, { connect, connectBastion });
    galera.observe = this.real.observe;
    Object.assign(galera.steps, this.real.steps);
    console.log = this.real.log;
  }

  private shown({ name, pins }: ssh.Target): string {
    this.accepted[name] = pins;
    return pins?.[0] ?? `SHA256:of-${name}`;
  }

  /** Which of the session's keys lets it in, 0 the present one. */
  private async letIn(name: string, { access, former = [] }: ssh.Session): Promise<number> {
    const file = this.authorized[name];
    if (file === undefined) return 0;
    const halves = await Promise.all([access.privateKey, ...former].map(ssh.publicHalf));
    const found = halves.findIndex((half) => file.split("\n").some((line) => isSameKey(line, half)));
    if (found < 0) throw new TimedOut(`SSH to ${name}`, 20, "All configured authentication methods failed");
    return found;
  }

  private async connect(target: ssh.Target, session: ssh.Session): Promise<ssh.Connection> {
    const { seconds } = session;
    const { name, address } = target;
    this.dialled.push(name);
    this.patience[name] = seconds;
    if (this.unreachable.has(name)) throw new TimedOut(`SSH to ${name} (${address})`, seconds ?? 180, "connect ECONNREFUSED");
    const look = async (command: string) => {
      if (command.includes("$EPOCHREALTIME")) {
        this.inspected.push(name);
        return answer(command, name, this.machines[name]);
      }
      if (command.includes("authorized_keys")) return `/home/debian\ndebian\n${this.authorized[name]}`;
      if (command.includes("/lease")) this.leases.push(`${name}: ${/'(\w+\/\w+: .*?), on /.exec(command)?.[1]}`);
      return this.answer(name, command);
    };
    const follow: ssh.Follow = async (command, to, until) => {
      this.followed.push(`${name}: ${command}`);
      to.write(this.answer(name, command));
      if (command.includes("--follow")) await once(until, "abort");
    };
    const byFormer = (await this.letIn(name, session)) > 0;
    const write = async (path: string, content: string) => {
      this.beforeWrite(name);
      if (path === "/home/debian/.ssh/authorized_keys" && !this.deaf.has(name)) this.authorized[name] = content;
      return true;
    };
    const guest: Guest = { name, look, run: async (command, stdin = "") => this.act(name, command, stdin), write, say: () => undefined };
    return { guest, fingerprint: this.shown(target), byFormer, follow, close: () => undefined };
  }
}

const membersOf = ({ want }: Parameters<typeof galera.observe>[0]) => names(want).join();
