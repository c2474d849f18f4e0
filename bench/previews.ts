import { join } from "node:path";
import type { Stack } from "../demo/stack";
import { pretended } from "../test/package/pretence";
import type { Engine } from "../tools/engine";
import { judged, measure, median, table, type Measured } from "./measure";
import { inTurn, stackOf, type Kind } from "./stacks";

const members = 5;
/** Clusters, and how many pairs of previews. */
const sizes = [[1, 7], [10, 5], [50, 5]] as const;

/**
 * Previews in which nothing is to do. What is there is pretended, for no machine like this holds 250 servers: one cluster
 * is made of simulated guests in a simulated cloud, and its state copied. The previews are real, and ask the real cloud.
 */
export async function previews(engine: Engine, folder: string): Promise<string> {
  const rows: (string | number)[][] = [];
  const ratios: number[] = [];
  const stacks = {} as Record<Kind, Stack>;
  const states = {} as Record<Kind, string>;
  for (const kind of inTurn(0)) {
    stacks[kind] = await stackOf(kind, engine, join(folder, "previews"), { clusters: 1, members });
    states[kind] = await made(stacks[kind]);
  }
  for (const [clusters, runs] of sizes) {
    for (const kind of inTurn(0)) await become(stacks[kind], states[kind], clusters);
    const pairs: Record<Kind, Measured>[] = [];
    for (let run = 0; run <= runs; run++) {
      const pair = {} as Record<Kind, Measured>;
      for (const kind of inTurn(run)) pair[kind] = await preview(stacks[kind]);
      // The first is to warm up.
      if (run > 0) pairs.push(pair);
    }
    const took = (kind: Kind) => median(pairs.map((pair) => pair[kind].seconds));
    // A machine's speed drifts: the two of a pair met the same.
    const ratio = median(pairs.map(({ plain, ours }) => ours.seconds / plain.seconds));
    const most = (kind: Kind) => Math.max(...pairs.map((pair) => pair[kind].mebibytes)).toFixed(0);
    console.error(`${clusters} clusters: plain ${took("plain").toFixed(1)} s, ours ${took("ours").toFixed(1)} s, ratio ${ratio.toFixed(2)}`);
    ratios.push(ratio);
    rows.push([`${clusters} × ${members}`, took("plain"), took("ours"), ratio, most("plain"), most("ours")]);
  }
  return `### A preview with nothing to do

${table(["clusters × members", "plain resources, seconds", "ours, seconds", "ratio, median of the pairs", "plain, peak MiB", "ours, peak MiB"], rows)}

${judged("The highest ratio", Math.max(...ratios), 1.2)}`;
}

const preview = ({ pulumi }: Stack): Promise<Measured> => measure(pulumi(["preview", "--expect-no-changes"]));

/** The state after an `up` in which nothing was made. */
async function made(stack: Stack): Promise<string> {
  await pretended(stack, Array.from({ length: members }, (_, index) => `shop1-${index + 1}`), "up", "--yes", "--skip-preview");
  return (await stack.pulumi(["stack", "export"])).stdout;
}

/** Gives a stack so many copies of the one cluster that there is. */
async function become({ pulumi }: Stack, state: string, clusters: number): Promise<void> {
  const stored = JSON.parse(state) as { deployment: { resources: Resource[] } };
  const numbers = Array.from({ length: clusters }, (_, index) => index + 1);
  stored.deployment.resources = stored.deployment.resources.flatMap((resource) => {
    if (resource.type.startsWith("pulumi:providers:")) return [resource];
    if (resource.type === "pulumi:pulumi:Stack") return [{ ...resource, outputs: { addresses: numbers.flatMap(() => resource.outputs!.addresses) } }];
    return numbers.map((number) => JSON.parse(JSON.stringify(resource).replaceAll("shop1", `shop${number}`)) as Resource);
  });
  await pulumi(["stack", "import"], { stdin: "pipe", input: JSON.stringify(stored) });
  await pulumi(["config", "set", "clusters", `${clusters}`]);
}

interface Resource {
  type: string;
  outputs?: { addresses?: unknown };
}
