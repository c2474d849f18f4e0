import { deepEqual, match, ok } from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import execa from "execa";
import manifest from "../../package.json";
import { golden } from "../goldens";
import { npm, ofProject, project } from "./project";

const root = dirname(dirname(__dirname));
const { name } = manifest;

describe("the published package", function () {
  ofProject(this);

  it("holds these files: what is compiled, the templates beside it, and nothing of tests or of the devcloud", async () => {
    const { stdout } = await execa("tar", ["--list", "--gzip", "--file", (await project()).tarball]);
    golden(join(__dirname, "tarball.files"), `${stdout.split("\n").map((file) => file.replace("package/", "")).sort().join("\n")}\n`);
  });

  it("runs nothing when it is installed", () => {
    const scripts = Object.keys(manifest.scripts);
    deepEqual(scripts.filter((script) => /install|prepare$/.test(script)), []);
  });

  /** What a module of the project says of the package. */
  const evaluate = async (text: string, type: "commonjs" | "module" = "commonjs") =>
    JSON.parse((await execa("node", [`--input-type=${type}`, "--eval", text], { cwd: (await project()).folder })).stdout) as unknown;

  it("has what states name for ever: a subpath with just the functions that the door calls", async () => {
    const called = [...readFileSync(join(root, "provider/index.ts"), "utf8").matchAll(/require\("(.*?)"\)\.(\w+)\(/g)];
    deepEqual([...new Set(called.map(([, module]) => module))], [`${name}/provider`]);
    const functions = `Object.entries(all).filter(([, each]) => typeof each === "function").map(([name]) => name).sort()`;
    const wanted = called.map(([, , method]) => method).sort();
    deepEqual(await evaluate(`const all = require("${name}/provider"); console.log(JSON.stringify([Object.keys(all).sort(), ${functions}]))`), [wanted, wanted]);
    deepEqual(await evaluate(`import * as all from "${name}/provider"; console.log(JSON.stringify(${functions}.filter((each) => each !== "default")))`, "module"), wanted);
  });

  it("opens its public names and its manifest, and no inner file", async () => {
    const inner = ["dist/provider/guest/ssh.js", "dist/components/rules.js", "provider/lifecycle"];
    const refused = await evaluate(`const codes = ${JSON.stringify(inner)}.map((file) => { try { require("${name}/" + file); return "open"; } catch ({ code }) { return code; } });
      console.log(JSON.stringify([require("${name}/package.json").version, ...codes]))`);
    deepEqual(refused, [manifest.version, ...inner.map(() => "ERR_PACKAGE_PATH_NOT_EXPORTED")]);
  });

  for (const [peer, tooOld] of [["@pulumi/pulumi", "3.215.0"], ["@pulumi/openstack", "3.14.0"]] as const)
    it(`is not installed beside ${peer} ${tooOld}`, async () => {
      const { folder, tarball } = await project();
      const beside = join(folder, `beside-${peer.slice(8)}`);
      mkdirSync(beside);
      writeFileSync(join(beside, "package.json"), JSON.stringify({ private: true }));
      const error = await npm(beside, "install", "--dry-run", tarball, `${peer}@${tooOld}`).then(() => "installed", ({ stderr }: execa.ExecaError) => stderr);
      match(error, /ERESOLVE/);
      ok(error.includes(`peer ${peer}@"${manifest.peerDependencies[peer]}" from ${name}@${manifest.version}`), error);
    });
});
