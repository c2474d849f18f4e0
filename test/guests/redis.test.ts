import { drawn, kindsOfCut } from "./cuts";
import { life } from "./redis/life";
import { qualities } from "./redis/qualities";

/** Each day draws its own cuts, the same all day, so that a failure can be met again; SEED=number draws others. */
const seed = Number(process.env.SEED ?? Math.floor(Date.now() / 86_400_000));

life(`a Redis cluster on real guests, each kind of step cut once, drawn by SEED=${seed}`, {
  kind: (_, place) => drawn(seed, place, kindsOfCut),
  after: (place) => drawn(seed, 100 + place, [0, 200, 700, 2000]),
}, qualities);
