import { deepEqual, equal, rejects } from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import execa from "execa";
import { clustersOf } from "../../cli/stack";
import { engine } from "../../tools/engine";
import { exported, orders } from "./terminal";

/** A state that the real engine keeps; no program runs, and no guest is there. */
describe("the clusters of a stack", function () {
  this.timeout(60_000);
  const outside = { ...process.env };
  let folder: string;

  before(async function () {
    this.timeout(20 * 60_000);
    const { bin, env } = await engine((line) => console.log(`    ${line}`));
    folder = mkdtempSync(join(tmpdir(), "stack-"));
    for (const key of Object.keys(process.env)) if (/^(OS|PULUMI)_/.test(key)) delete process.env[key];
    Object.assign(process.env, env, { PATH: `${bin}${delimiter}${process.env.PATH}`, PULUMI_BACKEND_URL: `file://${folder}`, PULUMI_CONFIG_PASSPHRASE: "tiny" });
    writeFileSync(join(folder, "Pulumi.yaml"), "name: shop\nruntime: nodejs\n");
    const pulumi = async (args: string, input = "") => (await execa("pulumi", ["stack", ...args.split(" "), "--non-interactive"], { cwd: folder, input })).stdout;
    for (const name of ["empty", "test"]) await pulumi(`init ${name} --no-select`);
    const { deployment, ...rest } = JSON.parse(await pulumi("export --stack test")) as { deployment: object };
    const [top, cluster] = exported([orders]).deployment.resources;
    await pulumi("import --stack test", JSON.stringify({ ...rest, deployment: { ...deployment, resources: [top, cluster] } }));
  });
  after(() => {
    for (const key of Object.keys(process.env)) if (!(key in outside)) delete process.env[key];
    Object.assign(process.env, outside);
    if (folder) rmSync(folder, { recursive: true });
  });
  afterEach(() => { process.env.PULUMI_CONFIG_PASSPHRASE = "tiny"; });

  it("are read with their secrets", async () => deepEqual(await clustersOf({ cwd: folder, stack: "test" }), [orders]));

  const tells = (what: string, where: { cwd?: string; stack?: string }, words: RegExp, passphrase?: string) => it(`cannot be read ${what}: it says so, and the way forward`, async () => {
    if (passphrase !== undefined) process.env.PULUMI_CONFIG_PASSPHRASE = passphrase;
    await rejects(clustersOf({ cwd: folder, ...where }), (error: Error) => {
      equal(error.message.includes("\n"), false);
      return words.test(error.message) || error.message;
    });
  });
  tells("of a stack that holds none", { stack: "empty" }, /^the stack has no cluster of this package; `pulumi up`/);
  tells("when no stack is selected", {}, /^pulumi stack export: no stack selected; please use `pulumi stack select` to choose one, or name one with --stack$/);
  tells("of a stack that is not there", { stack: "prod" }, /^pulumi stack export: no stack named 'prod' found; `pulumi stack ls` lists those that there are$/);
  tells("in a folder without a program", { cwd: tmpdir() }, /^pulumi stack export: no Pulumi\.yaml project file found .*; go to the folder of your Pulumi program, or name it with --cwd$/);
  tells("in no folder at all", { cwd: "/no/such/folder" }, /^pulumi stack export: chdir .*; go to the folder of your Pulumi program, or name it with --cwd$/);
  tells("with a wrong passphrase", { stack: "test" }, /incorrect passphrase, please set PULUMI_CONFIG_PASSPHRASE to the correct passphrase/, "wrong");
});
