import { createHash } from "node:crypto";
import { accessSync, chmodSync, constants, copyFileSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { version } from "@pulumi/openstack/package.json";
import { cached, cacheFolder } from "./cache";
import { goBuild } from "./engine/go";
import type { Progress } from "./progress";

/** What runs a Pulumi program. */
export interface Engine {
  /** The folder to put first on PATH. */
  bin: string;
  /** The environment that `pulumi` is to be run with. */
  env: Record<string, string>;
}

const sources = join(__dirname, "engine");
const openstack = "pulumi-resource-openstack";
const nodePrograms = ["pulumi-language-nodejs", "pulumi-resource-pulumi-nodejs"];

/** The Pulumi engine and its plugins: each part as it is installed on this machine, else built into the cache. */
export async function engine(progress: Progress): Promise<Engine> {
  const plugin = onPath(openstack) ?? installedPlugin();
  const goPrograms = [!onPath("pulumi") && "pulumi", !plugin && openstack].filter((name) => name !== false);
  const built = goPrograms.length > 0 ? await goBuild(goPrograms, progress) : undefined;
  const bin = await putTogether(built && !onPath("pulumi") ? join(built, "pulumi") : undefined, progress);
  return { bin, env: environment(plugin ?? join(built!, openstack)) };
}

/** The engine expects its language hosts beside its own executable, so that is a hard link, which looks like any file. */
function putTogether(pulumi: string | undefined, progress: Progress): Promise<string> {
  const scripts = nodePrograms.filter((name) => !onPath(name)).map((name) => ({ name, file: join(sources, `${name}.js`) }));
  return cached(
    {
      name: "engine-bin",
      title: "putting the Pulumi engine together",
      from: { pulumi, scripts: scripts.map(({ name, file }) => [name, readFileSync(file, "utf8")]) },
      build: async (folder) => {
        if (pulumi) linkSync(pulumi, join(folder, "pulumi"));
        for (const { name, file } of scripts) {
          copyFileSync(file, join(folder, name));
          chmodSync(join(folder, name), 0o755);
        }
      },
    },
    progress,
  );
}

/**
 * A home of its own keeps the user's login and settings out of it; one for each plugin, for clones of other ages have others. The OpenStack plugin is linked there as if it were
 * installed, for about a plugin that is merely on PATH the engine warns in every run.
 */
function environment(plugin: string): Record<string, string> {
  const home = cacheFolder("pulumi-home", createHash("sha256").update(plugin).digest("hex").slice(0, 16));
  const folder = join(home, "plugins", `resource-openstack-${version}`);
  mkdirSync(folder, { recursive: true });
  const link = join(folder, openstack);
  // Another run may do the same at the same time.
  const own = `${link}.${process.pid}`;
  rmSync(own, { force: true });
  symlinkSync(plugin, own);
  renameSync(own, link);
  return { PULUMI_HOME: home, PULUMI_SKIP_UPDATE_CHECK: "true", PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true" };
}

/** What is in our own cache does not count as installed: a shell that was told to put it on PATH may have started us. */
function onPath(name: string): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => !folder.startsWith(cacheFolder()));
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function installedPlugin(): string | undefined {
  const home = process.env.PULUMI_HOME || join(homedir(), ".pulumi");
  const file = join(home, "plugins", `resource-openstack-${version}`, openstack);
  return !home.startsWith(cacheFolder()) && isExecutable(file) ? file : undefined;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
