import type { Due } from "./topology";

/** What to do, and the members it is done on, all at the same time. On nobody: on whom is seen only after the steps before. */
export interface Step<Do extends string = string> {
  do: Do;
  on: string[];
  /** Of what goes from one member to another: to whom, what, as the datastore writes it, and in words. */
  to?: string;
  what?: string;
  words?: string;
}

/** No step when there is nobody to do it on, so planners need no `if`. */
export const together = <Do extends string>(what: Do, on: string[]): Step<Do>[] =>
  on.length === 0 ? [] : [{ do: what, on }];

/** The same step on each of `on` in turn: for joins and leaves, which must not overlap. */
export const oneByOne = <Do extends string>(what: Do, on: string[]): Step<Do>[] =>
  on.flatMap((name) => together(what, [name]));

/** Restarts who answers nobody, one at a time. One of them may answer by itself once another does: then it is given its settings. */
export const restartsOfSilent = (on: string[]): Step<"restart">[] => oneByOne("restart", on).map((step) => ({ ...step, what: "silent", words: "if it still answers nobody" }));

/** Gives another flavor or image to servers whose databases do not run: nobody misses them, so side by side. */
export const idle = <Do extends "resize" | "rebuild">(act: Do, on: string[], given: Record<string, string>): Step<Do>[] =>
  [...new Set(on.map((name) => given[name]!))].map((words) => ({ do: act, on: on.filter((name) => given[name] === words), what: "idle", words }));

/**
 * A restart of each, a round; where its server is to have another flavor a resize, which is one too; where it is to have another image a rebuild, after which nothing but its volume is
 * as before: it comes back by these acts.
 */
export const restartsOf = <Do extends string>(on: string[], { resize, rebuild }: Due, comesBack: (name: string) => Step<Do>[]): Step<Do | "restart" | "resize" | "rebuild">[][] =>
  on.map((name): Step<Do | "restart" | "resize" | "rebuild">[] => {
    if (rebuild[name] !== undefined)
      return [{ do: "rebuild", on: [name], words: rebuild[name] }, ...idle("resize", name in resize ? [name] : [], resize), ...comesBack(name)];
    return [resize[name] === undefined ? { do: "restart", on: [name] } : { do: "resize", on: [name], words: resize[name] }];
  });

/** The most of so many, which decide by majority, that may be away at a time: with one more that fails the others are still a majority. One is always, as at any restart. */
export const mostAway = (count: number): number => Math.max(1, Math.ceil(count / 2) - 2);

/**
 * Rounds of steps, in each of which one member goes and comes back: those of one queue in turn, and those of as many queues as `most` side by side, where they are alike. Each step is then
 * done for all of them before the next; one of `inTurn` on one after another.
 */
export function abreast<Do extends string>(queues: Step<Do>[][][], most: number, inTurn: Do[]): Step<Do>[] {
  const [now, later] = [queues.slice(0, most), queues.slice(most)];
  const likeness = (round: Step<Do>[]) => JSON.stringify(round.map(({ on: _, to: __, ...how }) => how));
  const rounds = Array.from({ length: Math.max(0, ...now.map(({ length }) => length)) }, (_, index) => now.flatMap((queue) => queue.slice(index, index + 1)));
  const steps = rounds.flatMap((round) => [...new Set(round.map(likeness))].flatMap((like) => {
    const [first, ...others] = round.filter((each) => likeness(each) === like) as [Step<Do>[], ...Step<Do>[][]];
    return first.flatMap((step, index) => {
      const all = [step, ...others.map((each) => each[index]!)];
      return inTurn.includes(step.do) ? all : [{ ...step, on: all.flatMap(({ on }) => on) }];
    });
  }));
  return later.length === 0 ? steps : [...steps, ...abreast(later, most, inTurn)];
}

/** Of a preview: in words what is to change of all members, as their sights tell it. */
export const told = (what: "settings" | "volume" | "passwords", sights: [name: string, sight: object][]): Pick<Step, "words"> => {
  const words = sights.map(([, sight]) => (sight as Partial<Record<typeof what, string>>)[what]).find(Boolean);
  return words === undefined ? {} : { words };
};

/** The plan as people read it in a preview, a log and a golden file. */
export const describe = (plan: Step[]): string[] =>
  plan.map(({ do: act, on, to, words }) => [act, ...on, ...(to === undefined ? [] : ["to", to]), ...(words === undefined ? [] : [`(${words})`])].join(" "));

/** Acts that no run may do unless its preview announced them. */
const grave = ["bootstrap", "recover", "clean", "leave", "restart", "resize", "rebuild", "hold"];

/**
 * The lines of `plan` that the forecast did not announce and that are too grave to do unannounced. A step on nobody
 * announces the same on anybody, and is announced by it; a resize or a rebuild announces a restart.
 */
export function surprises(plan: Step[], forecast: string[]): string[] {
  const announced = new Set(forecast.flatMap((line) => {
    const [what = "", ...on] = line.replace(/ to .*/, "").split(" ");
    const acts = what === "resize" || what === "rebuild" ? [what, "restart"] : [what];
    return acts.flatMap((act) => (on.length === 0 ? [act, `${act} anybody`] : [act, ...on.map((name) => `${act} ${name}`)]));
  }));
  return plan
    .filter((step) => grave.includes(step.do) && step.what !== "idle" && !announced.has(`${step.do} anybody`))
    .flatMap((step) => (step.on.length === 0 ? [step.do] : step.on.map((name) => `${step.do} ${name}`)))
    .filter((act) => !announced.has(act));
}
