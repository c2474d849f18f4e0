import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cloudOf, type Cloud } from "../../provider/cloud";
import { credentials } from "../../provider/credentials";
import { OpenStack } from "../../provider/openstack";
import { keysOf, StandIn } from "./nova";

describe("credentials", () => {
  const folder = mkdtempSync(join(tmpdir(), "clouds-"));
  after(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const clouds = () => file("clouds.yaml", "clouds:\n  shop:\n    region_name: one\n    interface: internal\n    auth: {auth_url: 'https://cloud/identity', username: anna, project_name: shop}\n"
    + "  robot:\n    auth_type: v3applicationcredential\n    auth: {auth_url: 'https://cloud/identity/v3/', application_credential_id: abc, application_credential_secret: hush}\n");
  const secure = () => file("secure.yaml", "clouds:\n  shop:\n    auth: {password: hush}\n");

  it("are those of the cloud that is named, with its password from a file of its own", async () => {
    const found = (await credentials("shop", { OS_CLOUD: "robot", OS_CLIENT_CONFIG_FILE: clouds(), OS_CLIENT_SECURE_FILE: secure() }))!;
    equal(found.authUrl, "https://cloud/identity/v3");
    deepEqual(found.identity, { methods: ["password"], password: { user: { name: "anna", domain: { name: "Default" }, password: "hush" } } });
    deepEqual(found.scope, { project: { name: "shop", domain: { name: "Default" } } });
    deepEqual([found.region, found.interface, found.secrets], ["one", "internal", ["hush"]]);
  });

  it("are those that OS_CLOUD names, where none is; an application credential has no scope", async () => {
    const found = (await credentials(undefined, { OS_CLOUD: "robot", OS_CLIENT_CONFIG_FILE: clouds() }))!;
    equal(found.authUrl, "https://cloud/identity/v3");
    deepEqual(found.identity, { methods: ["application_credential"], application_credential: { id: "abc", secret: "hush" } });
    equal("scope" in found, false);
    deepEqual(found.interface, "public");
  });

  it("are those of the environment, else; and there may be none", async () => {
    const found = (await credentials(undefined, { OS_AUTH_URL: "https://cloud/v3", OS_USER_ID: "1", OS_PASSWORD: "hush", OS_PROJECT_ID: "2", OS_REGION_NAME: "two", OS_ENDPOINT_TYPE: "internalURL", OS_INSECURE: "true" }))!;
    deepEqual(found.identity, { methods: ["password"], password: { user: { id: "1", password: "hush" } } });
    deepEqual([found.scope, found.region, found.interface, found.verify], [{ project: { id: "2" } }, "two", "internal", false]);
    equal(await credentials(undefined, {}), undefined);
  });

  it("that are not enough say what is missing, and where it is looked for", async () => {
    await rejects(credentials("shop", { OS_CLIENT_CONFIG_FILE: clouds(), OS_CLIENT_SECURE_FILE: "/none" }), { message: "the cloud shop in clouds.yaml has no password" });
    await rejects(credentials("nowhere", { OS_CLIENT_CONFIG_FILE: clouds() }), /there is no cloud "nowhere" in clouds.yaml, which is looked for at OS_CLIENT_CONFIG_FILE/);
    await rejects(credentials(undefined, { OS_AUTH_URL: "https://cloud/v3" }), { message: "the environment (OS_AUTH_URL and its like) has no username" });
  });
});

describe("the cloud", () => {
  const nova = new StandIn();
  let cloud: Cloud;
  let url: string;
  const said: string[] = [];
  const login = (password = "the-password") => new OpenStack({
    authUrl: `${url}/identity/v3`, region: "one", interface: "public", verify: true, secrets: [password],
    identity: { methods: ["password"], password: { user: { name: "anna", password } } }, scope: { project: { name: "shop" } },
  });
  const resize = (to = "large") => cloud.resize("a", to, (line) => said.push(line));

  before(async () => { url = await nova.start(); });
  after(() => nova.stop());
  beforeEach(() => {
    cloud = cloudOf(login());
    nova.asked.length = 0;
    nova.full = false;
    nova.servers.a = { status: "ACTIVE", task: null, flavor: "small", image: "debian" };
  });

  it("tells of a server, and logs in once for all questions", async () => {
    deepEqual(await cloud.server("a"), { status: "ACTIVE", task: undefined, flavor: "small", image: "debian", keyPair: undefined, host: "host", zone: undefined, fault: undefined });
    await Promise.all([cloud.server("a"), cloud.server("a")]);
    deepEqual(nova.asked, ["login"]);
  });

  it("logs in again when its token has ended, and asks again when the answer is that it is busy", async () => {
    await cloud.server("a");
    nova.revoke();
    nova.busy = 1;
    equal((await cloud.server("a")).status, "ACTIVE");
    deepEqual(nova.asked, ["login", "login"]);
  });

  it("says what it refuses in its own words, and nothing of a password", async () => {
    await rejects(cloud.server("b"), { name: "CloudFailed", message: "the cloud answers 404 to GET compute /servers/b: Instance b could not be found." });
    await rejects(cloudOf(login("hush-hush")).server("a"), ({ message }: Error) => {
      match(message, /^the cloud answers 401 to a login at http.*requires authentication/);
      ok(!message.includes("hush"));
      return true;
    });
  });

  it("says where it cannot be reached", async () => {
    const nowhere = new OpenStack({ authUrl: "http://127.0.0.1:1/v3", interface: "public", verify: true, secrets: [], identity: {} });
    await rejects(nowhere.ask("compute", "/flavors"), /the cloud cannot be asked at http:\/\/127.0.0.1:1: .*ECONNREFUSED/);
  });

  it("resizes a server, and confirms it", async () => {
    await resize();
    deepEqual(nova.servers.a, { status: "ACTIVE", task: null, flavor: "large", image: "debian", wish: "large" });
    deepEqual(nova.asked, ["login", "resize", "confirmResize"]);
  });

  for (const [what, instance] of Object.entries({
    "before Nova had begun": { task: "resize_prep", wish: "large" },
    "while its disk is carried": { status: "RESIZE", task: "resize_finish", wish: "large" },
    "before it was confirmed": { status: "VERIFY_RESIZE", flavor: "large" },
  })) it(`goes on with a resize that was cut ${what}, and asks for none anew`, async () => {
    Object.assign(nova.servers.a!, instance);
    await resize();
    deepEqual([nova.servers.a!.status, nova.servers.a!.flavor, nova.asked.includes("resize")], ["ACTIVE", "large", false]);
  });

  it("goes back on one that was cut before it was confirmed, and confirms both", async () => {
    Object.assign(nova.servers.a!, { status: "VERIFY_RESIZE", flavor: "large" });
    await resize("small");
    deepEqual([nova.servers.a!.status, nova.servers.a!.flavor, nova.asked], ["ACTIVE", "small", ["login", "confirmResize", "resize", "confirmResize"]]);
  });

  it("starts a server that was off", async () => {
    Object.assign(nova.servers.a!, { status: "SHUTOFF", flavor: "large" });
    await resize();
    deepEqual([nova.servers.a!.status, nova.asked], ["ACTIVE", ["login", "os-start"]]);
  });

  it("does nothing where the flavor is the wanted one", async () => {
    await resize("small");
    deepEqual(nova.asked, ["login"]);
  });

  it("says that no host has room, and that there is no such flavor, and that a server is in ERROR", async () => {
    nova.full = true;
    await rejects(resize(), /Nova gave up to resize the server to large: mostly there is no host with room for it/);
    await rejects(resize("huge"), /the cloud has no flavor "huge" that this project may use/);
    nova.servers.a!.status = "ERROR";
    await rejects(resize(), /Nova says that the server is in ERROR: and nothing of why/);
  });

  const rebuild = (image = "debian-13") => cloud.rebuild("a", image, (line) => said.push(line));
  const made = () => Object.assign(nova.servers.a!, { image: "image-12" });

  it("rebuilds a server with another image, and tells the host keys that its console told last", async () => {
    Object.assign(made(), { console: keysOf(0) });
    await rebuild();
    deepEqual([nova.servers.a!.status, nova.servers.a!.image, nova.asked], ["ACTIVE", "image-13", ["login", "rebuild"]]);
    const keys = await cloud.hostKeys("a");
    deepEqual(keys.map((key) => key.replace(/\d+$/, "N")), ["ecdsa-sha2-nistp256 AAAAecdsaN", "ssh-ed25519 AAAAedN"]);
    ok(!keys.some((key) => key.endsWith("AAAAed0")));
  });

  it("goes on with a rebuild that was cut, and does nothing where the image is the wanted one", async () => {
    Object.assign(made(), { status: "REBUILD", task: "rebuild_spawning", image: "image-13" });
    await rebuild();
    await rebuild();
    deepEqual([nova.servers.a!.status, nova.asked], ["ACTIVE", ["login"]]);
  });

  it("confirms a resize that was cut before it gives the server another image: Nova rebuilds none in its middle", async () => {
    Object.assign(made(), { status: "VERIFY_RESIZE", flavor: "large" });
    await rebuild();
    deepEqual([nova.servers.a!.status, nova.servers.a!.image, nova.asked], ["ACTIVE", "image-13", ["login", "confirmResize", "rebuild"]]);
  });

  it("has a key pair hold another public key, and what is rebuilt after that lets it in; the same key is left alone, with another comment too", async () => {
    const [first, second] = ["ssh-ed25519 AAAAfirst made", "ssh-ed25519 AAAAsecond made"] as const;
    Object.assign(made(), { keyPair: "shop", key: first });
    await cloud.giveKey("shop", first);
    await cloud.giveKey("shop", "ssh-ed25519 AAAAfirst");
    deepEqual(nova.asked, ["login", "POST keypair shop"]);
    await cloud.giveKey("shop", second);
    deepEqual([nova.keyPairs, nova.servers.a!.key], [{ shop: second }, first]);
    await rebuild();
    equal(nova.servers.a!.key, second);
  });

  it("gives a key that a run which was cut had taken from Nova and not given yet", async () => {
    delete nova.keyPairs.shop;
    await cloud.giveKey("shop", "ssh-ed25519 AAAAsecond");
    deepEqual(nova.keyPairs, { shop: "ssh-ed25519 AAAAsecond" });
  });

  it("says that there is no such image, or that there are several, and no host keys where a console tells none", async () => {
    await rejects(rebuild("debian-9"), { message: 'the cloud has no image "debian-9"; `openstack image list` shows what it has' });
    nova.images["image-14"] = "debian-13";
    await rejects(rebuild(), { message: 'the cloud has several images with the name "debian-13"; `openstack image list` shows what it has' });
    delete nova.images["image-14"];
    deepEqual(await cloud.hostKeys("a"), []);
  });
});
