import { join } from "node:path";
import type { Program } from "./project";

/** Has a folder for each version: programs, and the states that it stored for them. */
export const states = join(__dirname, "states");

/** The program whose state is that of a real cluster; test/full/package.test.ts stores both. */
export const real = "real";

/** The state of a program's stack, but for what tells only of the run that made it. */
export async function exported({ pulumi }: Program): Promise<string> {
  const state = JSON.parse((await pulumi(["stack", "export"])).stdout) as { deployment: { resources: Record<string, unknown>[] } };
  for (const resource of state.deployment.resources) for (const key of incidental) delete resource[key];
  return `${JSON.stringify(state, undefined, 1)}\n`;
}

const incidental = ["created", "modified", "sourcePosition", "stackTrace"];
