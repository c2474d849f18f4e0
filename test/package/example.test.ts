import { match, ok } from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { npm, ofProject, project, type Program } from "./project";

for (const [name, last, resources] of [
  ["galera", "[orders] verify orders-1 orders-2 orders-3", 22],
  ["redis", "[sessions] verify sessions-1-1 sessions-1-2 sessions-2-1 sessions-2-2 sessions-3-1 sessions-3-2", 36],
] as const) describe(`examples/${name}, with the published package`, function () {
  const example = join(dirname(dirname(__dirname)), "examples", name);
  const files = Object.fromEntries(readdirSync(example).map((file) => [file, readFileSync(join(example, file), "utf8")]));
  ofProject(this);
  let program: Program;
  before(async () => { program = await (await project()).program(name, files); });

  it("wants packages that go together, this one among them", async () => {
    await npm(program.folder, "install", "--dry-run", (await project()).tarball);
  });

  it("asks for the key, and for nothing else", async () => {
    const { all } = await program.pulumi(["preview"], { reject: false, all: true });
    match(all!, /^error: validating stack config: Stack 'dev' is missing configuration value 'privateKey'$/m);
  });

  it("previews all members, open to who is named", async () => {
    const { privateKey } = generateKeyPairSync("ed25519", { privateKeyEncoding: { format: "pem", type: "pkcs8" }, publicKeyEncoding: { format: "pem", type: "spki" } });
    await program.pulumi(["config", "set", "--secret", "privateKey"], { stdin: "pipe", input: privateKey });
    await program.pulumi(["config", "set", "network", "5b6e1a52-8a3f-4f0d-9c55-0d8c0f9a1c2e"]);
    await program.pulumi(["config", "set", "--path", "allowedCidrs[0]", "192.0.2.0/24"]);
    const { stdout } = await program.pulumi(["preview"]);
    ok(stdout.includes(last), stdout);
    match(stdout, new RegExp(`\\+ ${resources} to create`));
  });
});
