import { plan } from "../../../../provider/datastores/galera/plan";
import { describe as lines } from "../../../../provider/plan";
import type { Wanted } from "../../../../provider/topology";
import { after, during, type Seen } from "./model";

/** All that guests may show when what is planned is cut: between two steps, with a part of the members done, or inside one. */
export function* cuts(want: Wanted, start: Seen): Generator<[string, Seen]> {
  let seen = start;
  for (const step of plan(want, start)) {
    const [line] = lines([step]);
    yield [`before ${line}`, seen];
    for (let count = 1; count < step.on.length; count++) {
      yield [`first ${count} of ${line}`, after(seen, step, step.on.slice(0, count))];
      yield [`last ${count} of ${line}`, after(seen, step, step.on.slice(-count))];
    }
    for (const inside of during(seen, step)) yield [`inside ${line}: ${JSON.stringify(inside)}`, inside];
    seen = after(seen, step);
  }
  yield ["after the last step", seen];
}
