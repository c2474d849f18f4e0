import { deepEqual, equal, match, ok } from "node:assert/strict";
import { join } from "node:path";
import execa from "execa";
import { version } from "../../package.json";
import { Terminal } from "./terminal";

describe("the command line", () => {
  let at: Terminal;
  beforeEach(() => { at = new Terminal(); });
  afterEach(() => at.end());

  it("tells its version", async () => deepEqual(await at.run("--version"), { code: 0, out: `${version}\n`, error: "" }));

  it("tells its commands, and of each what it takes and how it ends", async () => {
    const { code, out } = await at.run("--help");
    equal(code, 0);
    for (const words of ["status", "logs", "client", "unlock", "changes nothing, but for `unlock --force` and what `client` is told"]) ok(out.replace(/\s+/g, " ").includes(words), words);
    for (const [command, ...words] of [["status --help", "--cwd", "--stack", "--cluster", "--json", "Exit code: 0 all well; 1", '"clusters"'], ["logs --help", "<member>", "--follow", "--lines", "Exit code"],
      ["client --help", "<member>", "<words...>", "standard input", "Exit code"], ["unlock --help", "<cluster>", "--force", "Without --force it changes nothing", "Exit code: 0"]] as const) {
      const help = await at.run(command);
      equal(help.code, 0);
      for (const word of words) ok(help.out.includes(word), word);
    }
  });

  for (const command of ["restart", "status orders", "status --jsno", "logs", "logs orders-1 orders-2", "logs orders-1 --lines few", "logs orders-1 --lines -1", "status --cwd", "client orders-1", "unlock", "unlock orders stock", "unlock orders --forced"])
    it(`ends with 2 and asks nobody when it is told to \`${command}\``, async () => {
      const { code, out, error } = await at.run(command);
      deepEqual([code, out, at.fleet.dialled], [2, "", []]);
      match(error, /^error: .*\n(.*\n)?--help tells more\n$/);
    });

  it("that is told nothing tells its commands, and ends with 2", async () => {
    const { code, error } = await at.run("");
    equal(code, 2);
    match(error, /Usage: pulumi-openstack-datastores/);
  });

  describe("as a program", function () {
    this.timeout(60_000);
    const main = (command: string) => execa("sh", ["-c", `node -r ts-node/register/transpile-only cli/main.ts ${command}`], { cwd: join(__dirname, "../.."), reject: false });

    it("ends with its exit code, what was asked for on one stream and what is said beside it on the other", async () => {
      at.pulumi({ says: "error: no stack selected; please use `pulumi stack select` to choose one\n", code: 255 });
      const { exitCode, stdout, stderr } = await main("status --json");
      deepEqual([exitCode, stdout, stderr], [2, "", "pulumi-openstack-datastores: pulumi stack export: no stack selected; please use `pulumi stack select` to choose one, or name one with --stack"]);
    });

    it("says nothing of a reader that goes away", async () => {
      const { stdout, stderr } = await main("status --help | head -n 1");
      deepEqual([stdout, stderr], ["Usage: pulumi-openstack-datastores status [options]", ""]);
    });
  });
});
