import { setTimeout as sleep } from "node:timers/promises";
import { only, rotates } from "./authorities";
import type { Cluster, Datastore } from "./datastores/datastore";
import { reason, Refused, StepFailed } from "./errors";
import { softwareOf } from "./hops";
import { describe, surprises, type Step } from "./plan";
import { preflight } from "./preflight";
import { dueWithout, keptBack, takesAway, without } from "./rollout";
import { names, nothingDue, type Member, type Topology, type Wanted } from "./topology";

export type Seen = Record<string, unknown>;
type Say = (line: string) => void;

/** How often a plan may be followed by another before something must be wrong with it. */
const rounds = 3;

/** Looks at every member, also at those that are to leave, side by side. One that cannot be reached is seen as such. */
export async function observe<O, S, Do extends string>(it: Datastore<O, S, Do>, cluster: Cluster<O>): Promise<Record<string, S>> {
  const look = async (member: Member) => [member.name, await it.observe(cluster, member).catch((error) => it.unreachable(reason(error)))] as const;
  return Object.fromEntries(await Promise.all(everyone(cluster).map(look)));
}

const everyone = ({ want, leaving }: Cluster<unknown>): Member[] => [...want.members, ...leaving];

/** What a planner is asked for by a cluster's own arguments. */
export const wantedOf = ({ members, forget, authorities, recovery, rollout, state, options }: Topology<unknown>): Wanted =>
  ({ members: names({ members }), forget, authorities, recovery, state, maxUnavailable: rollout?.maxUnavailable, ...softwareOf(options) });

/**
 * Looks, plans, acts, until there is nothing left to do: the only loop. Some plans end where more can be seen than
 * before. New machines are looked at before the first act. What the preview announced is in `forecast`.
 */
export async function reconcile<O, S, Do extends string>(
  it: Datastore<O, S, Do>, cluster: Cluster<O>, forecast: string[], say: Say,
): Promise<Record<string, S>> {
  const { authorities, rollout = {} } = cluster.want;
  const wanted = wantedOf(cluster.want);
  let looked = false;
  let back: string[] | undefined;
  let away = 0;
  for (let round = 1; ; round++) {
    const [seen, due = nothingDue] = await Promise.all([observe(it, cluster), cluster.due?.()]);
    back ??= rollout.canary && !rotates(authorities ?? only, seen) ? keptBack(wanted.members, seen, due) : [];
    const plan = it.plan({ ...wanted, due: dueWithout(back, due) }, without(back, seen));
    const unannounced = surprises(plan, forecast);
    if (unannounced.length > 0)
      throw new Refused("nothing grave is done that the preview did not announce",
        `the preview said [${forecast.join("; ") || "nothing"}], what is seen now calls for [${describe(plan).join("; ")}]`,
        "run `pulumi refresh`, read the preview again, then `pulumi up`");
    if (plan.length === 0) {
      if (back.length > 0) say(`the canary is well; the next \`pulumi up\` changes ${back.join(", ")}`);
      return seen;
    }
    if (round > rounds) throw new Error(`after ${rounds} plans there is still to do: ${describe(plan).join("; ")}. Run \`pulumi up\` again`);
    say(`plan: ${describe(plan).join("; ")}`);
    // Machines whose image started a server of its own are known as new once that is stopped.
    looked ||= await preflight(it, cluster, seen, say);
    const steps = plan.filter(({ on }) => on.length > 0);
    for (const [index, step] of steps.entries()) {
      const sayOfStep = (line: string) => say(`step ${index + 1}/${steps.length} ${line}`);
      if (takesAway(step) && away++ > 0) await pause(rollout.pauseSeconds ?? 0, sayOfStep);
      await perform(it, cluster, step, sayOfStep);
    }
  }
}

async function pause(seconds: number, say: Say): Promise<void> {
  if (seconds === 0) return;
  say(`waits ${seconds} s, as rollout.pauseSeconds says`);
  await sleep(seconds * 1000);
}

async function perform<O, S, Do extends string>(it: Datastore<O, S, Do>, cluster: Cluster<O>, step: Step<Do>, say: Say) {
  const [line] = describe([step]);
  const began = Date.now();
  say(`${line}`);
  const done = await Promise.allSettled(step.on.map(async (name) => {
    const member = everyone(cluster).find((each) => each.name === name)!;
    await it.steps[step.do](cluster, member, step).catch((error) => {
      throw new StepFailed(step.do, name, error);
    });
  }));
  const failed = done.filter((each) => each.status === "rejected").map((each) => each.reason as StepFailed);
  if (failed.length > 0) throw new AggregateError(failed, failed.map(reason).join("\n"));
  say(`${line}: done in ${((Date.now() - began) / 1000).toFixed(1)} s`);
}
