import { drawn, kindsOfCut } from "./cuts";
import { life } from "./life";

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e6));

life(`a Galera cluster on real guests, each kind of step cut once, drawn by SEED=${seed}`, {
  kind: (_, place) => drawn(seed, place, kindsOfCut),
  after: (place) => drawn(seed, 100 + place, [0, 200, 700, 2000]),
  inGrow: [],
});
