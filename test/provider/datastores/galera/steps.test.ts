import { deepEqual, match, rejects } from "node:assert/strict";
import { steps } from "../../../../provider/datastores/galera/steps";
import type { Guest } from "../../../../provider/guest/guest";
import { cluster, member } from "../../cluster";

interface View { state: string; size: number; conf?: number; primary?: boolean }

/** Guests whose servers answer with one view each, for as long as they are asked. */
function guests(views: Record<string, View | undefined>, unit = "ActiveState=active\nResult=success") {
  const ran: string[] = [];
  const guest = (name: string): Guest => ({
    name, say: () => undefined,
    look: async (command) => {
      const view = views[name];
      if (command.includes("systemctl show")) return unit;
      if (command.includes("is-active")) return view ? "active\n" : "inactive\n";
      if (command.includes("journalctl")) return "not started: /var/lib/datastore is not the data volume\n";
      return !view ? "" : [["cluster_status", view.primary === false ? "non-Primary" : "Primary"], ["local_state_comment", view.state], ["cluster_size", view.size],
        ["cluster_state_uuid", "A"], ["cluster_conf_id", view.conf ?? 7], ["ready", "ON"]].map(([key, value]) => `wsrep_${key}\t${value}`).join("\n");
    },
    run: async (command) => { ran.push(command); return ""; },
    write: async (path) => { ran.push(`write ${path}`); return true; },
  });
  const three = cluster(["db-1", "db-2", "db-3"], { configuration: {} }, async (name) => guest(name));
  return { three, ran };
}

describe("galera steps", () => {
  it("a join passes its gate while another member is still in the transfer that a dead run began", async () => {
    const { three } = guests({ "db-1": { state: "Synced", size: 3 }, "db-2": { state: "Synced", size: 3 } });
    await steps.join(three, member("db-2"));
  });

  it("a join finds the cluster in its donor alone", async () => {
    const views: Record<string, View> = { "db-1": { state: "Donor/Desynced", size: 2 }, "db-2": { state: "Synced", size: 2 } };
    const { three, ran } = guests(views);
    const joined = steps.join(three, member("db-2"));
    setTimeout(() => { views["db-1"] = { state: "Synced", size: 2 }; }, 300);
    await joined;
    match(ran.join("\n"), /systemctl start --no-block mariadb/);
  });

  it("a join is refused when no cluster runs: it could start one", async () => {
    const { three, ran } = guests({ "db-1": { state: "Synced", size: 1, primary: false } });
    await rejects(steps.join(three, member("db-2")), { name: "Refused", message: /a member joins a cluster that runs/ });
    deepEqual(ran, []);
  });

  it("a bootstrap is refused when a server runs on any member", async () => {
    const { three, ran } = guests({ "db-3": { state: "Initialized", size: 0, primary: false } });
    await rejects(steps.bootstrap(three, member("db-1")), { name: "Refused", message: /MariaDB on db-3 is active/ });
    deepEqual(ran, []);
  });

  it("a server that gave up ends the wait at once, with what its journal says", async () => {
    const { three } = guests({}, "ActiveState=failed\nResult=exit-code");
    await rejects(steps.verify(three, member("db-1")), /MariaDB does not start on db-1: not started: \/var\/lib\/datastore is not the data volume/);
  });
});
