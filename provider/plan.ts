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

/** Of a preview: in words what is to change of all members, as their sights tell it. */
export const told = (what: "settings" | "volume", sights: [name: string, sight: object][]): Pick<Step, "words"> => {
  const words = sights.map(([, sight]) => (sight as { settings?: string; volume?: string })[what]).find(Boolean);
  return words === undefined ? {} : { words };
};

/** The plan as people read it in a preview, a log and a golden file. */
export const describe = (plan: Step[]): string[] =>
  plan.map(({ do: act, on, to, words }) => [act, ...on, ...(to === undefined ? [] : ["to", to]), ...(words === undefined ? [] : [`(${words})`])].join(" "));

/** Acts that no run may do unless its preview announced them. */
const grave = ["bootstrap", "recover", "clean", "leave", "restart"];

/**
 * The lines of `plan` that the forecast did not announce and that are too grave to do unannounced. A step on nobody
 * announces the same on anybody, and is announced by it.
 */
export function surprises(plan: Step[], forecast: string[]): string[] {
  const announced = new Set(forecast.flatMap((line) => {
    const [what = "", ...on] = line.replace(/ to .*/, "").split(" ");
    return on.length === 0 ? [what, `${what} anybody`] : [what, ...on.map((name) => `${what} ${name}`)];
  }));
  return plan
    .filter((step) => grave.includes(step.do) && !announced.has(`${step.do} anybody`))
    .flatMap((step) => (step.on.length === 0 ? [step.do] : step.on.map((name) => `${step.do} ${name}`)))
    .filter((act) => !announced.has(act));
}
