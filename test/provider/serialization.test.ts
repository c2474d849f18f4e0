import { deepEqual, doesNotMatch, equal, ok } from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import execa from "execa";
import { golden } from "../goldens";
import { program } from "../components/program";

const root = dirname(dirname(__dirname));
/** The texts that a program puts into the state, by the module it gets the resources from. */
const textsOf = async (door: typeof import("../../provider")): Promise<{ cluster: string; requirements: string }> => {
  const { registered } = await program(() => {
    new door.Cluster("orders", {
      datastore: "galera", owner: { project: "shop", stack: "test", cluster: "orders" }, members: [], options: {}, servers: {}, access: {}, deletionProtection: true,
    });
    new door.Requirements("orders", { cluster: "orders", members: [], servers: {}, document: { datastore: "galera", options: {}, access: {} }, facts: { flavors: {}, images: {}, networks: {}, quotas: {} }, late: [] });
  });
  const text = (name: string) => registered.find(({ type }) => type === `pulumi-nodejs:dynamic/datastores:${name}`)!.inputs.__provider;
  return { cluster: text("Cluster"), requirements: text("Requirements") };
};

describe("the provider that goes into the state", () => {
  let [text, textOfRequirements] = ["", ""];
  before(async () => { ({ cluster: text, requirements: textOfRequirements } = await textsOf(await import("../../provider"))); });

  it("is this text: another is a change of every cluster that there is", () => {
    golden(join(__dirname, "serialized.txt"), text);
    golden(join(__dirname, "serialized.requirements.txt"), textOfRequirements);
  });

  it("is the same from the package as it is published", async () =>
    deepEqual(await textsOf(await import(join(root, "dist/provider"))), { cluster: text, requirements: textOfRequirements }));

  it("is a name, not a program: short, one bare require, no path of a machine", () => {
    for (const each of [text, textOfRequirements]) {
      ok(each.length < 2_000, `${each.length} characters`);
      deepEqual([...new Set(each.match(/require\(.*?\)/g))], ['require("pulumi-openstack-datastores/provider")']);
      for (const foreign of [root, "node_modules", "/home", "/root", "file:", "dist"]) doesNotMatch(each, new RegExp(foreign), foreign);
      doesNotMatch(each, /zod|node-ssh|ejs|__importStar|tslib/);
    }
  });

  describe("in another process, beside nothing but the package", () => {
    const project = mkdtempSync(join(tmpdir(), "project-"));
    after(() => rmSync(project, { recursive: true }));
    before(() => {
      mkdirSync(join(project, "node_modules"));
      symlinkSync(root, join(project, "node_modules/pulumi-openstack-datastores"));
    });
    // As Pulumi's own provider process does it, which brings `require-from-string` with it.
    const evaluate = async (what: string) => {
      const { stdout } = await execa("node", ["-e", `
        const provider = require(${JSON.stringify(require.resolve("require-from-string"))})(process.env.TEXT).handler();
        (async () => JSON.stringify(${what}))().then((answer) => console.log(answer));`], { cwd: project, env: { TEXT: text } });
      return JSON.parse(stdout.split("\n").at(-1)!);
    };

    it("has the six methods", async () => deepEqual((await evaluate("Object.keys(provider)")).sort(), ["check", "create", "delete", "diff", "read", "update"]));

    it("reaches the provider by the package's name", async () => {
      const { inputs, failures } = await evaluate(`await provider.check({}, { datastore: "galera", owner: { cluster: "orders" }, members: [{ name: "orders-1" }], options: { vendor: "oracle" }, access: ${JSON.stringify(pulumi.runtime.unknownValue)} })`);
      deepEqual(failures, [{ property: "", reason: "vendor: must be \"mariadb\": no other can be run yet" }]);
      equal(inputs.rootPassword[pulumi.runtime.specialSigKey], pulumi.runtime.specialSecretSig);
    });

    it("deletes through it what it is told to protect, never", async () => {
      equal(await evaluate(`await provider.delete("orders", { owner: { cluster: "orders" }, deletionProtection: true }).then(() => "deleted", (error) => error.message.split(":")[0])`), "orders is protected from deletion");
    });
  });
});
