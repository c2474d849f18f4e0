import type { Datastore } from "./datastore";
import { galera } from "./galera";
import { redis } from "./redis";

const all = { galera, redis };

/** Only here do the datastores' own types meet: what a datastore saw is given back to that datastore alone. */
export function byName(name: string): Datastore<unknown, unknown, string> {
  if (!Object.hasOwn(all, name)) throw new Error(`datastore ${JSON.stringify(name)} is not known; known are ${Object.keys(all).join(", ")}`);
  return all[name as keyof typeof all] as unknown as Datastore<unknown, unknown, string>;
}
