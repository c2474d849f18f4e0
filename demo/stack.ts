import { randomBytes } from "node:crypto";
import { cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import execa from "execa";
import * as sshpk from "sshpk";
import { cloudsYaml } from "../devcloud";
import type { Engine } from "../tools/engine";

/** A Pulumi stack of the devcloud, with its own backend, passphrase and SSH key in one folder. */
export interface Stack {
  name: string;
  /** What a shell needs to run `pulumi` on this stack. */
  env: Record<string, string>;
  /** Folder of the program. */
  program: string;
  /** File with the SSH key that its servers accept. */
  keyFile: string;
  pulumi(args: string[], options?: execa.Options): execa.ExecaChildProcess;
}

/** Copies an example into `folder`, below this repository so that it finds its packages, and makes a stack of it. */
export async function stack(engine: Engine, example: string, folder: string, name: string): Promise<Stack> {
  const program = join(folder, basename(example));
  mkdirSync(program, { recursive: true, mode: 0o700 });
  cpSync(example, program, { recursive: true });
  const keep = (file: string, content: () => string) => {
    const path = join(folder, file);
    if (!existsSync(path)) writeFileSync(path, content(), { mode: 0o600 });
    return path;
  };
  const env = {
    ...environment(),
    ...engine.env,
    PATH: `${engine.bin}:${process.env.PATH}`,
    PULUMI_BACKEND_URL: `file://${folder}`,
    PULUMI_CONFIG_PASSPHRASE_FILE: keep("passphrase", () => randomBytes(24).toString("base64url")),
    OS_CLIENT_CONFIG_FILE: cloudsYaml,
    OS_CLOUD: "devcloud",
  };
  const pulumi = (args: string[], options: execa.Options = {}) => execa("pulumi", [...args, "--stack", name, "--non-interactive"],
    { cwd: program, env, extendEnv: false, ...(options.stdio ? {} : { stdin: "ignore" }), ...options });
  await execa("pulumi", ["stack", "select", "--create", name, "--non-interactive"], { cwd: program, env, extendEnv: false });
  const keyFile = keep("id_ed25519", () => sshpk.generatePrivateKey("ed25519").toString("ssh-private"));
  return { name, env, program, keyFile, pulumi };
}

/** Our environment without what would lead to another cloud or another backend: `OS_CLOUD` beats even explicit arguments. */
const environment = (): Record<string, string> =>
  Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^(OS|PULUMI)_/.test(key))) as Record<string, string>;
