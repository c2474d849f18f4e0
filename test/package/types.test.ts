import { deepEqual } from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as ts from "typescript";
import { ofProject, project } from "./project";

/** All that a program may say, and lines that must not compile: one that does is an error, too. */
const program = `
import * as pulumi from "@pulumi/pulumi";
import { GaleraCluster, GaleraVendor, Locality, Unsafe, type AccessArgs, type GaleraClusterArgs } from "pulumi-openstack-datastores";

const access: AccessArgs = { user: "debian", privateKey: pulumi.secret("key"), bastion: { host: "gate", user: "debian" }, allowedCidrs: ["192.0.2.0/24"] };
const least: GaleraClusterArgs = { members: 3, vendor: "mariadb", flavor: "m1.small", image: "debian-12", network: "private", volume: { size: 10 }, access };
const orders = new GaleraCluster("orders", { ...least, vendor: GaleraVendor.MariaDB, locality: Locality.Affinity, allowUnsafe: [Unsafe.EvenMembers, "under-three-members"] });
new GaleraCluster("later", { ...least, flavor: pulumi.output("m1.small"), volume: { size: Promise.resolve(10) }, configuration: { max_connections: pulumi.output("10") } }, { protect: true });
export const endpoint: pulumi.Output<string> = orders.endpoints.apply(([first]) => first ?? "");

// @ts-expect-error its arguments are missing
new GaleraCluster("orders");
// @ts-expect-error it has no volume
new GaleraCluster("orders", { members: 3, vendor: "mariadb", flavor: "m1.small", image: "debian-12", network: "private", access });
// @ts-expect-error how many there are must be known at once
new GaleraCluster("orders", { ...least, members: pulumi.output(3) });
// @ts-expect-error no such build
new GaleraCluster("orders", { ...least, vendor: "oracle" });
// @ts-expect-error no such argument
new GaleraCluster("orders", { ...least, replicas: 3 });
// @ts-expect-error GiB are a number
new GaleraCluster("orders", { ...least, volume: { size: "10 GiB" } });
// @ts-expect-error options are written as in a file
new GaleraCluster("orders", { ...least, configuration: { max_connections: 500 } });
// @ts-expect-error a risk has a name
new GaleraCluster("orders", { ...least, allowUnsafe: true });
// @ts-expect-error outputs cannot be set
orders.status = pulumi.output("ready");
`;

const [, readme = ""] = /```ts\n([^]*?)```/.exec(readFileSync(join(dirname(dirname(__dirname)), "README.md"), "utf8")) ?? [];

describe("the types of the published package", function () {
  ofProject(this);

  const { ModuleKind, ModuleResolutionKind } = ts;
  const resolutions: Record<string, ts.CompilerOptions> = {
    node10: { module: ModuleKind.CommonJS, moduleResolution: ModuleResolutionKind.Node10 },
    node16: { module: ModuleKind.Node16, moduleResolution: ModuleResolutionKind.Node16 },
    nodenext: { module: ModuleKind.NodeNext, moduleResolution: ModuleResolutionKind.NodeNext },
  };
  for (const [name, resolution] of Object.entries(resolutions))
    it(`with moduleResolution ${name} take what is right, and nothing else`, async () => {
      const folder = join((await project()).folder, `types-${name}`);
      mkdirSync(folder);
      // As a CommonJS and as an ES module: to these resolutions they are two questions.
      const files = name === "node10" ? ["index.ts"] : ["index.cts", "index.mts"];
      for (const file of files) writeFileSync(join(folder, file), program);
      writeFileSync(join(folder, "readme.ts"), readme);
      const options = { ...resolution, strict: true, noEmit: true, target: ts.ScriptTarget.ES2022, types: ["node"], typeRoots: [join(folder, "../node_modules/@types")] };
      const wrong = ts.getPreEmitDiagnostics(ts.createProgram([...files, "readme.ts"].map((file) => join(folder, file)), options));
      deepEqual(wrong.map(({ file, start, messageText }) => `${file?.fileName}:${file && file.getLineAndCharacterOfPosition(start!).line + 1} ${ts.flattenDiagnosticMessageText(messageText, "\n")}`), []);
    });
});
