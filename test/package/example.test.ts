import { match } from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { npm, ofProject, project, type Program } from "./project";

const example = join(dirname(dirname(__dirname)), "examples/galera");
const files = Object.fromEntries(readdirSync(example).map((file) => [file, readFileSync(join(example, file), "utf8")]));

describe("examples/galera, with the published package", function () {
  ofProject(this);
  let galera: Program;
  before(async () => { galera = await (await project()).program("galera", files); });

  it("wants packages that go together, this one among them", async () => {
    await npm(galera.folder, "install", "--dry-run", (await project()).tarball);
  });

  it("asks for the key, and for nothing else", async () => {
    const { all } = await galera.pulumi(["preview"], { reject: false, all: true });
    match(all!, /^error: validating stack config: Stack 'dev' is missing configuration value 'privateKey'$/m);
  });

  it("previews three members, open to who is named", async () => {
    const { privateKey } = generateKeyPairSync("ed25519", { privateKeyEncoding: { format: "pem", type: "pkcs8" }, publicKeyEncoding: { format: "pem", type: "spki" } });
    await galera.pulumi(["config", "set", "--secret", "privateKey"], { stdin: "pipe", input: privateKey });
    await galera.pulumi(["config", "set", "network", "5b6e1a52-8a3f-4f0d-9c55-0d8c0f9a1c2e"]);
    await galera.pulumi(["config", "set", "--path", "allowedCidrs[0]", "192.0.2.0/24"]);
    match((await galera.pulumi(["preview"])).stdout, /\[orders\] verify orders-1 orders-2 orders-3[^]*\+ 22 to create/);
  });
});
