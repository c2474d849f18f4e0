import type { Cluster } from "../../provider/datastores/datastore";
import type { Options } from "../../provider/datastores/galera/options";
import type { Guest } from "../../provider/guest/guest";
import type { Member } from "../../provider/topology";

export const member = (name: string): Member =>
  ({ name, address: `198.18.0.1${name.slice(-1)}`, server: `server-of-${name}`, volume: `volume-of-${name}-0123456789` });

/** A cluster to try steps and loops on. Its secrets are no secrets. */
export const cluster = (members: string[], options: Partial<Options>, guest: (name: string) => Promise<Guest>, leaving: string[] = []): Cluster<Options> => ({
  want: { owner: { project: "shop", stack: "test", cluster: "db" }, members: members.map(member), options: { vendor: "mariadb", configuration: {}, ...options } },
  leaving: leaving.map(member),
  passwords: ["not-a-secret"],
  authority: { certificate: "", key: "" },
  guest,
});

/** What a look sees where a major version is wanted: packages of another are not those that are to be there. */
export const under = <Sight extends object>(version: string | undefined, seen: Record<string, Sight>): Record<string, Sight> =>
  Object.fromEntries(Object.entries(seen).map(([name, sight]) => {
    const has = (sight as { version?: string }).version;
    return [name, version === undefined || has === undefined || has === version ? sight : { ...sight, installed: false }];
  }));
