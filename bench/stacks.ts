import { readFileSync } from "node:fs";
import { join } from "node:path";
import execa from "execa";
import { stack, type Stack } from "../demo/stack";
import type { Engine } from "../tools/engine";
import { begin } from "./interruption";

/** What each figure of ours stands beside. */
export type Kind = "plain" | "ours";

/** They take turns, in both orders, for a machine has moods. */
export const inTurn = (round: number): Kind[] => (round % 2 === 0 ? ["plain", "ours"] : ["ours", "plain"]);

/** A stack of one of the two programs, in a folder of its own below `folder`. */
export async function stackOf(kind: Kind, engine: Engine, folder: string, { clusters, members }: { clusters: number; members: number }): Promise<Stack> {
  const found = await stack(engine, join(__dirname, kind), join(folder, kind), "bench");
  const made: Stack = { ...found, pulumi: (args, options) => begin(() => found.pulumi(args, options)) };
  const { stdout: publicKey } = await execa("ssh-keygen", ["-y", "-f", made.keyFile]);
  const text = (values: Record<string, string | number>) => Object.entries(values).flatMap(([key, value]) => ["--plaintext", `${key}=${value}`]);
  await made.pulumi(["config", "set-all", ...text({ clusters, members, ...(kind === "plain" ? { publicKey } : {}) })]);
  if (kind === "ours") await made.pulumi(["config", "set", "--secret", "privateKey"], { stdin: "pipe", input: readFileSync(made.keyFile, "utf8") });
  return made;
}

/** How many of each resource of OpenStack a stack has. */
export async function resourcesOf({ pulumi }: Stack): Promise<Record<string, number>> {
  const { deployment } = JSON.parse((await pulumi(["stack", "export"])).stdout) as { deployment: { resources: { type: string }[] } };
  const types = deployment.resources.map(({ type }) => type).filter((type) => type.startsWith("openstack:")).sort();
  return Object.fromEntries([...new Set(types)].map((type) => [type, types.filter((each) => each === type).length]));
}
