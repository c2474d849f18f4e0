import type { dynamic } from "@pulumi/pulumi";
import { argument, argumentsOf, changed, print, unknownMembers, type Document, type Raw } from "./check";
import { byName } from "./datastores";
import { forecast } from "./forecast";
import type { Outputs } from "./inputs";
import { differing, hasUnknown, isUnknown } from "./wire";

/** What may change of a cluster in maintenance. */
const whileMaintained = ["maintenance", "deletionProtection", "access", "rollout", "cloud"];

/** What may change of a cluster that is stopped, while it stays so or is being stopped: all else would have to be proven by databases that run. */
const whileStopped = ["state", ...whileMaintained];

/** What may change without a look at the guests: in maintenance nothing else. Of a cluster that did not come up, access may be just what was wrong. */
export const needsNoGuest = (olds: Outputs, news: Raw, keys: string[]): boolean =>
  news.maintenance === true || keys.length > 0 && keys.every((key) => (olds.status === "ready" ? ["deletionProtection", "access", "rollout", "cloud"] : ["deletionProtection", "rollout"]).includes(key));

/** Clusters that were refreshed, and of which the engine has not asked for the difference yet, as it does after each refresh. */
export const refreshed = new Set<string>();

/**
 * Prints the forecast of an update. A refusal fails a preview, but no refresh: there it is what was found. The engine itself compares the inputs, minimally and in detail.
 * Options are refused here and not in `check`, which does not know the status: a setting that kept a
 * cluster from being created must be mendable.
 */
export async function diff(id: string, olds: Outputs, news: Raw): Promise<dynamic.DiffResult> {
  const ofRefresh = refreshed.delete(id);
  if (unknownMembers(news)) return {};
  const cluster = olds.owner.cluster;
  const { frozen } = byName(olds.datastore);
  const options = differing(olds.options, news.options).filter((key) => frozen.includes(key));
  if (olds.status === "ready" && options.length > 0)
    refuse(`${cluster}: changing ${options.map((key) => argument(olds, `options.${key}`)).join(", ")} of a cluster that runs cannot be done by this version; set it back`);
  const keys = changed(olds, news);
  const others = keys.filter((key) => !whileMaintained.includes(key));
  if (news.maintenance === true && others.length > 0)
    refuse(`${cluster} is in maintenance, so no guest is touched, and ${argumentsOf(olds, news, others).join(", ")} cannot change: set maintenance to false with that change, or take it back`);
  const beside = keys.filter((key) => !whileStopped.includes(key));
  if (news.state === "stopped" && beside.length > 0)
    refuse(`${cluster} is ${olds.state === "stopped" ? "stopped" : "to be stopped"}, and ${argumentsOf(olds, news, beside).join(", ")} cannot change with that: ${olds.state === "stopped" ? "set state to running with that change" : "change it first, in a run of its own"}, or take it back`);
  const { lines, refused } = forecast(olds, news as Document);
  const untouched = needsNoGuest(olds, news, keys);
  if (refused && !ofRefresh && !untouched)
    refuse(`${cluster}: ${refused.message} This is what the last look saw: once it is mended, run \`pulumi refresh\`.`);
  if (olds.status !== "ready") console.log(`[${cluster}] the last run did not end; this one goes on from what it then sees`);
  print(olds, untouched && !refused ? lines.map((line) => `left for the next run: ${line}`) : lines);
  const later = unknownArguments(olds, news);
  if (later.length > 0) print(olds, [`${later.join(", ")}: not known before the resources that tell it are made; what follows from it, a restart of members among it, is not shown here`]);
  if (news.maintenance === true) return {};
  // A refresh clears the engine's own memory of a failed run, and knows nothing of a member that it saw down.
  const toDo = olds.status !== "ready" || (lines.length > 0 && keys.length === 0);
  return toDo ? { changes: true } : {};
}

/** Those on which steps depend, and whose values are not known yet. */
function unknownArguments(olds: Outputs, news: Raw): string[] {
  const parts = (key: "options" | "servers") => (isUnknown(news[key]) ? [key] : Object.entries(news[key] as Raw).filter(([, value]) => hasUnknown(value)).map(([part]) => part));
  const names: Record<string, string> = { volumeSize: "volume.size", volumeType: "volume.type", publicKey: "access.privateKey" };
  return [...parts("options"), ...parts("servers").map((part) => names[part] ?? part)].map((part) => argument(olds, part));
}

/** What a person is to read: beside what `diff` throws Pulumi prints its stack, and this has none. */
function refuse(message: string): never {
  throw Object.assign(new Error(message), { stack: "" });
}
