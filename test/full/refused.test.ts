import { deepEqual, equal, ok } from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import * as sshpk from "sshpk";
import { down, fillDisk, folder as devcloud, hinderBoots, reserve, startService, stopService, up } from "../../devcloud";
import { members } from "../../demo/members";
import { stack, type Stack } from "../../demo/stack";
import { engine } from "../../tools/engine";
import { Cloud, rootOnly, until } from "../devcloud/cloud";
import { sshTo } from "../devcloud/servers";

const folder = `${devcloud}.refused`;
const quiet = () => undefined;

/** What a program asks for, of which cloud, and what Pulumi then prints; `…` stands for ids, addresses, keys and versions. */
interface Refusal {
  /** How the cluster is another than one that is right. */
  change?: Record<string, unknown>;
  says: string[];
  /** Default: the change. */
  what?: string;
  /** All clusters of the program, where there is not the one. */
  clusters?: [name: string, change: object][];
  /** Makes the cloud so that it fits, and answers how that is taken back. */
  given?: () => Promise<unknown>;
}

const named = ({ what, change }: Pick<Refusal, "what" | "change">): string => what ?? inspect(change, { breakLength: Infinity });

/** These words on one line, as they are, but for what differs from run to run. */
const pattern = (words: string): RegExp => new RegExp(words.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".*?"));

/** Whatever cannot be had: where a run ends that asks for it, and its words. One cluster comes in the end to what it was always to be. Mocha runs a suite's own tests before those within, so each is within one. */
describe("what is refused", function () {
  this.timeout("10m");
  let begun = false;
  let release: () => void = () => undefined;
  let galera: Stack;
  let cloud: Cloud;
  let admin: Cloud;

  before(async function () {
    this.timeout("20m");
    rootOnly(this);
    begun = true;
    rmSync(folder, { recursive: true, force: true });
    const tools = await engine(quiet);
    release = await reserve((line) => console.log(`    ${line}`));
    // What an earlier run left has servers of the same names.
    await down(quiet);
    await up(quiet);
    galera = await stack(tools, join(__dirname, "refusals"), folder, "test");
    await galera.pulumi(["config", "set", "privateKeyFile", galera.keyFile]);
    [cloud, admin] = await Promise.all([Cloud.connect("devcloud"), Cloud.connect("devcloud-admin")]);
  });

  // Also of one that did not begin well. Servers and volumes go with their cloud.
  after(async () => {
    if (!begun) return;
    await down(quiet);
    rmSync(folder, { recursive: true, force: true });
    release();
  });

  const risk = (members: number, what: string, name: string) => `orders: members must be odd and at least 3; it is ${members}, so ${what}. To take that risk, name it: allowUnsafe: ["${name}"]`;
  const name = (given: string) => ({
    what: `the name ${JSON.stringify(given)}`, clusters: [[given, {}]] as Refusal["clusters"],
    says: [`${given}: name becomes the servers' host names: give lower-case letters, digits and dashes, a letter first, 51 at most; it is ${JSON.stringify(given)}`],
  });
  const key = "orders: access.privateKey must be an unencrypted private key in OpenSSH or PEM form";
  const copy = "take the passphrase off a copy of it, with `ssh-keygen -p -N '' -f COPY`, and give that";
  const quota = (needs: string) => `members: 3 new members need, of this project's quota, ${needs}: have the quota raised, or free what is not needed`;
  const encrypted = generateKeyPairSync("rsa", { modulusLength: 1024, publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs1", format: "pem", cipher: "aes-256-cbc", passphrase: "of-the-key" } }).privateKey;

  const byPreview: Refusal[] = [
    { change: { members: 0 }, says: ["orders: members must be a whole number, at least 1; it is 0"] },
    { change: { members: -1 }, says: ["orders: members must be a whole number, at least 1; it is -1"] },
    { change: { members: 2.5 }, says: ["orders: members must be a whole number, at least 1; it is 2.5"] },
    { change: { members: "three" }, says: ['orders: members must be a whole number, at least 1; it is "three"'] },
    { change: { members: 1 }, says: [risk(1, "all is lost with its one server", "under-three-members")] },
    { change: { members: 2 }, says: [risk(2, "when one fails the other stops too, for one of two is no majority", "under-three-members")] },
    { change: { members: 4 }, says: [risk(4, "no more failures are survived than with 3, and a network cut in the middle stops both halves", "even-members")] },
    ...["", "My_Orders", "o".repeat(52)].map(name),
    { what: "a name that another cluster of the program has", clusters: [["orders", {}], ["orders", {}]],
      says: ["Duplicate resource URN 'urn:pulumi:test::refusals::pulumi-openstack-datastores:index:GaleraCluster::orders'; try giving it a unique name"] },
    { what: "a name whose keypair a cluster has that the stack does not know", given: () => keyPair("refusals-test-orders"),
      says: ["name: the keypair refusals-test-orders, which is this cluster's to make, is there already, so another cluster orders may be, of a stack and a project of the same names: give this one another name, or, where nothing uses it any more, `openstack keypair delete refusals-test-orders`"] },
    { change: { volume: null }, says: ["orders: volume must be an object with size, type, keep; it is missing"] },
    { change: { volume: { size: 0 } }, says: ["orders: volume.size must be a whole number of GiB, at least 1; it is 0"] },
    { change: { locality: "anti" }, says: ['orders: locality must be one of affinity, anti-affinity, soft-affinity, soft-anti-affinity; it is "anti"'] },
    { change: { allowedCidrs: ["192.0.2.0"] }, says: ['orders: allowedCidrs.0 must be a CIDR, such as 192.0.2.0/24 or 2001:db8::/32; it is "192.0.2.0"'] },
    { what: "a key that is encrypted", change: { access: { privateKey: encrypted } }, says: [`${key}: ${copy}`] },
    { what: "a key that is none", change: { access: { privateKey: "ssh-ed25519 AAAA" } }, says: [`${key}: give what is in the key's file, whole: not the file's name, and not the public half. If it has a passphrase, ${copy}`] },
    { change: { vendor: "percona" }, says: ['vendor: must be "mariadb": no other can be run yet'] },
    { change: { gcacheSize: "2gb" }, says: ['gcacheSize: must be a size such as "512M" or "2G", as a string: Galera\'s own words'] },
    { change: { gcacheSize: "1025M" }, says: ["orders: gcacheSize is at most half of the volume, for the data lie beside it; it is 1025M of 2 GiB: lower it, or raise volume.size"] },
    { change: { version: "11" }, says: ['version: must be a major version such as "10.11", as a string; left out, it is what the image\'s package sources offer'] },
    { change: { configuration: { wsrep_cluster_address: "gcomm://" } }, says: ["configuration.wsrep_cluster_address: is set by the package itself: leave it out"] },
    { change: { configuration: { binlog_format: "STATEMENT" } }, says: ["configuration.binlog_format: is set by the package itself: leave it out"] },
    { change: { configuration: { "[client]": "" } }, says: ["configuration.[client]: is not the name of a MariaDB server option: give one as it stands in an option file, such as max_connections"] },
    { change: { flavor: "m1.huge" }, says: ['flavor: the cloud has no flavor "m1.huge" that this project may use; `openstack flavor list` shows what it has'] },
    { what: "a flavor that boots from a volume", change: { flavor: "m1.bare" }, given: () => admin.post("compute", "/flavors", { flavor: { name: "m1.bare", ram: 512, vcpus: 1, disk: 0 } }),
      says: ["flavor: m1.bare has no disk of its own, and servers that boot from a volume cannot be made by this version: take a flavor with a disk; `openstack flavor list` shows them"] },
    { change: { image: "debian-3" }, says: ['image: the cloud has no image "debian-3" that this project may use; `openstack image list` shows what it has'] },
    { change: { network: "privat" }, says: ['network: the cloud has no network "privat" that this project may use; `openstack network list` shows what it has'] },
    { what: "a network of IPv6 only", change: { network: "six" }, given: () => network("six", { ip_version: 6, cidr: "fd00:6::/64" }),
      says: ["network: the network six has no IPv4 subnet: members talk to each other over IPv4"] },
    { change: { availabilityZones: ["az1", "az9"] }, says: ["availabilityZones: the cloud has no availability zone az9; it has az1, az2, az3"] },
    { what: "a quota of instances", given: () => limited("compute", "instances", 2), says: [quota("3 instances, where 2 of 2 are left")] },
    { what: "a quota of cores", given: () => limited("compute", "cores", 2), says: [quota("3 cores, where 2 of 2 are left")] },
    { what: "a quota of RAM", given: () => limited("compute", "ram", 6143), says: [quota("6144 MiB of RAM, where 6143 of 6143 are left")] },
    { what: "a quota of volumes", given: () => limited("block-storage", "volumes", 2), says: [quota("3 volumes, where it has 2")] },
    { what: "a quota of gigabytes", given: () => limited("block-storage", "gigabytes", 5), says: [quota("6 GiB of volumes, where it has 5")] },
    { what: "a quota of ports", given: () => limited("network", "port", 2), says: [quota("3 ports, where it has 2")] },
  ];

  describe("by the preview", () => {
    for (const refusal of byPreview) it(named(refusal), async () => {
      const printed = await refused(refusal, ["up", "--yes"]);
      ok(!printed.includes("Updating ("), `it went beyond the preview:\n${printed}`);
    });
  });

  describe("without a preview too", () => {
    it("all of it at once, and before anything is made", async () => {
      await refused({
        change: { vendor: "percona", configuration: { datadir: "/data" }, rootPassword: "short", flavor: "m1.huge", image: "debian-3", network: "privat", availabilityZones: ["az9"] },
        says: ["vendor: must be", "configuration.datadir: is set by the package itself", "rootPassword: must have 8 to 200 characters, and no NUL among them",
          'flavor: the cloud has no flavor "m1.huge"', 'image: the cloud has no image "debian-3"', 'network: the cloud has no network "privat"', "availabilityZones: the cloud has no availability zone az9"],
      }, ["up", "--yes", "--skip-preview"]);
      deepEqual(await made(), []);
    });
  });

  describe("by the cloud, which alone can tell, while it makes what was asked for", () => {
    for (const refusal of [
      { what: "a network without port security", change: { network: "open" }, given: () => network("open", { ip_version: 4, cidr: "198.18.250.0/24" }, { port_security_enabled: false }),
        says: ["Port security must be enabled and port must have an IP address in order to use security groups"] },
      { what: "strict anti-affinity over more members than hosts", change: { locality: "anti-affinity", availabilityZones: ["az3"] },
        says: ["orders: locality anti-affinity needs a host for each of its 3 members, and only the cloud's administrators see its hosts. If a server ends in ERROR (`openstack server show` then says \"No valid host was found\"), have hosts added and run `pulumi refresh` and `pulumi up`, or lower members, or `pulumi destroy` what was made and begin anew with soft-anti-affinity",
          "Error waiting for instance (…) to become ready: unexpected state 'ERROR', wanted target 'ACTIVE'"] },
    ] as Refusal[]) it(`${named(refusal)}; a destroy leaves nothing`, async () => {
      try {
        await refused(refusal, ["up", "--yes", "--skip-preview"]);
      } finally {
        await galera.pulumi(["destroy", "--yes", "--skip-preview"]);
      }
      deepEqual(await made(), []);
    });
  });

  const wayBack = "Way forward: start the server, mend its network, attach its volume or let its database answer, then run `pulumi up` again";
  const keptOut = (member: string) => `${member} cannot be seen (waited 180 s for SSH to ${member} (…); last seen: All configured authentication methods failed. Is access.user the user that the image makes, and was the server made with the public half of access.privateKey?)`;
  /** All that a file of options could take for the end of a value. */
  const statement = `SET @a = "it's 50 % off; # \\\\ [client]",\n@b = 'two'`;
  const onGuests: Refusal[] = [
    { what: "a host key that is not the guest's", change: { access: { hostKeys: { "orders-2": sshpk.generatePrivateKey("ed25519").toPublic().toString("ssh") } } },
      says: ["refused: every member and its volume must be seen before anything is changed. Seen: orders-2 cannot be seen (orders-2 (…) shows the host key SHA256:…, expected SHA256:…: another machine answers there, or its keys were made anew. "
        + `If that is known, give the new key in access.hostKeys). ${wayBack}`] },
    { what: "a user whom no guest lets in, and a guest that never answers", change: { access: { user: "nobody" } }, given: () => never("orders-3"),
      says: [`refused: every member and its volume must be seen before anything is changed. Seen: ${keptOut("orders-1")}; ${keptOut("orders-2")}; orders-3 cannot be seen (waited 180 s for SSH to orders-3 (…); last seen: …. `
        + `May this machine reach port 22 there (access.allowedCidrs, routes), or is access.bastion needed? \`openstack console log show\` tells whether it booted). ${wayBack}`] },
    { what: "packages that nobody offers", given: async () => { await stopService("package-cache"); return () => startService("package-cache"); },
      says: ["install orders-1: could not install mariadb-server, galera-4, mariadb-backup…: …E: …. Way forward: let orders-1 reach a Debian package source that has them, as `sudo apt-get update && apt-cache policy mariadb-server galera-4 mariadb-backup…` there shows, then run `pulumi up` again"] },
    { change: { version: "11.4" }, says: ["install orders-1: refused: members run one major version of the database, the one that `version` names. Seen: orders-1 is offered MariaDB 1:10.11.…, wanted 11.4. "
      + "Way forward: give `image` one whose package sources have that version, or `version` the one that `image` has; before there is a cluster, `version` may be left out."] },
    { change: { configuration: { no_such_option: "1" } }, says: ["configure orders-1: MariaDB on orders-1 would not start with this configuration: unknown variable 'no_such_option=1'. Mend it in `configuration`"] },
    { what: "a disk that is full", change: { configuration: { init_connect: statement } },
      given: () => full("orders-3"),
      says: ["join orders-3: MariaDB does not start on orders-3: …. Its volume is full: … MiB. Way forward: see with `sudo du -xh --max-depth=2 /var/lib/datastore` what may go, make room, then run `pulumi up` again"] },
  ];

  describe("by a run that looks at its guests, which the next goes on from", () => {
    for (const refusal of onGuests) it(named(refusal), () => refused(refusal, ["up", "--yes", "--skip-preview"]));
  });

  describe("nothing any more once all is mended", () => {
    it("but what was asked for is had: a cluster whose options are what was given, to the letter", async () => {
      await want([["orders", { configuration: { init_connect: statement } }]]);
      await galera.pulumi(["up", "--yes", "--skip-preview"]);
      const cluster = await members(galera);
      try {
        for (const each of cluster.names)
          equal(await cluster.sql(each, "SELECT VARIABLE_VALUE, HEX(@@init_connect) FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'wsrep_cluster_size'"), `3\t${Buffer.from(statement).toString("hex").toUpperCase()}`);
      } finally {
        cluster.close();
      }
    });
  });

  describe("of a cluster that runs, by the preview", () => {
    const options = { configuration: { init_connect: statement } };
    const keeps = (what: string, how: string) => `${what}: what is there was made ${how}, and changing it cannot be done by this version; set it back. Or, if no \`pulumi up\` has made the cluster yet, let all be made anew: \`pulumi destroy\`, then \`pulumi up\``;
    for (const refusal of [
      { what: "a volume that is smaller than before", change: { ...options, volume: { size: 1, keep: false } }, says: [keeps("volume.size", "with 2").replace("cannot be done by this version", "makes volumes smaller, which no cloud does")] },
      { what: "another zone, while nobody is made again", change: { ...options, availabilityZones: ["az2"] }, says: ["availabilityZones: moves no member by itself, for none may be away while another is: "] },
    ]) it(named(refusal), () => refused(refusal, ["preview"]));
  });

  describe("nothing of a destroy", () => {
    it("which leaves nothing", async () => {
      await galera.pulumi(["destroy", "--yes", "--skip-preview"]);
      deepEqual(await made(), []);
    });
  });

  /** Runs Pulumi, which has to fail with these words, and gives back all that it printed. */
  async function refused({ change = {}, clusters = [["orders", change]], given, says }: Refusal, command: string[]): Promise<string> {
    await want(clusters);
    const takeBack = await given?.();
    try {
      const { exitCode, all = "" } = await galera.pulumi(command, { reject: false, all: true });
      ok(exitCode !== 0, `it was not refused:\n${all}`);
      for (const words of says) ok(pattern(words).test(all), `it does not say "${words}":\n${all}`);
      return all;
    } finally {
      if (typeof takeBack === "function") await takeBack();
    }
  }

  async function want(clusters: [name: string, change: object][]): Promise<void> {
    // Read from its input, where no key is seen by others.
    await galera.pulumi(["config", "set", "--plaintext", "clusters"], { stdin: "pipe", input: JSON.stringify(clusters) });
  }

  /** What the cloud has of a cluster. */
  async function made(): Promise<string[]> {
    const lists = [["compute", "/servers", "servers"], ["compute", "/os-keypairs", "keypairs"], ["compute", "/os-server-groups", "server_groups"],
      ["block-storage", "/volumes", "volumes"], ["network", "/ports", "ports"], ["network", "/security-groups", "security_groups"]] as const;
    const all = await Promise.all(lists.map(async ([service, path, list]) =>
      (await cloud.get<Record<string, { name?: string; keypair?: { name: string } }[]>>(service, path))[list]!.map((each) => `${list} ${each.name ?? each.keypair?.name}`)));
    return all.flat().filter((each) => each.includes("orders"));
  }

  /** Sets a quota of the project. */
  async function limited(service: "compute" | "block-storage" | "network", what: string, most: number): Promise<() => Promise<unknown>> {
    const [kind, path] = service === "network" ? ["quota", `/quotas/${cloud.who.project.id}`] : ["quota_set", `/os-quota-sets/${cloud.who.project.id}`];
    const set = (limit: number) => admin.put(service, path!, { [kind!]: { [what]: limit } });
    const before = (await admin.get<Record<string, Record<string, number>>>(service, path!))[kind!]![what]!;
    await set(most);
    return () => set(before);
  }

  async function network(called: string, subnet: object, more: object = {}): Promise<void> {
    const made = await cloud.post<{ network: { id: string } }>("network", "/networks", { network: { name: called, ...more } });
    await cloud.post("network", "/subnets", { subnet: { network_id: made.network.id, enable_dhcp: false, ...subnet } });
  }

  async function keyPair(called: string): Promise<() => Promise<unknown>> {
    await cloud.post("compute", "/os-keypairs", { keypair: { name: called, public_key: sshpk.generatePrivateKey("ed25519").toPublic().toString("ssh") } });
    return () => cloud.delete("compute", `/os-keypairs/${called}`);
  }

  /** A server that boots, and never ends it, until it boots once more. */
  async function never(called: string): Promise<() => Promise<unknown>> {
    await hinderBoots("never");
    try {
      await reboot(called);
    } finally {
      await hinderBoots(0);
    }
    return () => reboot(called);
  }

  async function reboot(called: string): Promise<void> {
    const { id } = await server(called);
    await cloud.post("compute", `/servers/${id}/action`, { reboot: { type: "HARD" } });
    await until(`${called} to be ACTIVE`, async () => (await server(called)).status === "ACTIVE");
  }

  /** A disk that has no room for what MariaDB is to receive. */
  async function full(called: string): Promise<() => Promise<unknown>> {
    await on(called, "sudo install -d -o mysql -g mysql -m 700 /var/lib/datastore/mysql");
    await fillDisk(called, "/var/lib/datastore");
    return () => on(called, "sudo rm /var/lib/datastore/filler");
  }

  const on = async (called: string, command: string) => sshTo(Object.values((await server(called)).addresses).flat()[0]!.addr, galera.keyFile, command);

  async function server(called: string): Promise<{ id: string; status: string; addresses: Record<string, { addr: string }[]> }> {
    const { servers } = await cloud.get<{ servers: (Awaited<ReturnType<typeof server>> & { name: string })[] }>("compute", "/servers/detail");
    return servers.find((each) => each.name === called)!;
  }
});
