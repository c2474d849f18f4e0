import { deepEqual, equal } from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ejs from "ejs";
import { parse } from "yaml";
import { cloudsYaml, up } from "../../devcloud";
import { Cloud, rootOnly } from "../devcloud/cloud";
import { golden } from "../goldens";
import { Clients } from "./clients";

interface Named {
  id: string;
  name: string;
}

/** OpenStack's own tests of what a cloud does. */
describe("Tempest", function () {
  this.timeout("60m");
  const results = join(__dirname, "../../devcloud/TEMPEST.md");
  let clients: Clients;

  before(async function () {
    rootOnly(this);
    await up(() => undefined);
    clients = await Clients.ready();
    const configuration = join(__dirname, "clients/tempest.conf.ejs");
    writeFileSync(join(clients.folder, "tempest.conf"), ejs.render(readFileSync(configuration, "utf8"), await known(), { escape: String }), { mode: 0o600 });
    for (const list of ["tempest.tests", "tempest.excluded"]) writeFileSync(join(clients.folder, list), readFileSync(join(__dirname, "clients", list), "utf8").replaceAll(".", "\\."));
  });

  after(() => clients?.remove());

  it("passes, and skips what devcloud/TEMPEST.md says, for the reason that stands there", async () => {
    const excluded = ["--exclude-list", "tempest.excluded"];
    const { stdout, exitCode } = await clients.run(["tempest", "run", "--config-file", "tempest.conf", "--include-list", "tempest.tests", ...excluded, "--concurrency", "2"], { reject: false, timeout: 3_500_000, maxBuffer: 1e9 });
    const tests = read(stdout);
    deepEqual(tests.filter(({ result }) => result === "FAILED").map(({ name }) => name), [], stdout);
    equal(exitCode, 0, stdout);
    golden(results, table(tests));
  });

  interface Test {
    name: string;
    result: string;
    reason?: string;
  }

  /** Lines such as `{0} tempest.api.compute…TestJSON.test_one [1.2s] ... ok` and `{1} …test_two ... SKIPPED: because`. */
  const read = (output: string): Test[] =>
    [...output.matchAll(/^\{\d+\} (?:\w+ \()?([\w.]+)\S* (?:\[[^\]]*\] )?\.\.\. (ok|FAILED|SKIPPED)(?:: (.+))?$/gm)].map(([, name, result, reason]) => ({ name: name!, result: result!, ...(reason ? { reason } : {}) }));

  function table(tests: Test[]): string {
    const classOf = ({ name }: Test) => name.replace(/^tempest\.|\.test_\w+$/g, "");
    const classes = [...new Set(tests.map(classOf))].sort();
    const lines = classes.map((each) => {
      const own = tests.filter((test) => classOf(test) === each);
      const skipped = own.filter(({ result }) => result === "SKIPPED").map(({ name, reason }) => `${name.split(".").pop()}: ${reason}`);
      return `| ${each} | ${own.filter(({ result }) => result === "ok").length} | ${skipped.sort().join("<br>")} |`;
    });
    const excluded = readFileSync(join(__dirname, "clients/tempest.excluded"), "utf8").trim().split("\n").map((line) => `| ${line.replace(" # ", " | ")} |`);
    return ["# Which of Tempest's tests pass", "", "| of tempest | pass | skipped by Tempest itself |", "|---|---|---|", ...lines,
      "", "| left out | because |", "|---|---|", ...excluded, ""].join("\n");
  }

  async function known(): Promise<Record<string, unknown>> {
    const { clouds } = parse(readFileSync(cloudsYaml, "utf8")) as { clouds: Record<string, { auth: { auth_url: string; password: string } }> };
    const { auth_url: identity, password } = clouds["devcloud-admin"]!.auth;
    const admin = await Cloud.connect("devcloud-admin");
    const ids = (found: Named[]) => Object.fromEntries(found.map(({ name, id }) => [name, id]));
    const { images } = await admin.get<{ images: Named[] }>("image", "/images");
    const { flavors } = await admin.get<{ flavors: Named[] }>("compute", "/flavors");
    const { networks } = await admin.get<{ networks: Named[] }>("network", "/networks?name=public");
    const { extensions } = await admin.get<{ extensions: { alias: string }[] }>("network", "/extensions");
    return { identity, password, images: ids(images), flavors: ids(flavors), network: networks[0]!.id, extensions: extensions.map(({ alias }) => alias).join() };
  }
});
