import { deepEqual, equal } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { programs } from "./cluster";
import { ofProject, project } from "./project";

describe("a program of the published package", function () {
  ofProject(this);

  for (const [kind, files] of Object.entries(programs))
    it(`may be ${kind}: it previews a cluster, and what goes into its state is the same`, async () => {
      const { pulumi } = await (await project()).program(kind.replaceAll(" ", "-"), files);
      const { steps, changeSummary, diagnostics } = JSON.parse((await pulumi(["preview", "--json"])).stdout) as Preview;
      deepEqual(changeSummary, { create: 21 });
      const { inputs } = steps.map(({ newState }) => newState).find(({ type }) => type === "pulumi-nodejs:dynamic/datastores:Cluster")!;
      equal(inputs.__provider, readFileSync(join(__dirname, "../provider/serialized.txt"), "utf8"));
      const forecast = Object.values(inputs.plan as Record<string, string[]>).flat();
      equal(forecast.length, 8);
      deepEqual(diagnostics.flatMap(({ message }) => /^\[orders\] (.*)/.exec(message)?.[1] ?? []), forecast);
    });
});

interface Preview {
  steps: { newState: { type: string; inputs: Record<string, unknown> } }[];
  changeSummary: Record<string, number>;
  diagnostics: { message: string }[];
}
