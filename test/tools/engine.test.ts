import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { version as openstack } from "@pulumi/openstack/package.json";
import execa from "execa";
import { engine, type Engine } from "../../tools/engine";

const root = join(__dirname, "../..");
const greeting = `
import * as pulumi from "@pulumi/pulumi";
const provider = { create: async ({ who }: { who: string }) => ({ id: "greeting", outs: { who, text: "hello " + who } }) };
class Greeting extends pulumi.dynamic.Resource {
  declare readonly text: pulumi.Output<string>;
}
export const text = new Greeting(provider, "greeting", { who: new pulumi.Config().require("who"), text: undefined }).text;
`;

describe("the Pulumi engine", function () {
  this.timeout(180_000);
  let got: Engine;
  let project: string;

  before(async function () {
    this.timeout(20 * 60_000);
    got = await engine((line) => console.log(`    ${line}`));
  });
  beforeEach(() => {
    project = mkdtempSync(join(tmpdir(), "datastores-engine-"));
    symlinkSync(join(root, "node_modules"), join(project, "node_modules"));
    writeFileSync(join(project, "Pulumi.yaml"), "name: tiny\nruntime: nodejs\n");
    writeFileSync(join(project, "package.json"), '{ "main": "index.ts" }');
  });
  afterEach(() => {
    const left = processesIn(project);
    rmSync(project, { recursive: true });
    assert.deepEqual(left, []);
  });

  function pulumi(...args: string[]): execa.ExecaChildProcess {
    const own = Object.entries(process.env).filter(([name]) => !/^(OS|PULUMI)_/.test(name));
    const env = {
      ...Object.fromEntries(own),
      ...got.env,
      PATH: `${got.bin}:${process.env.PATH}`,
      PULUMI_BACKEND_URL: `file://${project}`,
      PULUMI_CONFIG_PASSPHRASE: "tiny",
    };
    return execa("pulumi", [...args, "--non-interactive"], { cwd: project, env, extendEnv: false, reject: false, all: true });
  }

  async function program(text: string): Promise<void> {
    writeFileSync(join(project, "index.ts"), text);
    await pulumi("stack", "init", "dev");
  }

  it("is got by several runs at the same time", async () => {
    const get = ["-r", "ts-node/register/transpile-only", "-e", "(async () => { for (let i = 0; i < 50; i++) await require('./tools/engine').engine(() => undefined); })()"];
    await Promise.all(Array.from({ length: 4 }, () => execa("node", get, { cwd: root })));
  });

  it("is there", async () => {
    const { all } = await pulumi("version");
    assert.match(all!, /^v3\.\d+\.\d+$/);
  });

  it("has the OpenStack plugin of the version that @pulumi/openstack wants", async () => {
    const { all } = await pulumi("plugin", "ls", "--json");
    const [plugin] = JSON.parse(all!) as { name: string; version: string }[];
    assert.deepEqual([plugin?.name, `v${plugin?.version}`], ["openstack", openstack]);
  });

  it("runs a TypeScript program with a dynamic resource, and its second run is empty", async () => {
    await program(greeting);
    await pulumi("config", "set", "who", "world");
    const up = await pulumi("up", "--yes");
    assert.equal(up.exitCode, 0, up.all);
    assert.deepEqual(JSON.parse((await pulumi("stack", "output", "--json")).stdout), { text: "hello world" });
    const again = await pulumi("preview", "--expect-no-changes");
    assert.equal(again.exitCode, 0, again.all);
    assert.doesNotMatch(up.all!, /warning/i);
  });

  it("tells a program's error, and fails", async () => {
    await program(`throw new Error("no such luck");`);
    const { exitCode, all } = await pulumi("preview");
    assert.notEqual(exitCode, 0);
    assert.match(all!, /no such luck/);
  });

  it("reaches the OpenStack plugin, which misses a cloud", async () => {
    await program(`import { compute } from "@pulumi/openstack"; new compute.Keypair("key");`);
    const { exitCode, all } = await pulumi("preview");
    assert.notEqual(exitCode, 0);
    assert.match(all!, /One of 'auth_url' or 'cloud' must be specified/);
    assert.doesNotMatch(all!, /warning|download/i);
  });
});

/** Command lines of the processes that work in a folder, as a program's plugins do. */
function processesIn(folder: string): string[] {
  const processes = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return processes.flatMap((id) => {
    try {
      return readlinkSync(`/proc/${id}/cwd`).startsWith(folder) ? [readFileSync(`/proc/${id}/cmdline`, "utf8")] : [];
    } catch {
      return []; // Ended meanwhile, or somebody else's.
    }
  });
}

describe("the choice of the engine", () => {
  const official = ["pulumi", "pulumi-language-nodejs", "pulumi-resource-pulumi-nodejs"];
  const before = { ...process.env };
  let machine: string;

  beforeEach(() => {
    machine = mkdtempSync(join(tmpdir(), "datastores-machine-"));
    Object.assign(process.env, { PATH: `${join(machine, "bin")}:/usr/bin:/bin`, DATASTORES_CACHE: join(machine, "cache"), HOME: machine });
    delete process.env.PULUMI_HOME;
  });
  afterEach(() => {
    rmSync(machine, { recursive: true });
    for (const name of ["PATH", "DATASTORES_CACHE", "HOME", "PULUMI_HOME"])
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
  });

  const install = (folder: string, ...names: string[]) => {
    mkdirSync(join(machine, folder), { recursive: true });
    for (const name of names) writeFileSync(join(machine, folder, name), "#!/bin/sh\necho go1.19.8\n", { mode: 0o755 });
  };
  const choose = async () => {
    const { bin, env } = await engine(() => undefined);
    const plugin = join(env.PULUMI_HOME!, "plugins", `resource-openstack-${openstack}`, "pulumi-resource-openstack");
    return { ours: readdirSync(bin), plugin: readlinkSync(plugin).replace(machine, "") };
  };

  it("takes what is on PATH", async () => {
    install("bin", ...official, "pulumi-resource-openstack");
    assert.deepEqual(await choose(), { ours: [], plugin: "/bin/pulumi-resource-openstack" });
  });

  it("takes the OpenStack plugin that Pulumi has installed for the user, in the version that is wanted", async () => {
    const installed = `.pulumi/plugins/resource-openstack-${openstack}`;
    install("bin", ...official);
    install(installed, "pulumi-resource-openstack");
    assert.deepEqual(await choose(), { ours: [], plugin: `/${installed}/pulumi-resource-openstack` });
  });

  it("adds only what is missing", async () => {
    install("bin", "pulumi", "pulumi-resource-openstack");
    assert.deepEqual((await choose()).ours, ["pulumi-language-nodejs", "pulumi-resource-pulumi-nodejs"]);
  });

  it("asks for Go where something is to be built and Go is missing or too old", async () => {
    install("bin", ...official);
    await assert.rejects(choose(), /this machine has none. Install Go 1.21 or newer/);
    install("bin", "go");
    await assert.rejects(choose(), /the 1.19.8 of this machine is too old. Install Go 1.21 or newer/);
  });
});

describe("the OpenStack plugin that we build", () => {
  const source = readFileSync(join(root, "tools/engine/pulumi-resource-openstack/main.go"), "utf8");
  const names = [...source.matchAll(/"openstack_([a-z]+)_\w+":\s+"(\w+)"/g)].map(([, module, name]) => ({ module: module!, name: name! }));

  it("is of the version that @pulumi/openstack wants", () => {
    assert.equal(`v${/const version = "(.*)"/.exec(source)?.[1]}`, openstack);
  });

  it("knows its resources and data sources by the names that @pulumi/openstack has for them", () => {
    assert.equal(names.length, 33);
    for (const { module, name } of names) {
      const file = name[0]!.toLowerCase() + name.slice(1);
      const text = readFileSync(require.resolve(`@pulumi/openstack/${module}/${file}.js`), "utf8");
      assert.match(text, new RegExp(`["']openstack:${module}/${file}:${name}["']`));
    }
  });
});
