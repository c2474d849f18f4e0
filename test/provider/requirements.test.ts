import { deepEqual } from "node:assert/strict";
import { mock } from "node:test";
import { runtime } from "@pulumi/pulumi";
import type { Facts } from "../../provider";
import * as requirements from "../../provider/requirements";
import { anna, withAccess } from "./access";
import { news } from "./document";

const { unknownValue: unknown } = runtime;
const servers = { flavor: "m1.small", image: "debian-12", network: "private", availabilityZones: ["az1", "az2"], volumeSize: 10 };
const members = (count: number) => Array.from({ length: count }, (_, index) => `orders-${index + 1}`);
const facts: Facts = {
  flavors: { "m1.small": { ram: 2048, vcpus: 1, disk: 10 }, "m1.large": { ram: 8192, vcpus: 4, disk: 20 }, "m1.bare": { ram: 2048, vcpus: 1, disk: 0 } },
  images: { "debian-12": { minRam: 512, minDisk: 2 } },
  networks: { private: { subnets: [6, 4] }, backup: { subnets: [4] } },
  zones: ["az1", "az2"],
  quotas: { instances: { limit: 10, used: 0 }, cores: { limit: -1, used: 90 }, volumes: { limit: 5 }, ports: undefined },
};
const { datastore, options, access } = news;
const document = { datastore, options, access };
const fresh = { cluster: "orders", members: members(3), servers };
const groups = { "orders-1": members(2), "orders-2": ["orders-3"] };
const with_ = (change: Partial<Facts>): Facts => ({ ...facts, ...change });
const reasons = async (asked: object, told: unknown, olds: object = {}) =>
  (await requirements.check(olds, { ...fresh, document, ...asked, facts: told } as never)).failures!.map(({ reason }) => reason);

describe("what a cluster needs of its cloud", () => {
  const noFlavor = (at: string) => `${at}: the cloud has no flavor "m1.huge" that this project may use; \`openstack flavor list\` shows what it has`;
  const huge = with_({ flavors: { ...facts.flavors, "m1.huge": "none" } });
  for (const [name, asked, told, ...texts] of [
    ["all of it is there", {}, facts],
    ["a cloud that tells nothing is not judged", {}, { flavors: {}, images: {}, networks: {}, quotas: {} }],
    ["what is not known yet is not judged", { servers: { ...servers, flavor: unknown } }, huge],
    ["flavor", { servers: { ...servers, flavor: "m1.huge" } }, huge, noFlavor("flavor")],
    ["flavor of one member", { servers: { ...servers, memberOverrides: { "orders-2": { flavor: "m1.huge" } } } }, huge, noFlavor("memberOverrides.orders-2.flavor")],
    ["flavor of a member that is not", { servers: { ...servers, memberOverrides: { "orders-9": { flavor: "m1.huge" } } } }, huge],
    ["name", {}, with_({ keyPair: "shop-test-orders" }),
      "name: the keypair shop-test-orders, which is this cluster's to make, is there already, so another cluster orders may be, of a stack and a project of the same names: give this one another name, or, where nothing uses it any more, `openstack keypair delete shop-test-orders`"],
    ["image", {}, with_({ images: { "debian-12": "none" } }), 'image: the cloud has no image "debian-12" that this project may use; `openstack image list` shows what it has'],
    ["image that is two", {}, with_({ images: { "debian-12": "several" } }), 'image: the cloud has several images with the name "debian-12": it must be one; `openstack image list` shows them'],
    ["flavor too small for the image", {}, with_({ images: { "debian-12": { minRam: 4096, minDisk: 2 } } }),
      "flavor: m1.small has 2048 MiB of memory and 10 GiB of disk, but the image debian-12 needs 4096 MiB and 2 GiB: take a larger flavor"],
    ["flavor with too small a disk", {}, with_({ images: { "debian-12": { minRam: 0, minDisk: 20 } } }),
      "flavor: m1.small has 2048 MiB of memory and 10 GiB of disk, but the image debian-12 needs 0 MiB and 20 GiB: take a larger flavor"],
    ["flavor with too little memory for the datastore", { document: { ...document, options: { vendor: "mariadb", configuration: { innodb_buffer_pool_size: "3G" } } } }, facts,
      "flavor: m1.small has 2048 MiB of memory, but innodb_buffer_pool_size = 3G and 256 MiB beside it are 3328 MiB: take a larger flavor, or ask for less"],
    ["flavor with too little memory, where it is not known yet how much that is", { document: { ...document, options: { vendor: "mariadb", configuration: unknown } } }, facts],
    ["quota of server groups", {}, with_({ quotas: { "server groups": { limit: 10, used: 10 } } }),
      "members: 3 new members need, of this project's quota, 1 server groups, where 0 of 10 are left: have the quota raised, or free what is not needed"],
    ["quota of server groups, of which a cluster has several", { groups }, with_({ quotas: { "server groups": { limit: 10, used: 9 }, "members of a server group": { limit: 2 } } }),
      "shards: 3 new members need, of this project's quota, 2 server groups, where 1 of 10 are left: have the quota raised, or free what is not needed"],
    ["quota of a server group, of which a cluster has several", { groups }, with_({ quotas: { "members of a server group": { limit: 1 } } }),
      "shards: a server group of this project may have 1 members: have its quota, server_group_members, raised"],
    ["flavor that boots from a volume", { servers: { ...servers, flavor: "m1.bare" } }, facts,
      "flavor: m1.bare has no disk of its own, and servers that boot from a volume cannot be made by this version: take a flavor with a disk; `openstack flavor list` shows them"],
    ["network", {}, with_({ networks: { private: "none" } }), 'network: the cloud has no network "private" that this project may use; `openstack network list` shows what it has'],
    ["network that the cloud does not answer for", {}, with_({ networks: { private: { unasked: "connection refused" } } }), 'network: the cloud could not be asked for the network "private": connection refused'],
    ["network without a subnet", {}, with_({ networks: { private: { subnets: [] } } }), "network: the network private has no subnet: members talk to each other over IPv4"],
    ["network of IPv6 only", {}, with_({ networks: { private: { subnets: [6] } } }), "network: the network private has no IPv4 subnet: members talk to each other over IPv4"],
    ["a member's further network", { servers: { ...servers, memberOverrides: { "orders-3": { networks: ["backup", "nix"] } } } }, with_({ networks: { ...facts.networks, nix: "none" } }),
      'memberOverrides.orders-3.networks: the cloud has no network "nix" that this project may use; `openstack network list` shows what it has'],
    ["zones", { servers: { ...servers, availabilityZones: ["az1", "az8", "az9"] } }, facts, "availabilityZones: the cloud has no availability zone az8, az9; it has az1, az2"],
    ["zone of one member", { servers: { ...servers, memberOverrides: { "orders-1": { zone: "az9" } } } }, facts, "memberOverrides.orders-1.zone: the cloud has no availability zone az9; it has az1, az2"],
    ["quota of instances", {}, with_({ quotas: { instances: { limit: 10, used: 8 } } }),
      "members: 3 new members need, of this project's quota, 3 instances, where 2 of 10 are left: have the quota raised, or free what is not needed"],
    ["quota of cores and RAM", { servers: { ...servers, memberOverrides: { "orders-1": { flavor: "m1.large" } } } }, with_({ quotas: { cores: { limit: 20, used: 15 }, "MiB of RAM": { limit: 12287, used: 0 } } }),
      "members: 3 new members need, of this project's quota, 6 cores, where 5 of 20 are left; 12288 MiB of RAM, where 12287 of 12287 are left: have the quota raised, or free what is not needed"],
    ["quota that tells no use", {}, with_({ quotas: { volumes: { limit: 2 }, "GiB of volumes": { limit: 29 }, ports: { limit: 2 } } }),
      "members: 3 new members need, of this project's quota, 3 volumes, where it has 2; 30 GiB of volumes, where it has 29; 3 ports, where it has 2: have the quota raised, or free what is not needed"],
    ["quota of a server group", {}, with_({ quotas: { "members of a server group": { limit: 2 } } }),
      "members: a server group of this project may have 2 members: have its quota, server_group_members, raised"],
  ] as [string, object, unknown, ...string[]][]) it(name, async () => deepEqual(await reasons(asked, told), texts));

  describe("and only administrators could say", () => {
    const said = async (locality: string | undefined, olds: object = {}, change: object = {}) => {
      const { mock: log } = mock.method(console, "log", () => undefined);
      await reasons({ servers: { ...servers, locality }, ...change }, facts, olds).finally(() => log.restore());
      return log.calls.map((call) => call.arguments[0] as string);
    };
    const hosts = 'and only the cloud\'s administrators see its hosts. If a server ends in ERROR (`openstack server show` then says "No valid host was found"), have hosts added and run `pulumi refresh` and `pulumi up`, or lower members';
    const anew = "or `pulumi destroy` what was made and begin anew with";

    it("is named, with the way forward, where it is asked for", async () => {
      deepEqual(await said("anti-affinity"), [`orders: locality anti-affinity needs a host for each of its 3 members, ${hosts}, ${anew} soft-anti-affinity`]);
      deepEqual(await said("affinity"), [`orders: locality affinity needs one host with room for all of its 3 members, ${hosts}, ${anew} soft-affinity`]);
      deepEqual(await said("anti-affinity", { ...fresh, members: members(1), servers: { ...servers, locality: "anti-affinity" } }), [`orders: locality anti-affinity needs a host for each of its 3 members, ${hosts}`]);
    });

    it("is not where none is needed, nobody comes, or something else is wrong", async () => deepEqual(
      [await said(undefined), await said("soft-anti-affinity"), await said("anti-affinity", fresh), await said("anti-affinity", {}, { members: members(11) })], [[], [], [], []]));
  });

  const gone = with_({ keyPair: "shop-test-orders", images: { "debian-12": "none" }, flavors: {}, quotas: { instances: { limit: 3, used: 3 } } });

  it("is told beside what is wrong with the cluster itself, which else would be looked at when all servers are made", async () => {
    const wrong = { ...document, options: { vendor: "oracle" }, rootPassword: "short" };
    const texts = ["vendor: must be \"mariadb\": no other can be run yet", "rootPassword: must have 8 to 200 characters, and no NUL among them"];
    deepEqual(await reasons({ document: wrong }, facts), texts);
    deepEqual((await reasons({ document: wrong, servers: { ...servers, flavor: "m1.huge" } }, huge)).length, 3);
    deepEqual(await reasons({ document: { ...wrong, access: unknown, rootPassword: unknown } }, facts), texts.slice(0, 1));
    deepEqual(await reasons({ document: { ...document, access: unknown }, servers: { ...servers, flavor: "m1.huge" } }, huge), [noFlavor("flavor")]);
    deepEqual(await reasons({ document: wrong }, facts, fresh), [], "whether it may go on is for the cluster to say");
  });

  it("of a cluster that is there is not judged: its image may be long gone, and its quota used by itself", async () =>
    deepEqual(await reasons({}, gone, fresh), []));

  it("of members that come is judged, with room for them alone", async () => {
    const [image, quota] = await reasons({ members: members(5) }, gone, fresh);
    deepEqual([image?.split(" ")[0], quota], ["image:", "members: 2 new members need, of this project's quota, 2 instances, where 0 of 3 are left: have the quota raised, or free what is not needed"]);
  });

  it("of a member whose server is to be made again is judged, once, and needs no more room", async () => {
    deepEqual((await reasons({ replace: ["orders-2"] }, gone, fresh)).map((reason) => reason.split(" ")[0]), ["image:"]);
    deepEqual(await reasons({ replace: ["orders-2"] }, gone, { ...fresh, replace: ["orders-2"] }), []);
    deepEqual(await reasons({}, gone, { ...fresh, replace: ["orders-2"] }), []);
  });

  it("of a group that may have fewer members than there are keeps nobody from going on, or from shrinking", async () => {
    const told = with_({ quotas: { "members of a server group": { limit: 2 } } });
    deepEqual([await reasons({}, told, fresh), await reasons({}, told, { ...fresh, members: members(5) })], [[], []]);
  });

  it("is not judged again when a member leaves, and with it what it had of its own", async () => {
    const memberOverrides = { "orders-2": { zone: "az1" }, "orders-5": { flavor: "m1.huge" } };
    const before = { ...fresh, members: members(5), servers: { ...servers, memberOverrides } };
    deepEqual(await reasons({ servers: { ...servers, memberOverrides: { "orders-2": { zone: "az1" } } } }, gone, before), []);
  });

  it("is kept without the facts, so that a cloud that changes shows no difference, and without the key", async () => {
    const provider = { __provider: "text" };
    const { inputs } = await requirements.check({}, { ...fresh, ...provider, document, facts, late: [] } as never);
    deepEqual(inputs, { ...fresh, ...provider });
    deepEqual(await requirements.create(inputs), { id: "orders", outs: inputs });
    deepEqual(await requirements.update("orders", {}, inputs), { outs: inputs });
  });

  describe("may not change once a run may have made of it what would ignore that:", () => {
    const made = { ...fresh, servers: { ...servers, locality: "anti-affinity", publicKey: `ssh-rsa ${"A".repeat(370)}`, memberOverrides: { "orders-2": { zone: "az2" } } } };
    const other = (change: object) => ({ servers: { ...made.servers, ...change } });
    const wayForward = "cannot be done by this version; set it back. Or, if no `pulumi up` has made the cluster yet, let all be made anew: `pulumi destroy`, then `pulumi up`";
    const alone = "; if none has brought the member into it yet, only that member: take it back, `pulumi up`, then ask for it again";
    const refused = (argument: string, how: string) => `${argument}: what is there was made ${how}, and changing it ${argument === "volume.size" ? wayForward.replace("cannot be done by this version", "makes volumes smaller, which no cloud does") : wayForward}${argument === "memberOverrides" ? alone : ""}`;
    for (const [what, change, ...texts] of [
      ["network", { network: "backup" }, refused("network", 'with "private"')],
      ["locality", { locality: "affinity" }, refused("locality", 'with "anti-affinity"')],
      ["the volumes' size", { volumeSize: 5, volumeType: "fast" }, refused("volume.size", "with 10")],
      ["a member's further networks", { memberOverrides: { "orders-2": { zone: "az1", networks: ["backup"] } } }, refused("memberOverrides", "with {}")],
    ] as [string, object, ...string[]][]) it(what, async () => deepEqual(await reasons(other(change), facts, made), texts));

    it("of members that came in a grow that failed, of which the cluster knows nothing", async () => {
      const [one, two] = ["az1", "az2"].map((zone) => ({ ...fresh, members: members(5), servers: { ...servers, memberOverrides: { "orders-4": { networks: [zone] } } } }));
      deepEqual(await reasons(two!, facts, one), [refused("memberOverrides", 'with {"orders-4":{"networks":["az1"]}}')]);
      deepEqual([await reasons({}, facts, one), await reasons(two!, facts, fresh)], [[], []], "the way forward");
    });

    it("a volume's type, while a member is named that was made again before: its server would stay", async () => {
      const named = { ...made, replace: ["orders-1"] };
      const fast = { ...other({ volumeType: "fast" }), replace: ["orders-1"] };
      deepEqual(await reasons(fast, facts, named), ["volume.type: comes with a server that is made again, and orders-1 was already: name another member in `replace`; or take orders-1 out, `pulumi up`, and name it again with this change"]);
      deepEqual([await reasons(fast, facts, made), await reasons({ ...fast, replace: ["orders-2"] }, facts, named), await reasons({ ...fast, replace: undefined }, facts, named)], [[], [], []], "the ways forward");
    });

    it("in a preview and in the run itself, whatever else is not known yet, and what is unknown is no change", async () => {
      deepEqual(await reasons(other({ flavor: unknown, volumeSize: 5 }), facts, made), [refused("volume.size", "with 10")]);
      deepEqual(await reasons(other({ publicKey: unknown, memberOverrides: { "orders-2": { zone: unknown } } }), facts, made), []);
      deepEqual(await reasons({ servers: unknown }, facts, made), []);
    });

    it("what the cloud has not of what was asked for instead is not said, for it is not to be had", async () =>
      deepEqual(await reasons(other({ network: "backup" }), with_({ networks: { backup: "none" } }), made), [refused("network", 'with "private"')]));
  });

  describe("flavors of servers that are there", () => {
    const other = (flavor: string, memberOverrides?: object) => ({ ...fresh, servers: { ...servers, flavor, ...(memberOverrides && { memberOverrides }) } });

    describe("with access to Nova", () => {
      withAccess(anna);
      it("may change, and so may the image, which must be there", async () => {
        const image = { servers: { ...servers, image: "debian-13" } };
        deepEqual(await reasons(image, with_({ images: { ...facts.images, "debian-13": { minRam: 0, minDisk: 2 } } }), fresh), []);
        deepEqual(await reasons(image, with_({ images: { "debian-13": "none" } }), fresh), ['image: the cloud has no image "debian-13" that this project may use; `openstack image list` shows what it has']);
      });
      it("may change, of all and of one", async () => {
        deepEqual([await reasons(other("m1.large"), facts, fresh), await reasons(other("m1.small", { "orders-2": { flavor: "m1.large" } }), facts, fresh)], [[], []]);
      });
      it("are judged as those of new ones are", async () =>
        deepEqual(await reasons(other("m1.huge"), huge, fresh), [noFlavor("flavor")]));
      it("change beside what may not, which alone is refused", async () =>
        deepEqual((await reasons({ servers: { ...servers, flavor: "m1.large", network: "backup" } }, facts, fresh)).map((each) => each.split(":")[0]), ["network"]));
    });

    describe("without access to Nova", () => {
      withAccess();
      it("are refused, with what gives access", async () => deepEqual(await reasons(other("m1.small", { "orders-2": { flavor: "m1.large" } }), facts, fresh),
        ["flavor: another one for orders-2 needs Nova: give access to Nova from where `pulumi` runs: OS_CLOUD and a clouds.yaml, or OS_AUTH_URL and its like, or the argument `cloud`; or set it back"]));
      it("are none of a cluster's whose names are the same, or not known yet", async () => {
        deepEqual([await reasons(other("m1.small", { "orders-2": { flavor: "m1.small" } }), facts, fresh), await reasons(other(unknown), facts, fresh)], [[], []]);
      });
    });
  });

  describe("may change where nothing ignores it:", () => {
    const own = (memberOverrides?: object, count = 3) => ({ members: members(count), servers: { ...servers, memberOverrides } });
    const large = { flavor: "m1.large" };
    for (const [what, olds, wanted] of [
      ["nothing is there yet", {}, own({ "orders-1": large })],
      ["a member comes, with what it has of its own", own(), own({ "orders-4": large }, 4)],
      ["a member goes, with what it had of its own", own({ "orders-3": large }), own(undefined, 2)],
      ["a member that went comes back with another server", own(undefined, 2), own({ "orders-3": large })],
      ["a server is made again", own({ "orders-2": large }), { ...own({ "orders-2": large }), replace: ["orders-2"] }],
      ["having nothing of its own is said in another way", own(), own({})],
    ] as const) it(what, async () => deepEqual(await reasons(wanted, facts, "members" in olds ? { cluster: "orders", ...olds } : olds), []));
  });
});
