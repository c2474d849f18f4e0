import { isSettled, type Cloud } from "./cloud";
import { reason, Refused } from "./errors";
import { eventually } from "./guest/eventually";
import { flavorOf, imageOf } from "./servers";
import type { Due, Member } from "./topology";

/** By member name: the flavor and the image that its server was last given, where that is known; `unsettled` where Nova did not say how it ended. */
export interface Given {
  flavors: Record<string, string>;
  images: Record<string, string>;
}

/** No flavor's and no image's name, so it is none that is asked for: whatever is, Nova is asked what the server has. */
const unsettled = "";

/** Seconds for a server to boot as far as to tell its host keys. */
const keysSeconds = 120;

interface Before {
  known: Member[];
  servers: Record<string, unknown>;
  flavors?: Record<string, string>;
  images?: Record<string, string>;
}

/** What servers were given so far: as remembered, else what all were asked to have. A server that is another than then is as it was made. */
export function givenBefore(members: Member[], olds?: Before): Given {
  const same = members.filter(({ name, server }) => olds?.known.some((old) => old.name === name && old.server === server));
  const known = (of: (name: string) => string | undefined) => Object.fromEntries(same.flatMap(({ name }) => {
    const word = of(name);
    return word === undefined ? [] : [[name, word]];
  }));
  return { flavors: known((name) => olds!.flavors?.[name] ?? flavorOf(olds!.servers, name)), images: known((name) => olds!.images?.[name] ?? imageOf(olds!.servers)) };
}

/** What members' servers were given otherwise than they are asked to have, and what that is. Of one of which nothing is known nothing is said. */
export function dueOf(names: string[], given: Given, servers: Record<string, unknown>): Due {
  const due = (given: Record<string, string>, wantedOf: (name: string) => string | undefined) => Object.fromEntries(names.flatMap((name) => {
    const wanted = wantedOf(name);
    return wanted !== undefined && given[name] !== undefined && given[name] !== wanted ? [[name, wanted]] : [];
  }));
  return { resize: due(given.flavors, (name) => flavorOf(servers, name)), rebuild: due(given.images, () => imageOf(servers)) };
}

export const noCloud = "give access to Nova from where `pulumi` runs: OS_CLOUD and a clouds.yaml, or OS_AUTH_URL and its like, or the argument `cloud`";

/** The flavors and images of a cluster's servers: what is asked for, and what each was given. */
export class Machines {
  constructor(private readonly members: Member[], private readonly servers: Record<string, unknown>, readonly given: Given, private readonly cloud: () => Promise<Cloud | undefined>) {}

  /**
   * Members whose servers have another flavor or image than is asked for, as Nova tells. Who was given what is asked for is not looked at: if somebody gave it another, that stays.
   * Where Nova does not tell, new servers are taken to be as they were asked for.
   */
  async due(): Promise<Due> {
    const { flavors, images } = this.given;
    const others = async (given: Record<string, string>, wantedOf: (name: string) => string | undefined, has: (nova: Cloud, server: string, wanted: string) => Promise<boolean>) =>
      Object.fromEntries((await Promise.all(this.members.map(async ({ name, server }): Promise<[string, string][]> => {
        const wanted = wantedOf(name);
        if (wanted === undefined || given[name] === wanted) return [];
        const told = await this.nova(name).then((nova) => has(nova, server, wanted)).catch((error) => {
          if (given[name] !== undefined) throw error;
          return undefined;
        });
        if (told) given[name] = wanted;
        return told === false ? [[name, wanted]] : [];
      }))).flat());
    const [resize, rebuild] = await Promise.all([
      others(flavors, (name) => flavorOf(this.servers, name), async (nova, server, wanted) => {
        const { flavor, status } = await nova.server(server);
        return flavor === wanted && status !== "VERIFY_RESIZE";
      }),
      others(images, () => imageOf(this.servers), async (nova, server, wanted) => {
        const { image, status } = await nova.server(server);
        return image === undefined || (image === await nova.imageId(wanted) && status !== "REBUILD");
      }),
    ]);
    return { resize, rebuild };
  }

  /** Gives a server the flavor that is asked for. */
  async resize(member: Member, say: (line: string) => void): Promise<void> {
    const flavor = flavorOf(this.servers, member.name)!;
    await this.give("flavors", member, flavor, (nova) => nova.resize(member.server, flavor, say));
  }

  /** Gives a server the image that is asked for, on a new disk; answers the host keys that its console tells of that. */
  async rebuild(member: Member, say: (line: string) => void): Promise<string[]> {
    const image = imageOf(this.servers)!;
    const { name, server } = member;
    const nova = await this.nova(name);
    const before = await nova.hostKeys(server);
    await this.giveKeys([member]);
    await this.give("images", member, image, () => nova.rebuild(server, image, say));
    let keys: string[] = [];
    await eventually("the console to tell the host keys of the new disk", { seconds: keysSeconds, every: 1000, say }, async () => {
      keys = (await nova.hostKeys(server)).filter((key) => !before.includes(key));
      return keys.length > 0 || "it tells none yet";
    }).catch((error) => say(`${reason(error)}: the first that is shown is trusted`));
    return keys;
  }

  /** An act of Nova that fails may go on by itself: only of a server that is seen to be as before it is remembered that it is. */
  private async give(what: keyof Given, { name, server }: Member, wanted: string, act: (nova: Cloud) => Promise<void>): Promise<void> {
    const nova = await this.nova(name);
    const given = this.given[what];
    const [was, before] = [given[name], await nova.server(server)];
    given[name] = unsettled;
    await act(nova).catch(async (error) => {
      const now = await nova.server(server).catch(() => undefined);
      if (was !== undefined && now && isSettled(now) && now.flavor === before.flavor && now.image === before.image) given[name] = was;
      throw error;
    });
    given[name] = wanted;
  }

  /** Has servers that are made or rebuilt from now on let in the public key that is asked for. Members have one key pair in common, which is given it once. */
  async giveKeys(members: Pick<Member, "name" | "server">[] = this.members): Promise<void> {
    const { publicKey } = this.servers;
    const nova = await this.nova(members.map(({ name }) => name).join(", "));
    const keyPairs = new Set((await Promise.all(members.map(({ server }) => nova.server(server)))).map(({ keyPair }) => keyPair));
    for (const keyPair of keyPairs) if (typeof publicKey === "string" && keyPair !== undefined) await nova.giveKey(keyPair, publicKey);
  }

  /** By member: the host keys that consoles tell of disks which a run that was cut has made anew, or may have. It could not remember them. */
  async keysOfCutRebuilds(): Promise<Record<string, string[]>> {
    const wanted = imageOf(this.servers);
    const due = this.members.filter(({ name }) => wanted !== undefined && this.given.images[name] !== undefined && this.given.images[name] !== wanted);
    const told = await Promise.all(due.map(async ({ name, server }): Promise<[string, string[]][]> => {
      const nova = await this.nova(name);
      const isMade = (await nova.server(server)).image === await nova.imageId(wanted!);
      if (!isMade && this.given.images[name] !== unsettled) return [];
      const keys = await nova.hostKeys(server);
      // On a disk that may be the former one what it showed counts, unless the console tells otherwise.
      return isMade || keys.length > 0 ? [[name, keys]] : [];
    }));
    return Object.fromEntries(told.flat());
  }

  private async nova(name: string): Promise<Cloud> {
    const cloud = await this.cloud();
    if (!cloud) throw new Refused("a server gets another flavor, image or key through Nova", `there is no access to it, and ${name} would get one`, noCloud);
    return cloud;
  }
}
