import { Refused, reason } from "./errors";
import type { Guests } from "./guest/guests";
import { admit, dismiss } from "./guest/keys";
import type { Held } from "./guest/lease";
import { publicHalf } from "./guest/ssh";
import type { Inputs } from "./inputs";
import { admission, dismissal, isSameKey } from "./keys";
import type { Machines } from "./machines";
import type { Member } from "./topology";

/**
 * How members come from former keys to the present one, around a run's other steps: let in beside the former on whoever is there, tried, and given to Nova for servers that
 * are still to be made; at the end of the run, when it is proven on all, the former go. Each part is done again from wherever it was cut.
 */
export class Admission {
  constructor(private readonly of: Pick<Inputs, "access" | "owner">, private readonly former: string[], private readonly guests: Guests, private readonly held: Held, private readonly machines: Machines) {}

  /** Before all else on these members: from then on each is reached by the present key. */
  async admit(members: Member[]): Promise<void> {
    const { present, former } = await this.keys();
    if (former.length === 0) return;
    const { bastion } = this.of.access;
    if (bastion && await this.guests.bastionByFormer())
      throw new Refused("a former key goes only when the present one is let in everywhere", `${bastion.user} at ${bastion.host}, the bastion, lets in the former alone`, "let the public half of access.privateKey in there, and run `pulumi up` again");
    await this.step(1, admission(namesOf(members)), async () => {
      await Promise.all(members.map((member) => this.prove(member, present)));
      await this.machines.giveKeys();
    });
  }

  /** After all else. A server that was made or rebuilt meanwhile may have been given the former key. */
  async dismiss(members: Member[]): Promise<void> {
    const { present, former } = await this.keys();
    if (former.length === 0) return;
    await this.step(2, dismissal(namesOf(members)), async () => {
      await Promise.all(members.map((member) => this.prove(member, present)));
      await Promise.all(members.map(async ({ name }) => dismiss(await this.guests.reach(name), this.of.access.user, former, present)));
    });
  }

  private async prove({ name }: Member, present: string): Promise<void> {
    const guest = await this.guests.reach(name);
    await admit(guest, this.of.access.user, present);
    await this.held.through(guest, () => this.guests.byPresentKey(name)).catch((error) => {
      throw new Error(`${name} was given the new key and does not let it in, so the former stays: ${reason(error)}`, { cause: error });
    });
  }

  /** The public halves. The same key may be written in several ways. */
  private async keys(): Promise<{ present: string; former: string[] }> {
    if (this.former.length === 0) return { present: "", former: [] };
    const [present = "", ...former] = await Promise.all([this.of.access.privateKey, ...this.former].map(publicHalf));
    return { present, former: former.filter((key) => !isSameKey(key, present)) };
  }

  private async step(number: number, line: string, act: () => Promise<void>): Promise<void> {
    const say = (text: string) => console.log(`[${this.of.owner.cluster}] access step ${number}/2 ${text}`);
    const began = Date.now();
    say(line);
    await act();
    say(`${line}: done in ${((Date.now() - began) / 1000).toFixed(1)} s`);
  }
}

const namesOf = (members: Member[]): string[] => members.map(({ name }) => name);
