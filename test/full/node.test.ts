import { equal, match } from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import execa from "execa";
import { engines } from "../../package.json";
import { programs } from "../package/cluster";
import { npm, ofProject, project } from "../package/project";

/** The oldest that the package is for, and what follows. */
const floor = engines.node.replace(">=", "");

describe("the published package previews a cluster", function () {
  ofProject(this);

  for (const version of [`${floor}.0`, "22", "24"])
    it(`on Node.js ${version}`, async () => {
      const { folder, program } = await project();
      const node = join(folder, `node-${version}`);
      mkdirSync(node);
      writeFileSync(join(node, "package.json"), JSON.stringify({ private: true }));
      const carrier = `node-${process.platform}-${process.arch}`;
      await npm(node, "install", `${carrier}@${version}`);
      const bin = join(node, "node_modules", carrier, "bin");
      const has = (await execa(join(bin, "node"), ["--version"])).stdout;
      equal(has.startsWith(`v${version}`), true, has);
      for (const [kind, files] of Object.entries(programs)) {
        const { pulumi, path } = await program(`${kind.replaceAll(" ", "-")}-on-${version}`, files);
        const { stdout } = await pulumi(["preview"], { env: { PATH: `${bin}:${path}` } });
        match(stdout, /\[orders\] verify orders-1 orders-2 orders-3[^]*\+ 21 to create/, kind);
      }
    });
});
