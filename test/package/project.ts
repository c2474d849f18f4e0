import { createPrivateKey } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import execa from "execa";
import { devDependencies } from "../../package.json";
import { engine, type Engine } from "../../tools/engine";

const root = dirname(dirname(__dirname));

/** A user's project, empty but for the package as it is published and what the package is used with. */
export interface Project {
  folder: string;
  /** The package, as `npm publish` would send it. */
  tarball: string;
  /** Makes a program of these files, with a stack `dev` that nothing was made in yet. `cloud` is how it reaches one; without, it has none. */
  program(name: string, files: Record<string, string>, cloud?: Record<string, string>): Promise<Program>;
}

/** A Pulumi program of the project. Of OpenStack it has the plugin. */
export interface Program {
  folder: string;
  /** Where its commands are looked for. */
  path: string;
  pulumi(args: string[], options?: execa.Options): execa.ExecaChildProcess;
  /** Any other command, in its folder and with what `pulumi` is run with. */
  run(command: string, args: string[], options?: execa.Options): execa.ExecaChildProcess;
}

let made: Promise<Project> | undefined;

/** One project serves all tests of the package: to install it takes longest. */
export const project = (): Promise<Project> => (made ??= make());

/** The tests of `suite` are of the project. Where no other test did, it gets the engine, which may have to be built. */
export function ofProject(suite: Mocha.Suite): void {
  suite.timeout("5m");
  suite.beforeAll(async function () {
    this.timeout("20m");
    await project();
  });
}

async function make(): Promise<Project> {
  const tools = await engine((line) => console.log(`    ${line}`));
  const folder = mkdtempSync(join(tmpdir(), "datastores-package-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const packed = await execa("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: root });
  const tarball = join(folder, packed.stdout.trim().split("\n").at(-1)!);
  const beside = ["@pulumi/pulumi", "@pulumi/openstack", "typescript"] as const;
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true }));
  await npm(folder, "install", tarball, ...beside.map((name) => `${name}@${devDependencies[name]}`), `@types/node@${devDependencies["@types/node"]}`);
  return { folder, tarball, program: (name, files, cloud = noCloud) => program(tools, join(folder, name), files, cloud) };
}

/** As users run it, but for scripts: that of `@pulumi/openstack` would get a plugin that the engine has. */
export const npm = (cwd: string, ...args: string[]): execa.ExecaChildProcess =>
  execa("npm", [...args, "--prefer-offline", "--ignore-scripts", "--no-fund", "--no-audit", "--loglevel=error"], { cwd });

async function program({ bin, env }: Engine, folder: string, files: Record<string, string>, cloud: Record<string, string>): Promise<Program> {
  mkdirSync(join(folder, "state"), { recursive: true });
  for (const [name, text] of Object.entries({ ...config, ...files })) writeFileSync(join(folder, name), text);
  const ours = Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^(OS|PULUMI)_/.test(key)));
  const path = `${bin}:${process.env.PATH}`;
  const all = { ...ours, ...env, ...cloud, PATH: path, PULUMI_BACKEND_URL: `file://${join(folder, "state")}`, PULUMI_CONFIG_PASSPHRASE: "nothing to hide" };
  const run = (command: string, args: string[], options: execa.Options = {}) =>
    execa(command, args, { cwd: folder, extendEnv: false, stdin: "ignore", ...options, env: { ...all, ...options.env } });
  const pulumi = (args: string[], options?: execa.Options) => run("pulumi", [...args, "--non-interactive"], options);
  await pulumi(["stack", "init", "dev"]);
  return { folder, path, pulumi, run };
}

/** Enough for the plugin to be configured. It logs in with its first question, so none is answered. Port 9 discards. */
export const noCloud = { OS_AUTH_URL: "http://127.0.0.1:9/v3", OS_USERNAME: "nobody", OS_PASSWORD: "nothing", OS_PROJECT_NAME: "none", OS_REGION_NAME: "nowhere" };

/** The same at each run: a stored state knows its public half. All know it: it opens only guests that a test makes, and takes away. */
const seed = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.alloc(32, "opens nothing")]);
export const privateKey = createPrivateKey({ key: seed, format: "der", type: "pkcs8" }).export({ format: "pem", type: "pkcs8" }) as string;

const config = {
  "Pulumi.yaml": "name: shop\nruntime: nodejs\n",
  "Pulumi.dev.yaml": `config:\n  shop:privateKey: ${JSON.stringify(privateKey)}\n`,
};
