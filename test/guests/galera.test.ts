import execa from "execa";
import { drawn, kindsOfCut } from "./cuts";
import { life } from "./life";

/** Each commit draws its own cuts, and draws the same ones again; SEED=number draws others. */
const seed = Number(process.env.SEED ?? parseInt(execa.sync("git", ["rev-parse", "HEAD"], { cwd: __dirname, reject: false }).stdout.slice(0, 5) || "0", 16));

life(`a Galera cluster on real guests, each kind of step cut once, drawn by SEED=${seed}`, {
  kind: (_, place) => drawn(seed, place, kindsOfCut),
  after: (place) => drawn(seed, 100 + place, [0, 200, 700, 2000]),
  inGrow: [],
});
