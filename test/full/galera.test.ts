import { kindsOfCut } from "../guests/cuts";
import { life } from "../guests/life";

for (const kind of kindsOfCut)
  life(`a Galera cluster on real guests, each step cut by ${kind}`, {
    kind: () => kind,
    after: (place) => [0, 200, 700, 2000][place % 4]!,
    inGrow: ["install", "mount", "configure", "join", "verify"],
  });
