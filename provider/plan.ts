/** What to do, and the members it is done on, all at the same time. */
export interface Step<Do extends string = string> {
  do: Do;
  on: string[];
}

/** No step when there is nobody to do it on, so planners need no `if`. */
export const together = <Do extends string>(what: Do, on: string[]): Step<Do>[] =>
  on.length === 0 ? [] : [{ do: what, on }];

/** The same step on each of `on` in turn: for joins and leaves, which must not overlap. */
export const oneByOne = <Do extends string>(what: Do, on: string[]): Step<Do>[] =>
  on.flatMap((name) => together(what, [name]));

/** The plan as people read it in a preview, a log and a golden file. */
export const describe = (plan: Step[]): string[] => plan.map((step) => [step.do, ...step.on].join(" "));

/** Acts that no run may do unless its preview announced them. */
const grave = ["bootstrap", "recover", "replace", "wipe", "drain", "restart"];

/** The lines of `plan` that the forecast did not announce and that are too grave to do unannounced. */
export function surprises(plan: Step[], forecast: string[]): string[] {
  const announced = new Set(forecast.flatMap((line) => {
    const [what, ...on] = line.split(" ");
    return on.map((name) => `${what} ${name}`);
  }));
  return plan
    .filter((step) => grave.includes(step.do))
    .flatMap((step) => step.on.map((name) => `${step.do} ${name}`))
    .filter((act) => !announced.has(act));
}
