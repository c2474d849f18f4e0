import { deepEqual, doesNotMatch, equal, match, ok, rejects } from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { inspect } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import { runtime } from "@pulumi/pulumi";
import { golden } from "../goldens";
import type { GaleraCluster } from "../../components";
import { publicKeyOf, trustedBy } from "../../components/members";
import * as sshpk from "sshpk";
import { galera, privateKey, program, settled, type Registered } from "./program";

type Run = Awaited<ReturnType<typeof program<GaleraCluster>>>;
type Output = "members" | "addresses" | "endpoints" | "connectionString" | "rootPassword" | "plan" | "status" | "serverGroupId" | "securityGroupId" | "topology" | "caCertificate";

const of = (registered: Registered[], type: string) => registered.filter((each) => each.type.endsWith(`:${type}`));
const lines = (registered: Registered[]) => registered.map(({ type, name, parent, options }) =>
  [`${type} ${name} <- ${parent || "nothing"}`, ...Object.entries(options).flatMap(([key, value]) => (value === true ? [`  ${key}`] : value === false || value.length === 0 ? [] : [`  ${key}: ${value.join(" ")}`]))].join("\n")).join("\n");

/** `ssh-keygen -t ed25519 -N of-the-key` made it; nothing takes it. */
const encryptedKey = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHIAAAAGYmNyeXB0AAAAGAAAABDI8p5I7X\ny9qRK0di6kLoGPAAAAEAAAAAEAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIF5iqpilJy3BG5bY\nA9Qf8nq1LRfdnj/F+Aq6OfcidM/pAAAAkI58QycY/u3Bva1ZVHSQT6GrPRFZNA3mkhiyUo\n+r048LYZYECDscXZx60j4rCvNbGj2vSdHU5TZ0333v2wUPwqGJ7GWOKnNH3igBBooQR2MC\nYTDWt4Bl0P/MgRklV5BLK/9lPBLokIdc6vMR+Dpd5Y2Yph+5KCR8Hs9lwevht0I3PKgxmk\n2hwle+4eHWcQZ84Q==\n-----END OPENSSH PRIVATE KEY-----\n";
const publicKey = sshpk.parsePrivateKey(privateKey).toPublic().toString("ssh");

describe("GaleraCluster", () => {
  // What is asked of the same program is asked of one run of it.
  let least: Run;
  let most: Run;
  before(async () => {
    least = await program(() => galera());
    most = await program(() => galera({
      members: 5, version: "10.11", configuration: { max_connections: "500" }, rootPassword: "s3cr3t-pass-w0rd", formerPasswords: ["f0rmer-pass-w0rd"],
      volume: { size: 7, type: "fast", keep: false }, locality: "anti-affinity", availabilityZones: ["az1", "az2"],
      allowedCidrs: ["192.0.2.0/24", "2001:db8::/32"], access: { user: "debian", privateKey, allowedCidrs: ["198.51.100.7/32"] },
      memberOverrides: { "orders-2": { flavor: "m1.large", networks: ["storage", "backup"] }, "orders-3": { zone: "az9" } },
    }));
  });
  const inputs = (run: Run, type: string) => of(run.registered, type).map((each) => each.inputs);
  const asked = (run: Run, question: string) => run.invoked.filter(({ token }) => token.endsWith(`:${question}`)).map((each) => each.inputs);

  it("registers these resources, by names that stay for ever", () => golden(join(__dirname, "galera.resources"), `${lines(least.registered)}\n`));

  it("with all options it registers these too", () => {
    deepEqual(most.registered.filter(({ type }) => /:(Port|SecGroupRule)$/.test(type)).map(({ name }) => name), [
      "orders-1", "orders-2", "orders-2-nic-2", "orders-2-nic-3", "orders-3", "orders-4", "orders-5",
      "orders-clients-192.0.2.0/24", "orders-clients-2001:db8::/32", "orders-members", "orders-ssh-198.51.100.7/32"]);
  });

  describe("servers", () => {
    it("are dealt to the zones in turn, unless one is named for a member", () => {
      deepEqual(inputs(most, "Instance").map(({ availabilityZone }) => availabilityZone), ["az1", "az2", "az9", "az2", "az1"]);
      deepEqual(inputs(least, "Instance").map(({ availabilityZone }) => availabilityZone), [undefined, undefined, undefined]);
    });

    it("have their own flavor where it is named, and all their networks", () => {
      const servers = inputs(most, "Instance");
      deepEqual(servers.map(({ flavorName }) => flavorName), ["m1.small", "m1.large", "m1.small", "m1.small", "m1.small"]);
      deepEqual(servers[0].networks, [{ port: "Port-orders-1" }]);
      deepEqual(servers[1].networks, [{ port: "Port-orders-2" }, { port: "Port-orders-2-nic-2" }, { port: "Port-orders-2-nic-3" }]);
      deepEqual(asked(most, "getNetwork").map(({ name }) => name).sort(), ["backup", "private", "storage"]);
    });

    it("belong to one group of the wanted locality, and get the public half of the key", () => {
      deepEqual([inputs(least, "ServerGroup")[0].policies, inputs(most, "ServerGroup")[0].policies], [["soft-anti-affinity"], ["anti-affinity"]]);
      deepEqual(inputs(least, "Instance").map(({ schedulerHints }) => schedulerHints), Array(3).fill([{ group: "ServerGroup-orders" }]));
      match(inputs(least, "Keypair")[0].publicKey, /^ecdsa-sha2-nistp256 AAAA/);
    });

    it("are on the network of that name, or of that id", async () => {
      const id = "0b7e3c8e-3a57-4b07-8d4c-8a3a9a3f9d10";
      const run = await program(() => galera({ network: id }));
      deepEqual(asked(run, "getNetwork"), [{ networkId: id }]);
      deepEqual(inputs(run, "Port").map(({ networkId }) => networkId), [id, id, id]);
      deepEqual(inputs(least, "Port").map(({ networkId }) => networkId), Array(3).fill("id-of-private"));
    });
  });

  it("are all made after what they require of the cloud is known to be there, which is asked once in a program", async () => {
    const run = await program(() => [galera(), galera({}, "sales")]);
    const [orders] = of(run.registered, "Requirements");
    deepEqual(orders!.inputs.facts, {
      flavors: { "m1.small": { ram: 2048, vcpus: 1, disk: 10 } }, images: { "debian-12": { minRam: 0, minDisk: 2 } }, networks: { private: { subnets: [4] } },
      quotas: { instances: { limit: 10, used: 4 }, cores: { limit: 20, used: 8 }, "MiB of RAM": { limit: 51200, used: 8192 }, "server groups": { limit: 10, used: 2 }, "members of a server group": { limit: 10 },
        volumes: { limit: 12 }, "GiB of volumes": { limit: 1000 }, ports: { limit: 500 } },
    });
    equal(run.invoked.length, new Set(run.invoked.map((each) => JSON.stringify(each))).size);
    const hasty = run.registered.filter(({ type, dependencies }) => type.startsWith("openstack:") && !dependencies.some((urn) => urn.includes("datastores:Requirements")));
    // They wait for their ports and volumes.
    deepEqual([...new Set(hasty.map(({ type }) => type.split(":").at(-1)))].sort(), ["Instance", "VolumeAttach"]);
  });

  it("requires zones of a cloud where it names one", async () => {
    equal(asked(least, "getAvailabilityZones").length, 0);
    for (const zoned of [{ availabilityZones: ["az1"] }, { memberOverrides: { "orders-3": { zone: "az1" } } }])
      deepEqual(of((await program(() => galera(zoned))).registered, "Requirements")[0]!.inputs.facts.zones, ["az1", "az2"]);
  });

  it("requires a keypair that is not there, and knows of one that is", async () => {
    const cloud = (token: string) => (token.includes("getKeypair:") ? { fingerprint: "a9:7a" } : {});
    const { registered } = await program(() => galera(), false, cloud);
    // A provider that is not known yet knows nothing: what it leaves out is nothing that is too small.
    const { facts: { flavors, keyPair } } = of(registered, "Requirements")[0]!.inputs;
    deepEqual([flavors, keyPair], [{}, "shop-test-orders"]);
  });

  it("volumes survive unless told otherwise", () => {
    const volumes = (run: Run) => of(run.registered, "Volume").map(({ inputs: { size, volumeType, enableOnlineResize }, options }) => [size, volumeType, enableOnlineResize, options.retainOnDelete]);
    deepEqual(volumes(least), Array(3).fill([10, undefined, true, true]));
    deepEqual(volumes(most), Array(5).fill([7, "fast", true, false]));
  });

  describe("security group", () => {
    const rules = (run: Run) => inputs(run, "SecGroupRule").map(({ direction, ethertype, protocol = "any", portRangeMin = "all", portRangeMax = "all", remoteIpPrefix, remoteGroupId }) =>
      [direction, ethertype, protocol, portRangeMin, portRangeMax, remoteIpPrefix ?? remoteGroupId].join(" "));

    it("opens members to each other, SSH to who has the key, and 3306 to nobody", () => {
      deepEqual(rules(least), ["ingress IPv4 any all all SecGroup-orders", "ingress IPv4 tcp 22 22 0.0.0.0/0"]);
    });

    it("opens 3306 and SSH only to those named", () => {
      deepEqual(rules(most), ["ingress IPv4 tcp 3306 3306 192.0.2.0/24", "ingress IPv6 tcp 3306 3306 2001:db8::/32", "ingress IPv4 any all all SecGroup-orders", "ingress IPv4 tcp 22 22 198.51.100.7/32"]);
    });

    it("is on every port", () => deepEqual(inputs(most, "Port").map(({ securityGroupIds }) => securityGroupIds), Array(7).fill(["SecGroup-orders"])));
  });

  it("hands one document to the provider", () => {
    const { __provider, places, ...document } = inputs(least, "Cluster")[0];
    ok(__provider);
    deepEqual(Object.keys(places), ["orders-1", "orders-2", "orders-3"]);
    deepEqual(document, {
      datastore: "galera",
      owner: { project: "shop", stack: "test", cluster: "orders" },
      members: [1, 2, 3].map((number) => ({ name: `orders-${number}`, address: `198.18.0.1${number}`, server: `Instance-orders-${number}`, volume: `Volume-orders-${number}` })),
      options: { vendor: "mariadb", configuration: {} },
      servers: { flavor: "m1.small", image: "debian-12", network: "private", locality: "soft-anti-affinity", volumeSize: 10, publicKey },
      access: { user: "debian", privateKey },
      deletionProtection: true,
    });
  });

  it("and with it all that was asked: what is not there can be neither done nor refused", () => {
    const { options, servers, rootPassword, formerPasswords } = inputs(most, "Cluster")[0];
    deepEqual(options, { vendor: "mariadb", version: "10.11", configuration: { max_connections: "500" } });
    const { document } = inputs(most, "Requirements")[0];
    deepEqual(document, { datastore: "galera", options, access: { user: "debian", privateKey }, rootPassword, formerPasswords }, "is judged before servers are made");
    deepEqual(servers, { flavor: "m1.small", image: "debian-12", network: "private", locality: "anti-affinity", volumeSize: 7, volumeType: "fast", publicKey, availabilityZones: ["az1", "az2"],
      memberOverrides: { "orders-2": { flavor: "m1.large", networks: ["storage", "backup"] }, "orders-3": { zone: "az9" } } });
    deepEqual([rootPassword, formerPasswords], ["s3cr3t-pass-w0rd", ["f0rmer-pass-w0rd"]]);
  });

  it("in a preview each unknown part of a member is a leaf, and its name is known", async () => {
    const { registered } = await program(() => galera(), true);
    for (const [index, member] of of(registered, "Cluster")[0]!.inputs.members.entries())
      deepEqual([member.name, member.address], [`orders-${index + 1}`, runtime.unknownValue]);
  });

  it("gives these outputs", async () => {
    const value = async (key: Output) => (await settled<unknown>(least.result[key])).value;
    deepEqual(await value("members"), ["orders-1", "orders-2", "orders-3"]);
    deepEqual(await value("addresses"), ["198.18.0.11", "198.18.0.12", "198.18.0.13"]);
    deepEqual(await value("endpoints"), ["198.18.0.11:3306", "198.18.0.12:3306", "198.18.0.13:3306"]);
    equal(await value("connectionString"), "mysql://root:gener%40ted%2Fpass@198.18.0.11:3306,198.18.0.12:3306,198.18.0.13:3306/?ssl-mode=REQUIRED");
    deepEqual([await value("rootPassword"), await value("status"), await value("plan")], ["gener@ted/pass", "ready", { "create 3 members": ["install orders-1"] }]);
    deepEqual([await value("serverGroupId"), await value("securityGroupId")], ["ServerGroup-orders", "SecGroup-orders"]);
    golden(join(__dirname, "galera.mermaid"), `${await value("topology") as string}\n`);
  });

  it("keeps secrets secret, also when the program gives plain strings", async () => {
    for (const [key, secret] of [["connectionString", true], ["rootPassword", true], ["endpoints", false], ["addresses", false], ["topology", false]] as const)
      equal((await settled<unknown>(least.result[key])).secret, secret, key);
    const raw = (type: string) => JSON.stringify(of(most.registered, type).map((each) => each.raw), hideSecrets);
    match(raw("GaleraCluster"), /"user":"debian"/);
    for (const type of ["GaleraCluster", "Requirements", "Cluster", "Keypair", "Instance"]) doesNotMatch(raw(type), /s3cr3t|f0rmer|PRIVATE KEY/, type);
    deepEqual(of(most.registered, "Cluster")[0]!.options.additionalSecretOutputs.sort(), ["access", "authority", "formerKeys", "formerPasswords", "rootPassword"]);
  });

  it("hands over the names of authorities where they are given, and gives the certificates of all that are trusted", async () => {
    equal("authorities" in of(least.registered, "Cluster")[0]!.inputs, false);
    const { registered, result } = await program(() => galera({ authorities: ["2", "1"] }));
    deepEqual(of(registered, "Cluster")[0]!.inputs.authorities, ["2", "1"]);
    deepEqual((await settled<unknown>(result.caCertificate)), { value: "the authority", secret: false });
    const authority = { certificate: "first", key: "its key", trusted: [{ certificate: "second", key: "its key" }] };
    deepEqual((await settled(trustedBy({ authority: pulumi.secret(authority) } as never))), { value: "first\nsecond", secret: false });
  });

  it("refuses a list of authorities that cannot be, by what is wrong with it", async () => {
    for (const [authorities, why] of [
      [[], "must name an authority, or be left out, which is [\"1\"]"], [["1", "1"], "has a name twice: name each once"],
      [["1", "2", "3", "4"], "has three names at most: drop one first"], [["a b"], "has a name that is none: give letters, digits and dashes, 32 at most, as in [\"1\", \"2\"]"],
    ] as const) await rejects(program(() => galera({ authorities: [...authorities] })), (error: Error) => error.message === `orders: authorities ${why}`);
  });

  it("goes before its security rules: a destroy that its protection refuses cuts no member off", async () => {
    const { registered } = await program(() => galera({ allowedCidrs: ["192.0.2.0/24"] }));
    const { dependencies } = registered.find(({ type }) => type.endsWith(":Cluster"))!;
    for (const rule of ["orders-members", "orders-ssh-0.0.0.0/0", "orders-clients-192.0.2.0/24"])
      ok(dependencies.some((urn) => urn.endsWith(`SecGroupRule::${rule}`)), dependencies.join());
  });

  describe("refuses", () => {
    it("a name that is no host name, and host keys of a member that is none", async () => {
      await rejects(program(() => galera({}, "My_Orders")), /name becomes the servers' host names/);
      await rejects(program(() => galera({ access: { user: "debian", privateKey, hostKeys: { "ordres-1": "ssh-ed25519 AAAA" } } })), /access.hostKeys names ordres-1, but the members are/);
    });

    const copy = "take the passphrase off a copy of it, with `ssh-keygen -p -N '' -f COPY`, and give that";
    const whole = `give what is in the key's file, whole: not the file's name, and not the public half. If it has a passphrase, ${copy}`;
    for (const [what, text, wayForward] of [
      ["what is no private key", "ssh-ed25519 c2VjcmV0", whole],
      ["half a private key", privateKey.slice(0, 90), whole],
      ...(["pkcs1", "pkcs8"] as const).map((type) => [`an encrypted private key of ${type}`, generateKeyPairSync("rsa", { modulusLength: 1024, publicKeyEncoding: { type: "spki", format: "pem" },
        privateKeyEncoding: { type, format: "pem", cipher: "aes-256-cbc", passphrase: "of-the-key" } }).privateKey, copy] as const),
      ["an encrypted private key of ssh-keygen", encryptedKey, copy],
    ] as const) it(`${what}, names the argument and the way forward, and shows nothing of it`, () => rejects(settled(publicKeyOf("orders", text)), (error: Error) => {
      const said = inspect(error, { depth: 9, showHidden: true });
      equal(error.message, `orders: access.privateKey must be an unencrypted private key in OpenSSH or PEM form: ${wayForward}`);
      for (const word of text.split(/\s+/).filter((each) => each.length > 7 && !/^-|-$|PRIVATE/.test(each))) ok(!said.includes(word), said);
      return true;
    }));

    it("an override of a member that is none, and names those that are", () => rejects(
      program(() => galera({ memberOverrides: { "orders-4": { zone: "az1" }, "order-1": {} } })), /memberOverrides names orders-4, order-1, but the members are orders-1, orders-2, orders-3/));
  });
});

const hideSecrets = (_key: string, value: unknown) =>
  typeof value === "object" && value !== null && runtime.specialSigKey in value ? "[secret]" : value;
