import { deepEqual, equal, match, ok } from "node:assert/strict";
import { existsSync, lstatSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { name, version } from "../../package.json";
import { cloudsYaml, down, folder as devcloud, reserve, up } from "../../devcloud";
import { Cloud, rootOnly } from "../devcloud/cloud";
import { inOrder } from "../inOrder";
import { ofProject, project, type Program } from "../package/project";
import { exported, real, states } from "../package/stored";

const root = dirname(dirname(__dirname));
const quiet = () => undefined;

/** A network's name is looked up in the cloud. For members that are there it need not be found, so the stored state is previewed without a cloud. */
const index = `const pulumi = require("@pulumi/pulumi");
const { GaleraCluster } = require("pulumi-openstack-datastores");

const config = new pulumi.Config();

const { endpoints, connectionString, rootPassword, caCertificate, plan, status } = new GaleraCluster("orders", {
  members: 3,
  vendor: "mariadb",
  flavor: "m1.small",
  image: "debian-12",
  network: "private",
  volume: { size: 1, keep: false },
  access: { user: "debian", privateKey: config.requireSecret("privateKey") },
  deletionProtection: config.getBoolean("deletionProtection"),
});

module.exports = { endpoints, connectionString, rootPassword, caCertificate, plan, status };
`;

/** What a user does who installs the package. Of this repository there are the engine and the cloud, and nothing else. The tests go on from one another. */
describe("the published package, in an empty project and on a devcloud", function () {
  before(function () { rootOnly(this); });
  ofProject(this);
  this.timeout("20m");
  inOrder(this);
  let shop: Program;
  let release: (() => void) | undefined;

  before(async () => {
    release = await reserve((line) => console.log(`    ${line}`));
    // What an earlier run left, or a demo that was kept, has servers of the same names.
    await down(quiet);
    await up(quiet);
    const files = { "package.json": '{ "main": "index.js" }', "index.js": index };
    shop = await (await project()).program("shop", files, { OS_CLIENT_CONFIG_FILE: cloudsYaml, OS_CLOUD: "devcloud" });
  });

  after(async () => {
    if (!release) return;
    // Servers and volumes go with their cloud, also those of a cluster that a failed test left protected.
    await down(quiet);
    release();
  });

  it("is a folder there and no link, and what states name is found in it", async () => {
    const installed = join((await project()).folder, "node_modules", name);
    ok(lstatSync(installed).isDirectory());
    const { stdout } = await shop.run("node", ["--print", `require.resolve("${name}/provider")`]);
    equal(stdout, join(realpathSync(installed), "dist/provider/lifecycle.js"));
  });

  it("previews a cluster", async () => match((await shop.pulumi(["preview"])).stdout, /\[orders\] verify orders-1 orders-2 orders-3[^]*\+ 21 to create/));

  it("brings it up, and what belongs to it", async () => {
    await shop.pulumi(["up", "--yes", "--skip-preview"]);
    const members = ["orders-1", "orders-2", "orders-3"];
    deepEqual(await made(), {
      servers: members, volumes: members, ports: members, keypairs: ["shop-dev-orders"], server_groups: ["orders"], security_groups: ["default", "orders"],
    });
  });

  it("has nothing to do after that", () => shop.pulumi(["preview", "--expect-no-changes"]));

  it("tells by its own command that all is well", async () =>
    match((await shop.run("npx", ["--no-install", name, "status"])).stdout, /^orders \(galera, 3 members\)$[^]*^all well$/m));

  it("puts into the state the names of its code, and nothing of this machine, of the cloud's key or of a password", async () => {
    const state = await exported(shop);
    const { resources } = (JSON.parse(state) as { deployment: { resources: { inputs?: { __provider?: string } }[] } }).deployment;
    const texts = ["serialized.requirements.txt", "serialized.txt"].map((file) => readFileSync(join(__dirname, "../provider", file), "utf8"));
    deepEqual(resources.flatMap(({ inputs }) => inputs?.__provider ?? []), texts);
    const { clouds } = parse(readFileSync(cloudsYaml, "utf8")) as { clouds: { devcloud: { auth: { auth_url: string; password: string } } } };
    const { auth_url, password } = clouds.devcloud.auth;
    const { stdout: rootPassword } = await shop.pulumi(["stack", "output", "rootPassword", "--show-secrets"]);
    const foreign = { root, devcloud, project: (await project()).folder, auth_url, password, rootPassword };
    // By their names, for a failure is printed.
    deepEqual(Object.entries(foreign).filter(([, words]) => state.includes(words)).map(([what]) => what), []);
    if (process.env.GOLDEN && !existsSync(stored("json"))) store(state);
  });

  it("takes all of it away, once it is not protected any more", async () => {
    await shop.pulumi(["config", "set", "deletionProtection", "false"]);
    await shop.pulumi(["up", "--yes", "--skip-preview"]);
    await shop.pulumi(["destroy", "--yes", "--skip-preview"]);
    deepEqual(await made(), { servers: [], volumes: [], ports: [], keypairs: [], server_groups: [], security_groups: ["default"] });
  });

  it("has stored such a state for the versions that follow", () => ok(existsSync(stored("json")), "GOLDEN=1 npx mocha test/full/package.test.ts stores it"));

  const stored = (more: string) => join(states, version, `${real}.${more}`);
  const store = (state: string) => {
    mkdirSync(join(states, version), { recursive: true });
    writeFileSync(stored("js"), index);
    writeFileSync(stored("json"), state);
  };

  /** The names of what the project has in the cloud, which is this test's alone. */
  async function made(): Promise<Record<string, string[]>> {
    const cloud = await Cloud.connect("devcloud");
    const names = async (service: string, path: string, list: string) =>
      (await cloud.get<Record<string, { name?: string; keypair?: { name: string } }[]>>(service, path))[list]!.map((each) => (each.name ?? each.keypair?.name)!).sort();
    return Object.fromEntries(await Promise.all(([
      ["compute", "/servers", "servers"], ["block-storage", "/volumes", "volumes"], ["network", "/ports", "ports"], ["compute", "/os-keypairs", "keypairs"],
      ["compute", "/os-server-groups", "server_groups"], ["network", "/security-groups", "security_groups"],
    ] as const).map(async ([service, path, list]) => [list, await names(service, path, list)])));
  }
});
