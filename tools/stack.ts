import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import execa from "execa";
import * as sshpk from "sshpk";
import { cloudsYaml } from "../devcloud";
import type { Engine } from "./engine";

/** A Pulumi stack of the devcloud, with its own backend, passphrase and SSH key in one folder. */
export interface Stack {
  /** What a shell needs to run `pulumi` on this stack. */
  env: Record<string, string>;
  /** Folder of the program. */
  program: string;
  /** File with the SSH key that its servers accept. */
  keyFile: string;
  /** The stack's own options, as they stand after a `pulumi` command. */
  select: string[];
  pulumi(args: string[], options?: execa.Options): execa.ExecaChildProcess;
}

/** Opens the stack `name` of a program, and makes it when it is not there. */
export async function stack(engine: Engine, program: string, folder: string, name: string): Promise<Stack> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const keep = (file: string, content: () => string) => {
    const path = join(folder, file);
    if (!existsSync(path)) writeFileSync(path, content(), { mode: 0o600 });
    return path;
  };
  const keyFile = keep("id_ed25519", () => sshpk.generatePrivateKey("ed25519").toString("ssh-private"));
  const env = {
    ...environment(),
    ...engine.env,
    PATH: `${engine.bin}:${process.env.PATH}`,
    PULUMI_BACKEND_URL: `file://${folder}`,
    PULUMI_CONFIG_PASSPHRASE_FILE: keep("passphrase", () => randomBytes(24).toString("base64url")),
    OS_CLIENT_CONFIG_FILE: cloudsYaml,
    OS_CLOUD: "devcloud",
  };
  const select = ["--stack", `organization/galera/${name}`, "--config-file", join(folder, `Pulumi.${name}.yaml`)];
  const pulumi = (args: string[], options: execa.Options = {}) =>
    execa("pulumi", [...args, ...select, "--cwd", program, "--non-interactive"], { env, extendEnv: false, stdin: "ignore", ...options });
  await execa("pulumi", ["stack", "select", "--create", ...select.slice(0, 2), "--cwd", program, "--non-interactive"], { env, extendEnv: false, stdin: "ignore" });
  return { env, program, keyFile, select, pulumi };
}

/** Our environment without what would lead to another cloud or another backend: `OS_CLOUD` beats even explicit arguments. */
const environment = (): Record<string, string> =>
  Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^(OS|PULUMI)_/.test(key))) as Record<string, string>;
