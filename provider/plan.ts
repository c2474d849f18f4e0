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
 * A restart of each in turn; where its server is to have another flavor a resize, which is one too; where it is to have another image a rebuild, after which nothing but its volume is
 * as before: it comes back by these acts.
 */
export const restartsOf = <Do extends string>(on: string[], { resize, rebuild }: Due, comesBack: (name: string) => Step<Do>[]): Step<Do | "restart" | "resize" | "rebuild">[] =>
  on.flatMap((name): Step<Do | "restart" | "resize" | "rebuild">[] => {
    if (rebuild[name] !== undefined)
      return [{ do: "rebuild", on: [name], words: rebuild[name] }, ...idle("resize", name in resize ? [name] : [], resize), ...comesBack(name)];
    return [resize[name] === undefined ? { do: "restart", on: [name] } : { do: "resize", on: [name], words: resize[name] }];
  });

/** Of a preview: in words what is to change of all members, as their sights tell it. */
export const told = (what: "settings" | "volume" | "passwords", sights: [name: string, sight: object][]): Pick<Step, "words"> => {
  const words = sights.map(([, sight]) => (sight as Partial<Record<typeof what, string>>)[what]).find(Boolean);
  return words === undefined ? {} : { words };
};

/** The plan as people read it in a preview, a log and a golden file. */
export const describe = (plan: Step[]): string[] =>
  plan.map(({ do: act, on, to, words }) => [act, ...on, ...(to === undefined ? [] : ["to", to]), ...(words === undefined ? [] : [`(${words})`])].join(" "));

/** Acts that no run may do unless its preview announced them. */
const grave = ["bootstrap", "recover", "clean", "leave", "restart", "resize", "rebuild"];

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
