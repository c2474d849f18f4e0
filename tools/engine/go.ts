import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import execa from "execa";
import { cached, cacheFolder, locked, type Run } from "../cache";
import type { Progress } from "../progress";

const packages: Record<string, string> = {
  pulumi: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
  "pulumi-resource-openstack": "./pulumi-resource-openstack",
};
const sources = ["go.mod", "go.sum", "pulumi-resource-openstack/main.go"].map((file) => readFileSync(join(__dirname, file), "utf8"));
const goMod = sources[0]!;
const version = (module: string) => new RegExp(`\\s${module} v(\\S+)`).exec(goMod)![1]!;
const flags = ["-trimpath", "-buildvcs=false", "-modcacherw"];
/** Without inlining and debug information it is built with two thirds of the work, and runs no slower that one could tell. */
const compilerFlags = "all=-l -dwarf=false";
const linkerFlags = `-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${version("github.com/pulumi/pulumi/pkg/v3")}`;

/**
 * A folder with the named programs. One module holds them all and one `go build` makes them, so that what they
 * have in common is compiled once and one is linked while the other is compiled.
 */
export function goBuild(names: string[], progress: Progress): Promise<string> {
  return cached(
    {
      name: "engine",
      title: `building ${names.join(" and ")} with Go, which takes some minutes`,
      from: { names, sources, flags, compilerFlags, linkerFlags, machine: [process.platform, process.arch] },
      build: (folder, run) => locked(
        `${caches()}.lock`,
        () => progress("another build with Go is at it, waiting for it"),
        () => build(names, folder, run, progress),
      ),
    },
    progress,
  );
}

/** Go's own caches, some 3 GB: they outlive an interrupted build, so that the next one continues it, and no other. */
const caches = () => cacheFolder("go");

async function build(names: string[], folder: string, run: Run, progress: Progress): Promise<void> {
  const scratch = join(caches(), "scratch");
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch);
  const env = {
    GOTOOLCHAIN: await toolchain(progress),
    GOMODCACHE: join(caches(), "modules"),
    GOCACHE: join(caches(), "compiled"),
    GOTMPDIR: scratch,
    GOFLAGS: flags.join(" "),
    GOWORK: "off",
    CGO_ENABLED: "0",
  };
  const args = ["build", "-gcflags", compilerFlags, "-ldflags", linkerFlags, "-o", `${folder}/`, ...names.map((name) => packages[name]!)];
  try {
    await run("go", args, { cwd: __dirname, env });
  } catch (error) {
    const output = String((error as execa.ExecaError).stderr).split("\n").filter((line) => !line.startsWith("go: downloading"));
    throw new Error(`Go could not build ${names.join(" and ")}: ${output.join("\n").trim()}`, { cause: error });
  }
  rmSync(caches(), { recursive: true });
}

/** Since 1.21 a Go that is older than a module wants fetches the newer one by itself, unless it was told not to. */
async function toolchain(progress: Progress): Promise<"local" | "auto"> {
  const wanted = /^go (\S+)$/m.exec(goMod)![1]!;
  const advice = `Install Go 1.21 or newer from https://go.dev/dl (it then gets ${wanted} by itself), or install Pulumi with its OpenStack plugin.`;
  const { stdout, failed } = await execa("go", ["env", "GOVERSION"], { cwd: "/", env: { GOTOOLCHAIN: "local" }, reject: false });
  if (failed) throw new Error(`Pulumi is built with Go, and this machine has none. ${advice}`);
  const installed = stdout.replace(/^go/, "");
  if (olderThan(installed, "1.21")) throw new Error(`Pulumi is built with Go, and the ${installed} of this machine is too old. ${advice}`);
  if (!olderThan(installed, wanted)) return "local";
  progress(`Go ${installed} is older than ${wanted}, which it gets by itself`);
  return "auto";
}

function olderThan(version: string, wanted: string): boolean {
  return version.localeCompare(wanted, undefined, { numeric: true }) < 0;
}
