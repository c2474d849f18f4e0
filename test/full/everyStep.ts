import type { Kind } from "../guests/cuts";
import { life } from "../guests/galera/life";

/** A cluster's life with each of its steps cut, one kind of cut a life: a file each, so that lives run side by side. */
export function everyStepCutBy(kind: Kind): void {
  life(`a Galera cluster on real guests, each step cut by ${kind}`, {
    kind: () => kind,
    after: (place) => [0, 200, 700, 2000][place % 4]!,
    inGrow: ["install", "mount", "configure", "join", "verify"],
  });
}
