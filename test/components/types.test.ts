import { deepEqual, equal, ok } from "node:assert/strict";
import { dirname } from "node:path";
import { Analyzer, type AnalyzeResult } from "@pulumi/pulumi/provider/experimental/analyzer";
import * as components from "../../components";
import manifest from "../../package.json";

const root = dirname(dirname(__dirname));

/** Pulumi reads components for other languages from their types: what it cannot read there is closed to them for ever. */
describe("public types", function () {
  this.timeout(120_000);
  let read: AnalyzeResult;
  const names = Object.entries(components).filter(([, each]) => typeof each === "function").map(([name]) => name);
  before(() => {
    read = new Analyzer(root, "pulumi-openstack-datastores", { name: "pulumi-openstack-datastores", main: "components/index.ts" }, new Set(names)).analyze();
  });

  it("are read by Pulumi's own analyzer", () => deepEqual(Object.keys(read.components), names));

  it("each argument of a component says what it is and its default", () => {
    for (const { name, inputs } of Object.values(read.components)) for (const [key, { description, optional, $ref }] of Object.entries(inputs).map(([key, input]) => [key, { $ref: undefined, ...input }] as const)) {
      ok(description || $ref, `${name}.${key} has no words`);
      if (optional && !["configuration", "version", "memberOverrides"].includes(key)) ok(/Default: /.test(description ?? ""), `${name}.${key} does not say its default`);
    }
  });

  it("enumerations are objects of words, which users may write as plain strings", () => {
    equal(components.GaleraVendor.MariaDB, "mariadb");
    for (const name of ["Locality", "Unsafe"] as const) deepEqual(read.typeDefinitions[name]!.enum!.map(({ value }) => value), Object.values(components[name]));
  });

  it("the package is no plugin: Pulumi must try no download of it", () => {
    equal("pulumi" in manifest, false);
    ok(!manifest.files.some((file) => /PulumiPlugin/.test(file)));
  });

  it("the names that states hold lead to the same places for ever", () => {
    equal(manifest.name, "pulumi-openstack-datastores");
    deepEqual([manifest.exports["."], manifest.exports["./provider"]], [`./${manifest.main}`, "./dist/provider/lifecycle.js"]);
  });
});
