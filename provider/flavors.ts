import type { Cloud } from "./cloud";
import { Refused } from "./errors";
import { flavorOf } from "./servers";
import type { Member } from "./topology";

/** By member name: the flavor that its server was last given, where that is known. */
export type Given = Record<string, string>;

/** What servers were given so far: as remembered, else what all were asked to have. A server that is another than then is as it was made. */
export function givenBefore(members: Member[], olds?: { known: Member[]; servers: Record<string, unknown>; flavors?: Given }): Given {
  const same = members.filter(({ name, server }) => olds?.known.some((old) => old.name === name && old.server === server));
  return Object.fromEntries(same.flatMap(({ name }) => {
    const flavor = olds!.flavors?.[name] ?? flavorOf(olds!.servers, name);
    return flavor === undefined ? [] : [[name, flavor]];
  }));
}

/** The members whose servers were given another flavor than they are asked to have, and that one. Of one of which nothing is known nothing is said. */
export const resizesOf = (names: string[], given: Given, servers: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(names.flatMap((name) => {
    const wanted = flavorOf(servers, name);
    return wanted !== undefined && given[name] !== undefined && given[name] !== wanted ? [[name, wanted]] : [];
  }));

export const noCloud = "give access to Nova from where `pulumi` runs: OS_CLOUD and a clouds.yaml, or OS_AUTH_URL and its like, or the argument `cloud`";

/** The flavors of a cluster's servers: what is asked for, and what each was given. */
export class Flavors {
  constructor(private readonly members: Member[], private readonly servers: Record<string, unknown>, readonly given: Given, private readonly cloud: () => Promise<Cloud | undefined>) {}

  /**
   * Members whose servers have another flavor than is asked for, as Nova tells. Who was given what is asked for is not looked at: if somebody gave it another, that stays.
   * Where Nova does not tell, new servers are taken to be as they were asked for.
   */
  async resizes(): Promise<Record<string, string>> {
    const others = await Promise.all(this.members.map(async (member): Promise<[string, string][]> => {
      const wanted = flavorOf(this.servers, member.name);
      if (wanted === undefined || this.given[member.name] === wanted || (await this.has(member, wanted))) return [];
      return [[member.name, wanted]];
    }));
    return Object.fromEntries(others.flat());
  }

  /** Gives a server the flavor that is asked for. */
  async give({ name, server }: Member, say: (line: string) => void): Promise<void> {
    const flavor = flavorOf(this.servers, name)!;
    await (await this.nova(name)).resize(server, flavor, say);
    this.given[name] = flavor;
  }

  private async has({ name, server }: Member, wanted: string): Promise<boolean> {
    const asMade = this.given[name] === undefined;
    const told = await this.nova(name).then((nova) => nova.server(server)).catch((error) => {
      if (asMade) return undefined;
      throw error;
    });
    const has = told ? told.flavor === wanted && told.status !== "VERIFY_RESIZE" : true;
    if (has && told) this.given[name] = wanted;
    return has;
  }

  private async nova(name: string): Promise<Cloud> {
    const cloud = await this.cloud();
    if (!cloud) throw new Refused("a server gets another flavor through Nova", `there is no access to it, and ${name} would get one`, noCloud);
    return cloud;
  }
}
