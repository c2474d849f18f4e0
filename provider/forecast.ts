import { only, recalled, rotates } from "./authorities";
import type { Document } from "./check";
import { byName } from "./datastores";
import { Refused } from "./errors";
import { softwareOf } from "./hops";
import { optionsOf, type Inputs, type Outputs } from "./inputs";
import { admission, changesKey, dismissal } from "./keys";
import { dueOf, givenBefore } from "./machines";
import { rotation, type Passwords } from "./passwords";
import { describe } from "./plan";
import { dueWithout, isWell, keptBack, takesAway, without } from "./rollout";
import { newVolumeSize } from "./servers";
import { names } from "./topology";
import { hasUnknown, isUnknown } from "./wire";

/** Members whose server is another than it was, or is not known yet because it is about to be. */
export const madeAgain = (before: Inputs["members"], { members }: Pick<Document, "members">): string[] =>
  members.filter(({ name, server }) => before.some((old) => old.name === name && old.server !== server)).map(({ name }) => name);

/** How a line begins that announces no step. */
const canary = "canary:";

/** What is seen of a member whose volume was made larger; of one that is new or cannot be seen it tells nothing. */
const grown = <Sight>(sight: Sight, size: number | undefined): Sight =>
  (size !== undefined && (sight as { mounted?: boolean }).mounted ? { ...sight, mounted: false, volume: `${size} GiB` } : sight);

/** What was seen of members, as it is once other arguments are wanted: they have not got yet what is new. */
export function outdatedBy(olds: Pick<Outputs, "datastore" | "members" | "options" | "servers"> & Passwords, news: Document): (sight: unknown) => unknown {
  const it = byName(news.datastore);
  const [was, wanted] = [names(olds), names(news)];
  const change = {
    members: wanted.length !== was.length || was.some((name) => !wanted.includes(name)),
    ...(hasUnknown(news.options) ? {} : { options: { was: optionsOf(it.options, olds.options), wanted: optionsOf(it.options, news.options) } }),
    passwords: rotation(olds, news),
  };
  const grows = newVolumeSize(olds.servers, news.servers);
  return (sight) => grown(it.outdated(sight, change), grows);
}

export interface Forecast {
  lines: string[];
  refused?: Refused;
}

/**
 * The steps from what was last seen. A server that is another than then, or not known yet, is seen as new, over its
 * volume if that is the same. A member to be forgotten is first taken as last seen; if that is refused, as gone.
 */
export function forecast(olds: Pick<Outputs, "datastore" | "members" | "options" | "authorities" | "servers" | "state" | "known" | "seen" | "unreached"> & Partial<Pick<Outputs, "flavors" | "images" | "formerKeys">> & Passwords, news: Document): Forecast {
  const it = byName(news.datastore);
  const [was, wanted] = [names({ members: olds.known }), names(news)];
  const again = madeAgain(olds.known, news);
  const outdated = outdatedBy(olds, news);
  const due = dueOf(wanted, givenBefore(news.members, olds), news.servers);
  const replace = news.replace?.filter((name) => again.includes(name)) ?? [];
  const volumeOf = (members: Inputs["members"], name: string) => members.find((each) => each.name === name)?.volume;
  const keepsVolume = (name: string) => volumeOf(olds.known, name) === volumeOf(news.members, name);
  const planned = (gone: string[]): Forecast => {
    const there = was.filter((name) => !gone.includes(name));
    const memories = Object.entries(it.recall(there, { ...(olds.state === "stopped" && it.stopped(there)), ...olds.seen }, there.filter((name) => !wanted.includes(name))));
    const last = Object.fromEntries(memories.map(([name, sight]) => [name, recalled(sight as object, olds.seen[name] as object | undefined, olds.authorities ?? only)]));
    const sightOf = (name: string) => {
      if (gone.includes(name)) return it.unreachable("it is to be forgotten");
      if (!there.includes(name)) return it.blank;
      if (again.includes(name)) return keepsVolume(name) ? it.underNew(last[name]) : it.blank;
      // A server is taken away only while all others are seen to run: memory is not enough.
      if (replace.length > 0 && olds.unreached.includes(name)) return it.unreachable("the last look did not reach it");
      return last[name];
    };
    const now = [...new Set([...wanted, ...was])].map((name): [string, unknown] => [name, wanted.includes(name) ? outdated(sightOf(name)) : sightOf(name)]);
    const parted = wanted.filter((name) => was.includes(name) && !again.includes(name) && !keepsVolume(name) && !isUnknown(volumeOf(news.members, name)));
    try {
      if (parted.length > 0)
        throw new Refused("a member's volume is made again only together with its server", `${parted.join(", ")} would get another volume under a server that stays`, `name ${parted[0]} in \`replace\`; if it is named already, take it out, \`pulumi up\`, and name it again`);
      if (wanted.length === 1 && replace.some((name) => !keepsVolume(name)))
        throw new Refused("a volume is made again only while another member has its data", `${wanted.join()} is the only one`, "add members first, or keep its volume type");
      const needed = it.stillNeeded(replace.filter((name) => !olds.unreached.includes(name)), olds.seen);
      if (needed) throw needed;
      const gone = Object.fromEntries(Object.entries(last).filter(([name]) => again.includes(name) && !keepsVolume(name)));
      const others = now.filter(([name]) => !(name in gone));
      const seen: Record<string, unknown> = Object.fromEntries([...now, ...Object.entries(it.bereft(Object.fromEntries(others), gone))]);
      const want = { members: wanted, forget: news.forget, replace, due, authorities: news.authorities, recovery: news.recovery, state: news.state, maxUnavailable: news.rollout?.maxUnavailable, ...(hasUnknown(news.options) ? {} : softwareOf(news.options)) };
      const plan = it.plan(want, seen);
      const back = news.rollout?.canary && !rotates(news.authorities ?? only, seen) ? keptBack(wanted, seen, due) : [];
      if (back.length > 0) return { lines: [...describe(it.plan({ ...want, due: dueWithout(back, due) }, without(back, seen))), `${canary} the next run changes ${back.join(" ")}`] };
      const all = news.rollout?.canary && plan.some(takesAway) && !isWell(wanted, seen) ? [`${canary} none, for members come, go or are not well`] : [];
      return { lines: [...describe(plan), ...all] };
    } catch (error) {
      if (error instanceof Refused) return { lines: [error.message], refused: error };
      throw error;
    }
  };
  const asSeen = planned([]);
  const forgotten = was.filter((name) => news.forget?.includes(name) && !wanted.includes(name));
  const { lines, refused } = asSeen.refused && forgotten.length > 0 ? planned(forgotten) : asSeen;
  return refused || !changesKey(olds, news) ? { lines, refused } : { lines: [admission([...new Set([...wanted, ...was])]), ...lines, dismissal(wanted)] };
}
