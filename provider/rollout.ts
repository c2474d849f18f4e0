import type { Versioned } from "./hops";
import type { Step } from "./plan";
import { nothingDue, type Due } from "./topology";

/** How a change that is to come to members in turn goes on. */
export interface Rollout {
  /** One member alone is changed, and the others by the next run. */
  canary?: boolean;
  /** Seconds between a member that is well again and the next. */
  pauseSeconds?: number;
  /** How many members may be away at a time. Default: 1. */
  maxUnavailable?: number;
}

/** Steps for which a member that serves is away for a moment. One that is down, or answers nobody, is away already, and all wait for it. */
export const takesAway = ({ do: act, what }: Pick<Step, "do" | "what">): boolean => ["restart", "resize", "rebuild"].includes(act) && what !== "idle" && what !== "silent";

/** What all datastores tell of a member in the same words. */
interface Told {
  is: string;
  configured?: boolean;
  current?: boolean;
}

/** Whether a canary can tell anything: all are there and run, and nobody leaves. Else a change goes on to its end, and stops where one member fails. */
export const isWell = (members: string[], seen: Record<string, unknown>): boolean =>
  members.every((name) => (seen[name] as Told | undefined)?.is === "up") && Object.keys(seen).every((name) => members.includes(name));

/**
 * Pure: whom a canary keeps back, where none of the members has got the new settings, flavor or image yet. The last is the canary: a preview must name it, which does not know whom
 * clients write to, and most clients go to who comes first. Once one has the settings the change goes on; so does one that is taken back.
 */
export function keptBack(members: string[], seen: Record<string, unknown>, { resize, rebuild }: Due = nothingDue): string[] {
  const waits = (name: string, { configured, current }: Told) => configured === false || current === false || name in resize || name in rebuild;
  if (!isWell(members, seen) || !members.every((name) => waits(name, seen[name] as Told))) return [];
  return members.slice(0, -1);
}

/** What is seen of members that are kept back is taken for what is wanted, and their version for as good as any: packages of another were not those that are wanted. */
export const without = <Seen>(keptBack: string[], seen: Record<string, Seen>): Record<string, Seen> =>
  Object.fromEntries(Object.entries(seen).map(([name, sight]) => {
    if (!keptBack.includes(name)) return [name, sight];
    const { version, writtenBy: _, ...rest } = sight as Seen & Told & Versioned;
    return [name, { ...rest, configured: true, ...(version !== undefined && { installed: true }), ...(rest.current === undefined ? {} : { current: true }) } as Seen];
  }));

/** What is due of those that are not kept back. */
export function dueWithout(keptBack: string[], { resize, rebuild }: Due): Due {
  const others = (due: Record<string, string>) => Object.fromEntries(Object.entries(due).filter(([name]) => !keptBack.includes(name)));
  return { resize: others(resize), rebuild: others(rebuild) };
}
