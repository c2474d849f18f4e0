import { drops, type Certified } from "../../provider/authorities";
import type { Step } from "../../provider/plan";

type Sights = Record<string, object & Certified>;

const starts = ["bootstrap", "recover", "join", "start", "restart"];

/** Whose certificates members have after a step; `forgets` is a server that gives up at once whom it trusts no more. */
export function certifiedAfter<Seen extends Sights>(before: Seen, step: Step, then: Seen, authorities: string[], forgets: boolean): Seen {
  for (const [name, sight] of Object.entries(then) as [string, Certified & object][]) {
    if (!("installed" in sight)) continue;
    const { authorities: were, unloaded, remembers } = before[name] ?? {};
    const isOn = step.on.includes(name);
    const is = isOn && step.do === "configure"
      ? { authorities: afterStep(step.what, authorities, were ?? []), unloaded: undefined, remembers: remembers ?? (!forgets && step.what === "drop" && drops(authorities, { authorities: were }) ? true : undefined) }
      : isOn && step.do === "rebuild" ? { authorities: undefined, unloaded: undefined, remembers: undefined }
        : { authorities: were, unloaded, remembers: isOn && starts.includes(step.do) ? undefined : remembers };
    for (const [key, value] of Object.entries(is)) if (value === undefined) delete sight[key as keyof Certified];
      else Object.assign(sight, { [key]: value });
    // Its options file names the authorities that it has.
    if (isOn && step.do === "configure" && is.authorities!.join() !== authorities.join()) Object.assign(sight, { configured: false });
  }
  return then;
}

function afterStep(what: string | undefined, wanted: string[], were: string[]): string[] {
  if (what === "trust") return [...new Set([...were, ...wanted])];
  return what === "sign" ? [...new Set([...wanted.slice(0, 1), ...were, ...wanted])] : wanted;
}
