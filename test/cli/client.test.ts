import { deepEqual } from "node:assert/strict";
import { CommandFailed } from "../../provider/errors";
import { Terminal } from "./terminal";

describe("client", () => {
  let at: Terminal;
  let acts: string[];
  beforeEach(() => {
    at = new Terminal();
    acts = [];
    at.fleet.act = (member, command, stdin) => {
      acts.push(`${member}: ${command} ${stdin}`.trim());
      if (stdin.includes("nobody")) throw new CommandFailed(member, command, 1, "ERROR 1064 (42000) at line 1: You have an error in your SQL syntax");
      return command.startsWith("mariadb") ? "| 4 | root |\n" : "";
    };
  });
  afterEach(() => at.end());
  const [asked, given] = ["orders-2: mariadb --table --connect-timeout=5 SHOW PROCESSLIST", "orders-2: rm -f /run/datastores/lease"];

  it("prints what the member's database answers, under the member's lease, and asks no other guest", async () => {
    deepEqual(await at.run("client orders-2 SHOW PROCESSLIST --cwd /srv/shop --stack prod"), { code: 0, out: "| 4 | root |\n", error: "" });
    deepEqual([acts, at.fleet.dialled, at.fleet.leases], [[asked, given], ["orders-2"], ["orders-2: shop/test: client orders-2"]]);
    deepEqual(at.asked, ["stack export --show-secrets --non-interactive --cwd /srv/shop --stack prod"]);
  });

  it("says what the database refuses, and gives the lease back", async () => {
    const { code, out, error } = await at.run("client orders-2 nobody knows this");
    deepEqual([code, out, acts.at(-1)], [2, "", given]);
    deepEqual(error, "pulumi-openstack-datastores: orders-2: `mariadb --table --connect-timeout=5` failed (exit code 1): ERROR 1064 (42000) at line 1: You have an error in your SQL syntax\n");
  });

  it("of a member that is not there says which are", async () => {
    deepEqual(await at.run("client orders-9 SELECT 1"), { code: 2, out: "", error: "pulumi-openstack-datastores: the stack has no member orders-9; it has orders-1, orders-2, orders-3\n" });
  });
});
