import { deepEqual, equal, notEqual } from "node:assert/strict";
import { hasFailed, isInDoubt, isKnown, isSelf, nodesOf, signature } from "../../../../provider/datastores/redis/nodes";

/** What Redis 7.0.15 said, in the middle of a move that was cut. */
const cut = `4ee73f61d06544c35921cb474068d7cb8e5681dc 127.0.0.1:7003@17003 master - 0 1795797126120 3 connected 10923-16383
43573140c4b9e910be407900472f02a25df090fa 127.0.0.1:7001@17001 myself,master - 0 1795797126000 1 connected 0-5461 [0->-8e53a0470f2047d32d13ac8f92c5ef60a15ce688]
a9ab43f6355d04fc45acc82f002b46b10a9eac3c 127.0.0.1:7005@17005 slave d90cbfe1879b822ad67e3ef9dcd18d6d8a22a783 0 1795797087541 2 connected
8e53a0470f2047d32d13ac8f92c5ef60a15ce688 127.0.0.1:7007@17007 master - 0 1795797127496 7 connected
`;

describe("CLUSTER NODES", () => {
  it("tells ids, addresses, roles and slots", () => {
    const [third, self, replica, empty] = nodesOf(cut);
    deepEqual(third, { id: "4ee73f61d06544c35921cb474068d7cb8e5681dc", address: "127.0.0.1", flags: ["master"], epoch: 3, connected: true, slots: "10923-16383", open: [] });
    deepEqual([isSelf(self!), isSelf(third!)], [true, false]);
    deepEqual([replica!.of, replica!.slots], ["d90cbfe1879b822ad67e3ef9dcd18d6d8a22a783", ""]);
    equal(empty!.slots, "");
  });

  it("tells of a slot that is on its way, at either end", () => {
    deepEqual(nodesOf(cut)[1]!.open, [{ slot: 0, peer: "8e53a0470f2047d32d13ac8f92c5ef60a15ce688", way: "out" }]);
    deepEqual(nodesOf("8e53 10.0.0.4:6379@16379 myself,master - 0 0 7 connected 5000 [0-<-4357] [5462-<-d90c]")[0],
      { id: "8e53", address: "10.0.0.4", flags: ["myself", "master"], epoch: 7, connected: true, slots: "5000", open: [{ slot: 0, peer: "4357", way: "in" }, { slot: 5462, peer: "d90c", way: "in" }] });
  });

  it("tells an address of IPv6, and beside one a name", () => {
    deepEqual(nodesOf("a fd00::7:6379@16379 master - 0 0 1 connected\nb 10.0.0.4:6379@16379,orders-1-1 master - 0 0 1 connected").map(({ address }) => address), ["fd00::7", "10.0.0.4"]);
  });

  it("tells who is being met, who is nowhere, who failed, and of whom that is soon known", () => {
    const nodes = nodesOf("a 10.0.0.1:6379@16379 handshake - 0 0 0 disconnected\nb :0@0 slave,noaddr c 0 0 1 disconnected\nc 10.0.0.3:6379@16379 master,fail - 0 0 1 disconnected 0-5\nd 10.0.0.4:6379@16379 master,fail? - 0 0 1 connected\ne 10.0.0.5:6379@16379 master - 0 0 1 disconnected 6-9\nf 10.0.0.6:6379@16379 myself,slave e 0 0 1 disconnected");
    deepEqual(nodes.map(isKnown), [false, false, true, true, true, true]);
    deepEqual(nodes.map(hasFailed), [false, true, true, false, false, false]);
    deepEqual(nodes.map(isInDoubt), [true, false, false, true, true, false]);
    deepEqual(nodes.map(({ address }) => address), ["10.0.0.1", undefined, "10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6"]);
  });

  it("is the same of nodes that agree whose the slots are, in whatever order and however they tell them", () => {
    equal(signature(nodesOf("a x:1@1 master - 0 0 1 connected 0-5 6-9\nb y:1@1 slave a 0 0 1 connected")), signature(nodesOf("b y:1@1 myself,slave a 0 0 1 connected\na x:1@1 myself,master - 0 0 1 connected 0-9")));
    notEqual(signature(nodesOf("a x:1@1 master - 0 0 1 connected 0-9")), signature(nodesOf("a x:1@1 master - 0 0 1 connected 0-8")));
  });
});
