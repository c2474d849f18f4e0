import { deepEqual, ok } from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import execa from "execa";
import { families, packages } from "../../../provider/datastores/galera/configuration";
import { needs } from "../../../provider/datastores/galera/machine";
import { ofAll, type Machine } from "../../../provider/demands";
import type { Guest } from "../../../provider/guest/guest";
import { holdPackages, installedMajor, installedVersion, installPackages, offeredVersion, sparePackages, unheld } from "../../../provider/guest/packages";

/** What is written to spare packages, and where. */
async function written(beginnings: string[]): Promise<[path: string, content: string]> {
  const files: [string, string][] = [];
  const guest: Pick<Guest, "write"> = { write: async (path, content) => { files.push([path, content]); return true; } };
  await sparePackages(guest as Guest, beginnings);
  deepEqual(files.length, 1);
  return files[0]!;
}

describe("the version that package sources offer", () => {
  const offered = async (candidate: string) => (await execa("bash", ["--norc", "-euo", "pipefail", "-c",
    `apt-cache() { [ "$*" = "policy mariadb-server" ] && printf '%s\\n' mariadb-server: '  Installed: (none)' '  Candidate: ${candidate}' '  Version table:' '     1:10.11.19-0+deb12u1 500'; }
${offeredVersion("mariadb-server")}`])).stdout;

  it("is the candidate of apt, and nothing where there is none", async () =>
    deepEqual([await offered("1:10.11.19-0+deb12u1"), await offered("(none)")], ["1:10.11.19-0+deb12u1", ""]));
});

describe("packages that are held", () => {
  /** What dpkg knows of packages whose names match, as `dpkg-query` prints it, and apt-mark, which prints what it is told. */
  const known = "ii mariadb-server 1:10.11.19-0+deb12u1\nhi galera-4 26.4.22-0+deb12u1\nrc mariadb-client-10.5 1:10.5.1\nun galera-3\nii socat 1.7";
  const dpkg = `dpkg-query() { format=$3; shift 3
  for each; do while read -r state name version; do case "$name" in $each) continue 2;; esac; done <<<'${known}'; unknown=yes; done
  while read -r state name version; do for each; do case "$name" in $each) case "$format" in *Package*) echo "$state $name";; *) echo "$state $version";; esac;; esac; done; done <<<'${known}'; [ -z "\${unknown:-}" ]; }
apt-mark() { echo "$@" >&2; }`;
  const shell = async (command: string) => execa("bash", ["--norc", "-euo", "pipefail", "-c", `${dpkg}\n${command}`], { all: true });

  it("are installed, as others are", async () => {
    deepEqual([(await shell(installedVersion("galera-4"))).stdout, (await shell(`${installedVersion("galera-3")} || true`)).stdout], ["26.4.22-0+deb12u1", ""]);
    deepEqual([(await shell(installedMajor("mariadb-server"))).stdout, (await shell(installedMajor("galera-3"))).stdout], ["10.11", ""]);
  });

  it("are told from those that are not, and these are held alone", async () => {
    deepEqual((await shell(unheld(["mariadb", "galera", "valkey"]))).stdout, "mariadb-server");
    let told = "";
    await holdPackages({ run: async (command: string) => { told = command; return ""; } } as unknown as Guest, ["mariadb", "galera", "valkey"]);
    deepEqual((await shell(told.replace(">/dev/null", ""))).all, "hold mariadb-server");
  });
});

describe("what is fetched for an installation", () => {
  /** The installation's own words for fetching, and how often and with which end they ran `command`, given so many seconds each time. */
  async function fetched(seconds: number, command: string): Promise<[tries: number, ended: number]> {
    let script = "";
    const guest = { name: "db-1", say: () => undefined, look: async (asked: string) => (asked.includes("ActiveState") ? "inactive" : "mariadb-server"), run: async (told: string) => { script += told; return ""; } };
    await installPackages(guest as unknown as Guest, ["mariadb-server"]).catch(() => undefined);
    const [words] = /^fetch\(\) .*$/m.exec(script)!;
    const { stdout } = await execa("bash", ["-c", `${words}\nfetch ${seconds} bash -c 'echo tried; ${command}'; echo "ended $?"`]);
    return [stdout.split("tried").length - 1, Number(/ended (\d+)/.exec(stdout)![1])];
  }

  it("is fetched once where it comes, and where it is refused", async () => deepEqual([await fetched(5, "true"), await fetched(5, "exit 100")], [[1, 0], [1, 100]]));
  it("is asked for three times where the source hangs", async () => deepEqual(await fetched(0.2, "sleep 5"), [3, 1]));
});

describe("packages that unattended-upgrades is to leave alone", () => {
  it("are known to apt by patterns that hold the database's own and no others, as Python matches them: from the start", async function () {
    if ((await execa("apt-config", ["--version"], { reject: false })).failed) this.skip();
    const folder = mkdtempSync(join(tmpdir(), "packages-"));
    try {
      const file = join(folder, "99-datastore");
      writeFileSync(file, `Dir::Etc { main "/dev/null"; parts "${folder}/none"; };\n${(await written(families))[1]}`);
      const { stdout } = await execa("apt-config", ["dump", "Unattended-Upgrade"], { env: { APT_CONFIG: file } });
      const patterns = [...stdout.matchAll(/^Unattended-Upgrade::Package-Blacklist:: "(.*)";$/gm)].map(([, pattern]) => new RegExp(`^(?:${pattern})`));
      const spared = (name: string) => patterns.some((pattern) => pattern.test(name));
      for (const name of [...packages.filter((each) => !["socat", "xfsprogs"].includes(each)), "mariadb-server-core", "mariadb-client", "mariadb-common"]) ok(spared(name), name);
      for (const name of ["socat", "libmariadb3", "libc6", "linux-image-amd64"]) ok(!spared(name), name);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("are the same that a person is told to spare on a member that was made before", async () => {
    const machine = { needs: needs({ vendor: "mariadb", configuration: {} }), sight: { upgrades: true, reboots: false, spared: "" } } as unknown as Machine;
    const { wayForward } = ofAll.find(({ name }) => name === "restarts")!(machine, []) as { wayForward: string };
    const [path, content] = await written(families);
    const [, told, to] = /echo '(.*)' \| sudo tee (.*)`/.exec(wayForward)!;
    deepEqual([content.split("\n").slice(1), path], [[told, ""], to]);
  });
});
