import { deepEqual, equal, ok } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ESLint } from "eslint";
import { parse } from "yaml";

const root = dirname(__dirname);

describe("laws", function () {
  this.timeout(120_000);
  const lint = new ESLint({ cwd: root });
  // What a file imports is seen without its types, which take long.
  const untyped = new ESLint({ cwd: root, overrideConfig: {
    files: ["**/*.ts"], languageOptions: { parserOptions: { projectService: false } },
    rules: Object.fromEntries(["no-floating-promises", "no-misused-promises"].map((rule) => [`@typescript-eslint/${rule}`, "off"])),
  } });
  const rules = async (file: string, text: string, by = untyped) =>
    (await by.lintText(`${text}\n`, { filePath: join(root, file) }))[0]!.messages.map(({ ruleId, message }) => `${ruleId ?? "parse"}: ${message}`);
  const breaks = (file: string, text: string, law: RegExp, by = untyped) => it(`${file} may not \`${text}\``, async () => {
    const found = await rules(file, text, by);
    ok(found.some((each) => law.test(each)), found.join("\n") || "nothing was reported");
  });
  const keeps = (file: string, text: string) => it(`${file} may \`${text}\``, async () =>
    deepEqual((await rules(file, text)).filter((each) => each.includes("no-restricted")), []));
  const law = (words: string) => new RegExp(`no-restricted-imports.*${words}`, "s");
  const value = (module: string) => `import * as it from "${module}"; export { it };`;

  describe("components know the door, provider/index, and nothing behind it", () => {
    const words = law("components know the door");
    for (const module of ["../provider/lifecycle", "../provider/inputs", "../provider/guest/ssh", "../provider/datastores/galera"]) breaks("components/galera.ts", value(module), words);
    breaks("components/members.ts", 'import type { Inputs } from "../provider/inputs"; export type { Inputs };', words);
    breaks("components/rules.ts", value("../provider/inputs"), words);
    keeps("components/galera.ts", value("../provider"));
  });

  describe("the door captures nothing", () => {
    for (const module of ["./lifecycle", "./wire"]) breaks("provider/index.ts", value(module), law("the door captures nothing"));
    keeps("provider/index.ts", value("@pulumi/pulumi"));
  });

  describe("the command line looks, and knows no kind of database", () => {
    for (const module of ["../components", "../provider", "../provider/lifecycle"]) breaks("cli/status.ts", value(module), law("the command line looks, and changes no cluster"));
    for (const module of ["../provider/guest/ssh", "../provider/guest/guests", "../provider/datastores/galera", "../provider/datastores/galera/sql"]) breaks("cli/status.ts", value(module), law("reaches guests through provider/reach"));
    for (const module of ["../provider/reach", "../provider/reconcile", "../provider/guest/lease", "../provider/datastores", "../provider/datastores/datastore", "commander"]) keeps("cli/status.ts", value(module));
  });

  describe("one place for each library", () => {
    for (const [module, home, words] of [["node-ssh", "provider/guest/ssh.ts", "only provider/guest/ssh.ts talks SSH"], ["zod", "provider/inputs.ts", "schemas live in inputs.ts, options.ts and components/rules.ts"],
      ["ejs", "provider/template.ts", "files are rendered by provider/template.ts"]] as const) {
      for (const file of ["cli/stack.ts", "components/galera.ts", "provider/lifecycle.ts", "provider/guest/volume.ts", "provider/reconcile.ts", "provider/datastores/galera/steps.ts", "provider/datastores/galera/plan.ts", "provider/index.ts"])
        breaks(file, value(module), law(words));
      keeps(home, value(module));
    }
    breaks("provider/template.ts", value("zod"), law("schemas live in"));
    breaks("provider/inputs.ts", value("node-ssh"), law("talks SSH"));
    breaks("provider/guest/ssh.ts", value("zod/v4"), law("schemas live in"));
    for (const file of ["provider/datastores/galera/options.ts", "components/rules.ts"]) keeps(file, value("zod"));
  });

  describe("lifecycle → reconcile → datastores → guest", () => {
    for (const module of ["./lifecycle", "./guest/ssh", "./guest/guests"]) breaks("provider/reconcile.ts", value(module), law("reconcile knows datastores"));
    for (const file of ["provider/guest/volume.ts", "provider/guest/ssh.ts"])
      for (const module of ["../lifecycle", "../reconcile", "../datastores", "../datastores/galera/plan"]) breaks(file, value(module), law("guests know no datastore"));
    for (const module of ["../../lifecycle", "../../reconcile", "../../guest/ssh", "../../guest/guests", "../../guest/lease"])
      breaks("provider/datastores/galera/steps.ts", value(module), law("a datastore knows guests through guest/guest"));
    for (const module of ["../../guest/guest", "../../guest/volume", "../../plan", "../datastore", "./plan"]) keeps("provider/datastores/galera/steps.ts", value(module));
  });

  describe("a datastore never imports another", () => {
    for (const module of ["../redis", "../redis/plan", "..", "../index", "../../datastores/redis"]) breaks("provider/datastores/galera/steps.ts", value(module), law(""));
  });

  describe("a planner is pure", () => {
    for (const module of ["node:fs", "node:timers/promises", "execa", "../../guest/guest", "./observe", "./steps", "./sql", "@pulumi/pulumi", "../../reconcile", "../redis/plan"])
      for (const file of ["plan", "rules", "decision", "sight", "memory"]) breaks(`provider/datastores/galera/${file}.ts`, value(module), law(""));
    for (const module of ["../../authorities", "../../errors", "../../plan", "../../rest", "../../topology", "./memory", "./options", "./rules", "./sight"]) keeps("provider/datastores/galera/plan.ts", value(module));
    for (const file of ["plan", "authorities", "rest"]) breaks(`provider/${file}.ts`, value("node:fs"), law("a planner is pure"));
  });

  describe("what is found is judged, not gathered", () => {
    for (const module of ["node:fs", "./guest/machine", "./errors"])
      for (const file of ["provider/demands.ts", "provider/findings.ts"]) breaks(file, value(module), law("what is found is judged"));
    keeps("provider/demands.ts", 'import type { Needs } from "./guest/machine"; export type { Needs };');
    keeps("provider/findings.ts", value("./demands"));
    for (const module of ["./guest/ssh", "./reconcile"]) breaks("provider/preflight.ts", value(module), law("a preflight knows guests through guest/machine"));
    keeps("provider/preflight.ts", value("./guest/machine"));
  });

  describe("what is required is judged, not gathered", () => {
    for (const module of ["node:fs", "zod", "./index", "./lifecycle", "./reconcile", "./datastores", "./guest/machine", "../components/cloud"]) breaks("provider/requirements.ts", value(module), law("what is required is judged"));
    for (const module of ["./check", "./servers", "./wire"]) keeps("provider/requirements.ts", value(module));
    keeps("provider/requirements.ts", 'import type { Facts } from "./index"; export type { Facts };');
  });

  describe("options are a schema and nothing else", () => {
    for (const module of ["../../guest/guest", "../../errors"]) breaks("provider/datastores/galera/options.ts", value(module), law("options are a schema"));
  });

  describe("all code", () => {
    breaks("provider/lifecycle.ts", "export const x: any = 1;", /no-explicit-any/);
    breaks("provider/lifecycle.ts", "const late = async () => 1; late();", /no-floating-promises/, lint);
    breaks("provider/lifecycle.ts", "export const x = [1].forEach(async () => undefined);", /no-misused-promises/, lint);
    breaks("provider/lifecycle.ts", 'export const x = require("zod");', /no-require-imports/);
    for (const file of ["provider/lifecycle.ts", "provider/datastores/galera/plan.ts", "components/galera.ts", "cli/program.ts"])
      breaks(file, 'export const x = () => import("ejs");', /no-restricted-syntax/);
    keeps("provider/guest/ssh.ts", 'export const x = () => import("node-ssh");');
    breaks("provider/guest/ssh.ts", 'export const x = () => import("../plan");', /only packages may be loaded late/);
  });

  it("the project's own Pulumi.yaml runs the example, with its settings", () => {
    const [ours, example] = ["Pulumi.yaml", "examples/galera/Pulumi.yaml"].map((file) => parse(readFileSync(join(root, file), "utf8")) as { main?: string; config: object });
    deepEqual([ours!.main, ours!.config], ["examples/galera", example!.config]);
  });

  it("are kept by cli, components and provider themselves, and switched off nowhere without a reason", async () => {
    const results = await untyped.lintFiles(["cli", "components", "provider"]);
    deepEqual(results.flatMap(({ filePath, messages }) => messages.map(({ message, line }) => `${filePath}:${line} ${message}`)), []);
    ok(results.length > 30);
    equal(results.flatMap(({ suppressedMessages }) => suppressedMessages.filter(({ suppressions }) => suppressions.some(({ justification }) => !justification))).length, 0);
  });
});
