import { deepEqual, rejects } from "node:assert/strict";
import { inspect } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import type { GaleraClusterArgs } from "../../components";
import { refuseWrong } from "../../components/galera";
import { refuse } from "../../components/rules";
import { galera, least, privateKey, program, settled } from "./program";

const { access } = least;
type Wrong = { [argument in keyof GaleraClusterArgs]?: unknown };

/** What no cloud would take: refused before anything is made, each with the argument, its rule, and what it was. */
describe("arguments that are wrong", () => {
  const lost = (members: number, what: string, risk: string) => `members must be odd and at least 3; it is ${members}, so ${what}. To take that risk, name it: allowUnsafe: ["${risk}"]`;
  const half = "when one fails the other stops too, for one of two is no majority";
  for (const [wrong, ...texts] of [
    [{ members: 0 }, "members must be a whole number, at least 1; it is 0"],
    [{ members: -1 }, "members must be a whole number, at least 1; it is -1"],
    [{ members: 2.5 }, "members must be a whole number, at least 1; it is 2.5"],
    [{ members: "three" }, 'members must be a whole number, at least 1; it is "three"'],
    [{ members: undefined }, "members must be a whole number, at least 1; it is missing"],
    [{ members: NaN }, "members must be a whole number, at least 1; it is NaN"],
    [{ members: 1 }, lost(1, "all is lost with its one server", "under-three-members")],
    [{ members: 2 }, lost(2, half, "under-three-members")],
    [{ gcacheSize: "6G" }, "gcacheSize is at most half of the volume, for the data lie beside it; it is 6G of 10 GiB: lower it, or raise volume.size"],
    [{ gcacheSize: "5121M" }, "gcacheSize is at most half of the volume, for the data lie beside it; it is 5121M of 10 GiB: lower it, or raise volume.size"],
    [{ members: 4 }, lost(4, "no more failures are survived than with 3, and a network cut in the middle stops both halves", "even-members")],
    [{ members: 2, allowUnsafe: ["even-members"] }, lost(2, half, "under-three-members")],
    [{ allowUnsafe: ["all"] }, 'allowUnsafe.0 must be one of under-three-members, even-members, no-replicas; it is "all"'],
    [{ flavor: "" }, 'flavor must be the name of a flavor; it is ""'],
    [{ image: 12 }, "image must be the name of an image; it is 12"],
    [{ network: undefined }, "network must be the name or id of a network; it is missing"],
    [{ volume: undefined }, "volume must be an object with size, type, keep; it is missing"],
    [{ volume: { size: 0 } }, "volume.size must be a whole number of GiB, at least 1; it is 0"],
    [{ volume: { size: 1.5 } }, "volume.size must be a whole number of GiB, at least 1; it is 1.5"],
    [{ volume: { size: "10" } }, 'volume.size must be a whole number of GiB, at least 1; it is "10"'],
    [{ volume: { size: 1, tpye: "fast" } }, "volume has no tpye: it takes size, type, keep"],
    [{ locality: "anti" }, 'locality must be one of affinity, anti-affinity, soft-affinity, soft-anti-affinity; it is "anti"'],
    [{ availabilityZones: [] }, "availabilityZones must name an availability zone, or be left out"],
    [{ availabilityZones: ["az1", ""] }, 'availabilityZones.1 must be the name of an availability zone; it is ""'],
    [{ allowedCidrs: ["192.0.2.0"] }, 'allowedCidrs.0 must be a CIDR, such as 192.0.2.0/24 or 2001:db8::/32; it is "192.0.2.0"'],
    [{ allowedCidrs: ["192.0.2.0/33"] }, 'allowedCidrs.0 must be a CIDR, such as 192.0.2.0/24 or 2001:db8::/32; it is "192.0.2.0/33"'],
    [{ allowedCidrs: "192.0.2.0/24" }, 'allowedCidrs must be a list of CIDRs; it is "192.0.2.0/24"'],
    [{ access: { ...access, allowedCidrs: ["here"] } }, "access.allowedCidrs.0 must be a CIDR, such as 192.0.2.0/24 or 2001:db8::/32"],
    [{ access: { ...access, privateKey: "" } }, "access.privateKey must be a private key"],
    [{ access: undefined }, "access must be an object with user, privateKey, bastion, hostKeys, allowedCidrs; it is missing"],
    [{ members: pulumi.output(3) }, "members must be a whole number, at least 1; it is an Output, and decides how many resources there are: give it as it is"],
    [{ without: pulumi.output(["orders-1"]) }, "without must be a list, each entry a member's name; it is an Output, and decides how many resources there are: give it as it is"],
    [{ members: 3n }, "members must be a whole number, at least 1"],
    [{ access: { privateKey: access.privateKey } }, "access.user must be the user who logs in to the servers; it is missing"],
    [{ access: { ...access, bastion: { host: "bastion", user: "debian", port: 70000 } } }, "access.bastion.port must be a port, 1 to 65535"],
    [{ memberOverrides: { "orders-1": { flavour: "m1.large" } } }, "memberOverrides.orders-1 has no flavour: it takes zone, networks, flavor"],
    [{ replace: "orders-1" }, 'replace must be a list, each entry a member\'s name; it is "orders-1"'],
    [{ recovery: "orders-1" }, 'recovery must be an object with from, evidence; it is "orders-1"'],
    [{ recovery: { from: "orders-1" } }, "recovery.evidence must be what a refusal has printed; it is missing"],
    [{ recovery: { from: "orders-1", evidence: "3F9C" } }, 'recovery.evidence must be the 12 hex digits that a refusal has printed; it is "3F9C"'],
    [{ recovery: { from: "orders-1", evidence: "3f9c00112233", force: true } }, "recovery has no force: it takes from, evidence"],
    [{ state: "paused" }, 'state must be one of running, stopped; it is "paused"'],
    [{ rollout: { maxUnavailable: 0 } }, "rollout.maxUnavailable must be a whole number, at least 1; it is 0"],
    [{ deletionProtection: "no" }, 'deletionProtection must be true or false; it is "no"'],
    [{ member: 3 }, "a cluster has no member: it takes members, flavor, image, network, volume, availabilityZones, locality, allowedCidrs, access, memberOverrides, without, replace, forget, rollout, state, restartTrigger, authorities, allowUnsafe, cloud, maintenance, deletionProtection, vendor, version, configuration, gcacheSize, recovery, rootPassword, formerPasswords"],
    [{ flavor: "", volume: { size: 0 } }, 'flavor must be the name of a flavor; it is ""', "volume.size must be a whole number of GiB, at least 1; it is 0"],
  ] as [Wrong & { member?: number }, ...string[]][]) it(inspect(wrong, { depth: 0, breakLength: Infinity }), () => refused(() => galera(wrong as Partial<GaleraClusterArgs>), texts));

  for (const name of ["", "My_Orders", "1st", "a".repeat(52)])
    it(`the name ${JSON.stringify(name)}`, () => refused(() => galera({}, name), [
      `name becomes the servers' host names: give lower-case letters, digits and dashes, a letter first, 51 at most; it is ${JSON.stringify(name)}`], name));

  it("are looked at when they are known, and then shown nowhere: they may be secret", async () => {
    const later = (change: object) => settled(pulumi.all(refuse("orders", { ...least, ...change }, ["members"], ["vendor"])));
    for (const [change, text] of [
      [{ flavor: pulumi.secret("") }, "flavor must be the name of a flavor"],
      [{ volume: { size: Promise.resolve(0) } }, "volume.size must be a whole number of GiB, at least 1"],
      [{ access: { ...access, bastion: { host: pulumi.output("bastion"), user: pulumi.secret("") } } }, "access.bastion.user must be the user who logs in to it"],
      [{ access: { ...access, hostKeys: pulumi.output({ "orders-1": 5 }) } }, "access.hostKeys.orders-1 must be a host key"],
    ] as const) await rejects(later(change), { message: `orders: ${text}` });
    await later({ flavor: pulumi.secret("m1.small") });
  });

  it("are looked at together once all of them are known", async () => {
    const later = (change: Partial<GaleraClusterArgs>) => settled(pulumi.all(refuseWrong("orders", { ...least, ...change })));
    for (const change of [{ gcacheSize: pulumi.secret("6G") }, { volume: { size: pulumi.output(10) }, gcacheSize: "6G" }])
      await rejects(later(change), { message: "orders: gcacheSize is at most half of the volume, for the data lie beside it: lower it, or raise volume.size" });
    await later({ volume: { size: pulumi.output(12) }, gcacheSize: pulumi.output("6G") });
  });

  it("show no key, wherever it stands", async () => {
    for (const wrong of [privateKey, [{ user: "debian", privateKey }], { user: { privateKey }, privateKey }, { ...access, hostKeys: privateKey }, { ...access, privatekey: privateKey },
      { ...access, bastion: [{ privateKey }] }, pulumi.secret(privateKey)])
      await rejects(program(() => galera({ access: wrong as never })), (error: Error) => !inspect(error, { depth: 9, showHidden: true }).includes(privateKey.split("\n")[1]!));
  });

  it("are right in every form that Pulumi takes", () => program(() => galera({
    flavor: pulumi.output("m1.small"), image: Promise.resolve("debian-12"), volume: { size: pulumi.output(10), type: pulumi.secret("fast") }, configuration: pulumi.output({ max_connections: "500" }) as never,
    access: { user: pulumi.output("debian"), privateKey: pulumi.secret(privateKey), hostKeys: pulumi.output({ "orders-1": "ssh-ed25519 AAAA" }), bastion: { host: pulumi.output("bastion"), user: "debian", port: undefined } },
    memberOverrides: { "orders-1": { zone: pulumi.output("az1"), flavor: undefined } }, deletionProtection: pulumi.output(false), allowedCidrs: ["192.0.2.7/24", "::/0"], forget: undefined,
  })));

  const refused = (body: () => unknown, texts: string[], name = "orders") => rejects(program(body), (error: Error) => {
    deepEqual([error.message.split("\n"), pulumi.RunError.isInstance(error)], [texts.map((text) => `${name}: ${text}`), true]);
    return true;
  });
});
