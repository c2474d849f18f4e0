import type { Step } from "./plan";

/** What members share of a step that is done on them side by side: the loop hands all of them the same one. */
const answers = new WeakMap<Step, Promise<unknown>>();
const turns = new WeakMap<Step, Promise<unknown>>();

/** Asked once for all of them: asked by each, all would be asked that often squared, and one might be gone already when the next asks. */
export function once<Answer>(step: Step, ask: () => Promise<Answer>): Promise<Answer> {
  if (!answers.has(step)) answers.set(step, ask());
  return answers.get(step) as Promise<Answer>;
}

/** One after another, each once the one before has come to a good end: after a failure nobody's turn comes. */
export function inTurn(step: Step, name: string, act: () => Promise<void>): Promise<void> {
  const before = turns.get(step)?.catch(() => { throw new Error(`${name} waits in vain for another that was to come back before it. Run \`pulumi up\` again: it plans from what it then sees`); });
  const turn = before ? before.then(act) : act();
  turns.set(step, turn);
  return turn;
}
