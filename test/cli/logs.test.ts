import { deepEqual, equal, match } from "node:assert/strict";
import { Terminal } from "./terminal";

describe("logs", () => {
  let at: Terminal;
  beforeEach(() => { at = new Terminal(); });
  afterEach(() => at.end());
  const listeners = () => process.listenerCount("SIGINT");

  it("prints the journal of the member's database, and asks no other guest", async () => {
    deepEqual(await at.run("logs orders-2"), { code: 0, out: "orders-2 told this\n", error: "" });
    deepEqual([at.fleet.followed, at.fleet.dialled, at.fleet.printed], [["orders-2: journalctl --quiet --no-pager --unit=mariadb.service --lines=50"], ["orders-2"], []]);
  });

  it("prints as many lines as are asked for, of the stack that is named", async () => {
    await at.run("logs orders-1 --lines 7 --cwd /srv/shop --stack prod");
    deepEqual(at.fleet.followed, ["orders-1: journalctl --quiet --no-pager --unit=mariadb.service --lines=7"]);
    deepEqual(at.asked, ["stack export --show-secrets --non-interactive --cwd /srv/shop --stack prod"]);
  });

  it("goes on until Ctrl-C, and ends as a shell tells of that", async () => {
    const before = listeners();
    // Mocha listens to Ctrl-C too, and would end with it.
    const end = () => void setImmediate(() => process.listeners("SIGINT").at(-1)!("SIGINT"));
    deepEqual(await at.run("logs orders-3 --follow", { on: end }), { code: 130, out: "orders-3 told this\n", error: "" });
    deepEqual(at.fleet.followed, ["orders-3: journalctl --quiet --no-pager --unit=mariadb.service --lines=50 --follow"]);
    equal(listeners(), before);
  });

  it("of a member that cannot be reached says why, and leaves Ctrl-C as it was", async () => {
    const before = listeners();
    at.fleet.unreachable.add("orders-1");
    const { code, out, error } = await at.run("logs orders-1 --follow");
    deepEqual([code, out, listeners()], [2, "", before]);
    match(error, /^pulumi-openstack-datastores: waited 10 s for SSH to orders-1 \(198\.18\.0\.11\); last seen: connect ECONNREFUSED\n$/);
  });

  it("of a member that is not there says which are", async () => {
    deepEqual(await at.run("logs orders-9"), { code: 2, out: "", error: "pulumi-openstack-datastores: the stack has no member orders-9; it has orders-1, orders-2, orders-3\n" });
  });
});
