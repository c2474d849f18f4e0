import { only } from "../../../provider/authorities";
import type { Step } from "../../../provider/plan";
import type { Sight } from "../../../provider/datastores/galera/sight";
import { after as simulated } from "../../provider/datastores/galera/model";
import { certifiedAfter } from "../certified";

type Seen = Record<string, Sight>;

/** What the simulated guests show once the step is done. */
export const after = (seen: Seen, step: Step, _: string[], authorities = only): Seen => certifiedAfter(seen, step, simulated(seen, step as never), authorities, false);

/** What nothing tells before: the data below a server that is starting, the position in data that it did not close, and whether a bootstrap that was cut had come to its administrators. */
export function untold(before: Seen, step: Step, expected: Seen, seen: Seen): void {
  for (const [name, sight] of Object.entries(seen)) versioned(step, expected[name]!, sight);
  for (const name of step.on) {
    const [was, now, is] = [before[name]!, expected[name]!, seen[name]!];
    if (step.do === "bootstrap" && was.is === "down" && ["whole", "torn"].includes(was.data.is) && "secured" in now && "secured" in is) now.secured = is.secured;
    if (was.is === "starting" && now.is === "down") expected[name] = is;
    else if (was.is === "down" && was.data.is !== "none" && was.data.seqno < 0 && now.is === "down" && now.data.is !== "none" && is.is === "down" && is.data.is !== "none" && now.data.seqno < 0) now.data.seqno = is.data.seqno;
  }
}

/** Which version an image has, and whether Debian has upgraded the system tables by itself, in the background of a start. */
function versioned(step: Step, then: Sight, now: Sight): void {
  if (!("installed" in then && "installed" in now)) return;
  if (step.do === "install" && !step.words && now.version) then.version = now.version;
  if (then.version && now.writtenBy === then.version && then.is === "up") then.writtenBy = then.version;
  if (step.do === "upgrade") return;
  delete then.tables;
  if (now.tables) then.tables = now.tables;
}

/** What a simulation cannot know: how a history is called, and how many writes there were. */
export function alike(sights: Seen): Record<string, unknown> {
  const letters = new Map<string, string>();
  const letter = (uuid: string) => letters.get(uuid) ?? letters.set(uuid, String.fromCharCode(65 + letters.size)).get(uuid);
  return Object.fromEntries(Object.entries(sights).sort().map(([name, sight]) => {
    if (sight.is === "up") return [name, { ...sight, uuid: letter(sight.uuid), committed: undefined, written: undefined }];
    if (sight.is === "silent") return [name, { ...sight, why: undefined }];
    if (sight.is !== "down" || sight.data.is === "none") return [name, sight];
    const { is, uuid, seqno, safeToBootstrap } = sight.data;
    return [name, { ...sight, data: { is, uuid: is === "whole" ? letter(uuid) : uuid, closed: seqno >= 0, safeToBootstrap } }];
  }));
}
