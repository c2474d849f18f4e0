import { deepEqual, ok } from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import execa from "execa";
import { families, packages } from "../../../provider/datastores/galera/configuration";
import { needs } from "../../../provider/datastores/galera/machine";
import { ofAll, type Machine } from "../../../provider/demands";
import type { Guest } from "../../../provider/guest/guest";
import { offeredVersion, sparePackages } from "../../../provider/guest/packages";

/** What is written to spare packages, and where. */
async function written(beginnings: string[]): Promise<[path: string, content: string]> {
  const files: [string, string][] = [];
  const guest: Pick<Guest, "write"> = { write: async (path, content) => { files.push([path, content]); return true; } };
  await sparePackages(guest as Guest, beginnings);
  deepEqual(files.length, 1);
  return files[0]!;
}

describe("the version that package sources offer", () => {
  const offered = async (candidate: string) => (await execa("bash", ["-euo", "pipefail", "-c",
    `apt-cache() { [ "$*" = "policy mariadb-server" ] && printf '%s\\n' mariadb-server: '  Installed: (none)' '  Candidate: ${candidate}' '  Version table:' '     1:10.11.19-0+deb12u1 500'; }
${offeredVersion("mariadb-server")}`])).stdout;

  it("is the candidate of apt, and nothing where there is none", async () =>
    deepEqual([await offered("1:10.11.19-0+deb12u1"), await offered("(none)")], ["1:10.11.19-0+deb12u1", ""]));
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
