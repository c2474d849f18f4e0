import type { Kind } from "../guests/cuts";
import { life as ofGalera } from "../guests/galera/life";
import { life as ofRedis } from "../guests/redis/life";

const after = (place: number) => [0, 200, 700, 2000][place % 4]!;

/** Clusters' lives with each of their steps cut, one kind of cut a life: a file each, so that lives run side by side. */
export const everyStepCutBy = {
  galera: (kind: Kind) => ofGalera(`a Galera cluster on real guests, each step cut by ${kind}`, { kind: () => kind, after, inGrow: ["install", "mount", "configure", "join", "verify"] }),
  redis: (kind: Kind) => ofRedis(`a Redis cluster on real guests, each step cut by ${kind}`, { kind: () => kind, after }),
};
