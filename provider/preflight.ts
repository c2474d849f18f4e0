import type { Cluster, Datastore } from "./datastores/datastore";
import type { Machine, Severity } from "./demands";
import { Refused, reason } from "./errors";
import { findings } from "./findings";
import { lookAtMachine } from "./guest/machine";
import type { Member } from "./topology";

/**
 * Before the first change on machines that are new to the cluster, looks whether they, and the others, can bear it. Says
 * every warning, then throws every error. Without newcomers it asks nobody and answers false, and one who does not answer
 * holds nothing up: the steps will tell.
 */
export async function preflight<O, S, Do extends string>(
  it: Datastore<O, S, Do>, cluster: Cluster<O>, seen: Record<string, S>, say: (line: string) => void,
): Promise<boolean> {
  const { members, options, volumeSize } = cluster.want;
  const newcomers = it.newcomers(members.map(({ name }) => name), seen);
  if (Object.keys(newcomers).length === 0) return false;
  const needs = it.needs(options);
  // Where a server listens nobody calls: one has ended over a caller that said nothing (Galera: MDEV-25068), and one that waits for its data takes whoever calls for its donor.
  const called = members.map(({ name, address }) => ({ name, address, ports: newcomers[name] ? needs.ports.members : [] }));
  const look = async (member: Member): Promise<Machine[]> => {
    try {
      const sight = await lookAtMachine(await cluster.guest(member.name), { member, needs, others: called.filter(({ name }) => name !== member.name) });
      return [{ ...member, needs, volumeSize, newcomer: newcomers[member.name], sight }];
    } catch (error) {
      say(`warning: the machine of ${member.name} could not be looked at: ${reason(error)}`);
      return [];
    }
  };
  const found = findings((await Promise.all(members.map(look))).flat());
  const all = (wanted: Severity) => found.filter(({ severity }) => severity === wanted);
  for (const { rule, saw, wayForward } of all("warning")) say(`warning: ${rule}. Seen: ${saw}. Way forward: ${wayForward}.`);
  const errors = all("error").map(({ rule, saw, wayForward }) => new Refused(rule, saw, wayForward));
  if (errors.length > 0) throw new AggregateError(errors, errors.map(reason).join("\n"));
  return true;
}
