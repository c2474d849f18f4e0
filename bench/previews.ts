import { join } from "node:path";
import { version as openstack } from "@pulumi/openstack/package.json";
import type { Stack } from "../demo/stack";
import { pretence } from "../test/package/pretence";
import type { Engine } from "../tools/engine";
import { measure, median, table, type Measured } from "./measure";
import { stackOf } from "./stacks";

const members = 5;
/** Clusters, and how often each is previewed. */
const sizes = [[1, 7], [10, 5], [50, 3]] as const;

/**
 * Previews in which nothing is to do. What is there is pretended, for no machine like this holds 250 servers: one cluster
 * is made of simulated guests in a simulated cloud, and its state copied. The previews are real, and ask the real cloud.
 */
export async function previews(engine: Engine, folder: string): Promise<string> {
  const rows: (string | number)[][] = [];
  const [plain, ours] = await Promise.all((["plain", "ours"] as const).map((kind) => stackOf(kind, engine, join(folder, "previews"), { clusters: 1, members })));
  const [plainState, oursState] = [await pretended(plain!, engine), await pretended(ours!, engine)];
  for (const [clusters, runs] of sizes) {
    await become(plain!, plainState, clusters);
    await become(ours!, oursState, clusters);
    const took: { plain: Measured[]; ours: Measured[] } = { plain: [], ours: [] };
    for (let run = 0; run <= runs; run++) {
      const [a, b] = [await preview(plain!), await preview(ours!)];
      // The first is to warm up.
      if (run === 0) continue;
      took.plain.push(a);
      took.ours.push(b);
    }
    const [a, b] = [took.plain, took.ours].map((all) => median(all.map(({ seconds }) => seconds))) as [number, number];
    const most = (all: Measured[]) => Math.max(...all.map(({ mebibytes }) => mebibytes)).toFixed(0);
    console.error(`${clusters} clusters: plain ${a.toFixed(1)} s, ours ${b.toFixed(1)} s`);
    rows.push([`${clusters} × ${members}`, a, b, b / a, most(took.plain), most(took.ours)]);
  }
  return `### A preview with nothing to do\n\n${table(["clusters × members", "plain resources, seconds", "ours, seconds", "ratio", "plain, peak MiB", "ours, peak MiB"], rows)}`;
}

const preview = ({ pulumi }: Stack): Promise<Measured> => measure(pulumi(["preview", "--expect-no-changes"]));

/** The state after an `up` in which nothing was made. */
async function pretended({ env, pulumi }: Stack, engine: Engine): Promise<string> {
  const { port, end } = await pretence(join(engine.env.PULUMI_HOME!, `plugins/resource-openstack-${openstack}/pulumi-resource-openstack`), env);
  const guests = Array.from({ length: members }, (_, index) => `shop1-${index + 1}`).join(" ");
  try {
    await pulumi(["up", "--yes", "--skip-preview"], { env: { ...env, PULUMI_DEBUG_PROVIDERS: `openstack:${port}`, NODE_OPTIONS: `--require ${join(__dirname, "../test/package/guests.js")}`, GUESTS: guests } });
  } finally {
    end();
  }
  return (await pulumi(["stack", "export"])).stdout;
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
