import { only } from "../../../provider/authorities";
import { isAlive, type Sight } from "../../../provider/datastores/redis/sight";
import type { Step } from "../../../provider/plan";
import { after as simulated, type Seen } from "../../provider/datastores/redis/model";
import { certifiedAfter } from "../certified";

/** What the simulated guests show once the step is done. */
export const after = (seen: Seen, step: Step, wanted: string[], authorities = only): Seen => certifiedAfter(seen, step, simulated(seen, step, wanted), authorities, true);

/** What nothing tells before: who was found dead meanwhile, whose link to its primary came up by itself, and what a server turns out to be that was starting, that starts over its data, or that was silent: what one restart frees may let others answer, too. */
export function untold(before: Seen, step: Step, expected: Seen, seen: Seen): void {
  for (const [name, sight] of Object.entries(seen)) {
    const then = expected[name];
    // Which version an image has.
    if (step.do === "install" && !step.words && then && "installed" in then && "installed" in sight && sight.version) then.version = sight.version;
    if (sight.is === "up" && then?.is === "up") Object.assign(then, { failed: sight.failed, linked: then.linked || (then.role === "replica" && sight.linked) });
    const was = before[name];
    if ((was?.is === "starting" || was?.is === "silent" || (step.do === "start" && was?.is === "down" && was.data)) && isAlive(sight)) expected[name] = sight;
  }
}

/** What a simulation cannot know: how nodes are called, how much they hold, how far a replication has come, and who was told of a node that is gone. */
export function alike(sights: Seen): Record<string, unknown> {
  const names = new Map(Object.entries(sights).flatMap(([name, sight]) => ("id" in sight && sight.id ? [[sight.id, name] as const] : [])));
  const known = (ids: string[]) => ids.flatMap((id) => names.get(id) ?? []).sort();
  const told = (name: string, sight: Sight): unknown => {
    if (sight.is === "down") {
      // As what the model knows to come back.
      const { id: _, was: __, ...shown } = sight as typeof sight & { was?: unknown };
      return shown;
    }
    if (sight.is === "silent") return { ...sight, why: undefined };
    if (sight.is !== "up") return sight;
    return { ...sight, id: name, of: sight.of && names.get(sight.of), knows: known(sight.knows), failed: known(sight.failed), offset: undefined, memory: undefined };
  };
  return Object.fromEntries(Object.entries(sights).sort().map(([name, sight]) => [name, told(name, sight)]));
}
