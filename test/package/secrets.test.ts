import { deepEqual, ok, rejects } from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pretended } from "./pretence";
import { ofProject, privateKey, project, type Program } from "./project";

const [first, second, third] = ["first-pass-w0rd", "second-pass-w0rd", "third-pass-w0rd"];

/** A program that marks none of them itself. Of its configuration the key would be in the state by Pulumi's own doing: a dynamic provider is given all of it. */
const program = (type: "GaleraCluster" | "RedisCluster", size: string, passwords: string) => `
import { readFileSync } from "node:fs";
import { ${type} } from "pulumi-openstack-datastores";
new ${type}("orders", {
  ${size}, flavor: "m1.small", image: "debian-12", network: "5b6e1a52-8a3f-4f0d-9c55-0d8c0f9a1c2e", volume: { size: 10 }, ${passwords},
  access: { user: "debian", privateKey: readFileSync("key.pem", "utf8") },
});
`;

describe("a state", function () {
  ofProject(this);

  for (const [type, size, password, guests] of [
    ["GaleraCluster", 'members: 3, vendor: "mariadb"', "rootPassword", ["orders-1", "orders-2", "orders-3"]],
    ["RedisCluster", 'shards: 3, vendor: "redis"', "password", []],
  ] as const)
    it(`of a ${type} holds no password in plain text, and no key: once it is made, and after a run that failed with former passwords`, async () => {
      const made = await (await project()).program(`secrets-${type}`, { "package.json": '{ "main": "index.ts" }', "key.pem": privateKey, "Pulumi.dev.yaml": "config: {}\n" });
      const state = async (passwords: string) => {
        writeFileSync(join(made.folder, "index.ts"), program(type, size, passwords));
        await pretended(made, [...guests], "up", "--yes", "--skip-preview");
        return stateOf(made);
      };
      holdsNone(await state(`${password}: "${first}"`));
      // The pretended guests of another run know nothing of the first.
      await rejects(state(`${password}: "${second}", formerPasswords: ["${third}", "${first}"]`), /nothing grave is done that the preview did not announce/);
      const kept = await stateOf(made);
      holdsNone(kept);
      const { outputs } = kept.deployment.resources.find(({ type: of }) => of.endsWith("datastores:Cluster"))!;
      for (const key of ["rootPassword", "formerPasswords", "access", "authority"]) ok(key in outputs && "ciphertext" in (outputs[key] as object), key);
    });
});

interface State {
  deployment: { resources: { type: string; outputs: Record<string, unknown> }[] };
}

const stateOf = async ({ pulumi }: Program) => JSON.parse((await pulumi(["stack", "export"])).stdout) as State;

const holdsNone = (state: State) => { for (const secret of [first, second, third, "PRIVATE KEY"]) deepEqual(holding(state, secret), []); };

/** The paths to it, for who reads the failure. */
const holding = (value: unknown, text: string, path = ""): string[] => {
  if (typeof value === "string") return value.includes(text) ? [path] : [];
  return typeof value === "object" && value !== null ? Object.entries(value).flatMap(([key, each]) => holding(each, text, `${path}/${key}`)) : [];
};
