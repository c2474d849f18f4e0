import { isDeepStrictEqual } from "node:util";
import { runtime } from "@pulumi/pulumi";
import type { Document, Raw } from "../../provider/check";
import { galera } from "../../provider/datastores/galera";
import type { Outputs } from "../../provider/inputs";
import * as lifecycle from "../../provider/lifecycle";
import type { Member } from "../../provider/topology";
import { Fleet } from "./fleet";
import { unwrapped } from "./wire";

/** A cluster and its state, as the engine has them: each `up` checks, compares, and creates or updates. */
export class Stack {
  readonly fleet = new Fleet({});
  outs!: Outputs;
  /** What the last `up` printed. */
  said: string[] = [];
  private inputs?: Raw;

  /** The title of the change, and what is printed of it. A server that is still to be made is unknown. */
  async preview(program: Document): Promise<string[]> {
    const isThere = (member: Member, key: keyof Member) => this.inputs !== undefined && this.outs.known.some((each) => each.name === member.name && each[key] === member[key]);
    const members = program.members.map((each) => Object.fromEntries(Object.entries(each).map(([key, value]) =>
      [key, key === "name" || isThere(each, key as keyof Member) ? value : runtime.unknownValue])));
    const { inputs } = await this.compare({ ...program, members });
    return [...Object.keys(inputs.plan as object), ...this.printed()];
  }

  /** What was done on the guests. What a failure leaves is kept. */
  async up(program: Document): Promise<string[]> {
    for (const { name } of program.members) this.fleet.seen[name] ??= structuredClone(galera.blank);
    const { inputs, changes } = await this.compare(program as unknown as Raw);
    const done = this.fleet.done.length;
    try {
      if (!this.inputs) this.outs = (await lifecycle.create(inputs)).outs as Outputs;
      else if (changes) this.outs = (await lifecycle.update("orders", this.outs, inputs)).outs as Outputs;
    } catch (error) {
      this.outs = (error as { properties: Outputs }).properties;
      throw error;
    } finally {
      this.inputs = inputs;
      this.said = this.printed();
    }
    return this.fleet.done.slice(done);
  }

  /** As the engine does it: it asks for the difference, too. */
  async refresh(): Promise<void> {
    this.outs = (await lifecycle.read("orders", this.outs)).props as Outputs;
    await lifecycle.diff("orders", this.outs, this.inputs!);
  }

  private async compare(program: Raw): Promise<{ inputs: Raw; changes: boolean }> {
    const { inputs, failures } = await lifecycle.check(this.inputs, program);
    if (failures!.length > 0) throw new Error(failures!.map(({ reason }) => reason).join("; "));
    const wanted = unwrapped(inputs) as Raw;
    const changes = this.inputs !== undefined && (await lifecycle.diff("orders", this.outs, wanted)).changes;
    return { inputs: wanted, changes: changes || !isDeepStrictEqual(wanted, this.inputs) };
  }

  /** What was printed since the last call. */
  private printed(): string[] {
    return this.fleet.printed.splice(0).map((line) => line.replace(/^\[orders\] /, ""));
  }
}

/** What lines of a plan do, an act on a member each. */
export const acts = (lines: string[]): string[] => lines.flatMap((line) => {
  const [what = "", ...on] = line.split(" ");
  return on.map((name) => `${what} ${name}`);
});
