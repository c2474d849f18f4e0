import { deepEqual, rejects } from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import type { GaleraClusterArgs } from "../../components";
import { galera, least, program } from "./program";

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
    [{ members: NaN }, "members must be a whole number, at least 1; it is null"],
    [{ members: 1 }, lost(1, "all is lost with its one server", "under-three-members")],
    [{ members: 2 }, lost(2, half, "under-three-members")],
    [{ members: 4 }, lost(4, "no more failures are survived than with 3, and a network cut in the middle stops both halves", "even-members")],
    [{ members: 2, allowUnsafe: ["even-members"] }, lost(2, half, "under-three-members")],
    [{ allowUnsafe: ["all"] }, 'allowUnsafe.0 must be one of under-three-members, even-members; it is "all"'],
    [{ flavor: "" }, 'flavor must be the name of a flavor; it is ""'],
    [{ image: 12 }, "image must be the name of an image; it is 12"],
    [{ network: undefined }, "network must be the name or id of a network; it is missing"],
    [{ volume: undefined }, "volume must be an object with size, type, keep; it is missing"],
    [{ volume: { size: 0 } }, "volume.size must be a whole number of GiB, at least 1; it is 0"],
    [{ volume: { size: 1.5 } }, "volume.size must be a whole number of GiB, at least 1; it is 1.5"],
    [{ volume: { size: "10" } }, 'volume.size must be a whole number of GiB, at least 1; it is "10"'],
    [{ volume: { size: 1, tpye: "fast" } }, "volume has no tpye: it takes size, type, keep"],
    [{ locality: "anti" }, 'locality must be one of affinity, anti-affinity, soft-affinity, soft-anti-affinity; it is "anti"'],
    [{ availabilityZones: [] }, "availabilityZones must name an availability zone, or be left out; it is []"],
    [{ availabilityZones: ["az1", ""] }, 'availabilityZones.1 must be the name of an availability zone; it is ""'],
    [{ allowedCidrs: ["192.0.2.0"] }, 'allowedCidrs.0 must be a CIDR, such as 192.0.2.0/24 or 2001:db8::/32; it is "192.0.2.0"'],
    [{ allowedCidrs: ["192.0.2.0/33"] }, 'allowedCidrs.0 must be a CIDR, such as 192.0.2.0/24 or 2001:db8::/32; it is "192.0.2.0/33"'],
    [{ allowedCidrs: "192.0.2.0/24" }, 'allowedCidrs must be a list of CIDRs; it is "192.0.2.0/24"'],
    [{ access: { ...access, allowedCidrs: ["here"] } }, 'access.allowedCidrs.0 must be a CIDR, such as 192.0.2.0/24 or 2001:db8::/32; it is "here"'],
    [{ access: { ...access, privateKey: "" } }, "access.privateKey must be a private key"],
    [{ access: { privateKey: access.privateKey } }, "access.user must be the user who logs in to the servers; it is missing"],
    [{ access: { ...access, bastion: { host: "bastion", user: "debian", port: 70000 } } }, "access.bastion.port must be a port, 1 to 65535; it is 70000"],
    [{ memberOverrides: { "orders-1": { flavour: "m1.large" } } }, "memberOverrides.orders-1 has no flavour: it takes zone, networks, flavor"],
    [{ replace: "orders-1" }, 'replace must be a list, each entry a member\'s name; it is "orders-1"'],
    [{ deletionProtection: "no" }, 'deletionProtection must be true or false; it is "no"'],
    [{ member: 3 }, "a cluster has no member: it takes members, flavor, image, network, volume, availabilityZones, locality, allowedCidrs, access, memberOverrides, without, replace, forget, allowUnsafe, deletionProtection, vendor, version, configuration, rootPassword"],
    [{ flavor: "", volume: { size: 0 } }, 'flavor must be the name of a flavor; it is ""', "volume.size must be a whole number of GiB, at least 1; it is 0"],
  ] as [Wrong & { member?: number }, ...string[]][]) it(JSON.stringify(wrong, (key, value: unknown) => (key === "privateKey" && value ? "…" : value)), () =>
    rejects(program(() => galera(wrong as Partial<GaleraClusterArgs>)), ({ message, hideStack }: pulumi.ResourceError) => {
      deepEqual([message.split("\n"), hideStack], [texts, true]);
      return true;
    }));

  for (const name of ["", "My_Orders", "1st", "a".repeat(52)])
    it(`the name ${JSON.stringify(name)}`, () => rejects(program(() => galera({}, name)), ({ message }: Error) => {
      deepEqual(message, name === "" ? "Missing resource name argument (for URN creation)"
        : `name becomes the servers' host names: give lower-case letters, digits and dashes, a letter first, 51 at most; it is ${JSON.stringify(name)}`);
      return true;
    }));

  it("are looked at later when they are known later", () => program(() => galera({ flavor: pulumi.output("m1.small"), volume: { size: pulumi.output(10) }, configuration: pulumi.output({}) as never })));
});
