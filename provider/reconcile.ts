import type { Cluster, Datastore } from "./datastores/datastore";
import { reason, Refused, StepFailed } from "./errors";
import { describe, surprises, type Step } from "./plan";
import { names, type Member } from "./topology";

export type Seen = Record<string, unknown>;
type Say = (line: string) => void;

/** Looks at every member, side by side. One that cannot be reached is seen as such. */
export async function observe<O, S, Do extends string>(it: Datastore<O, S, Do>, cluster: Cluster<O>): Promise<Record<string, S>> {
  const look = async (member: Member) => [member.name, await it.observe(cluster, member).catch((error) => it.unreachable(reason(error)))] as const;
  return Object.fromEntries(await Promise.all(cluster.want.members.map(look)));
}

/** Looks, plans, acts: the only loop. What the preview announced is in `forecast`. */
export async function reconcile<O, S, Do extends string>(
  it: Datastore<O, S, Do>, cluster: Cluster<O>, forecast: string[], say: Say,
): Promise<Record<string, S>> {
  const seen = await observe(it, cluster);
  const plan = it.plan(names(cluster.want), seen);
  const unannounced = surprises(plan, forecast);
  if (unannounced.length > 0)
    throw new Refused("nothing grave is done that the preview did not announce",
      `the preview said [${forecast.join("; ") || "nothing"}], what is seen now calls for [${describe(plan).join("; ")}]`,
      "run `pulumi refresh`, read the preview again, then `pulumi up`");
  if (plan.length === 0) return seen;
  say(`plan: ${describe(plan).join("; ")}`);
  for (const [index, step] of plan.entries()) await perform(it, cluster, step, (line) => say(`step ${index + 1}/${plan.length} ${line}`));
  return observe(it, cluster);
}

async function perform<O, S, Do extends string>(it: Datastore<O, S, Do>, cluster: Cluster<O>, step: Step<Do>, say: Say) {
  const [line] = describe([step]);
  const began = Date.now();
  say(`${line}`);
  const done = await Promise.allSettled(step.on.map(async (name) => {
    const member = cluster.want.members.find((each) => each.name === name)!;
    await it.steps[step.do](cluster, member).catch((error) => {
      throw new StepFailed(step.do, name, error);
    });
  }));
  const failed = done.filter((each) => each.status === "rejected").map((each) => each.reason as StepFailed);
  if (failed.length > 0) throw new AggregateError(failed, failed.map(reason).join("\n"));
  say(`${line}: done in ${((Date.now() - began) / 1000).toFixed(1)} s`);
}
