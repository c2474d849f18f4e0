import { deepEqual, equal, match } from "node:assert/strict";
import { report } from "../../../../provider/datastores/galera/report";
import type { Guest } from "../../../../provider/guest/guest";
import { cluster, member } from "../../cluster";
import { status } from "./look";

/** What a server says at each of two looks, what systemd says of its unit, and what else lies on the guest. */
interface Answers { unit?: string; views?: [string, string?]; transfer?: boolean; package?: string; held?: boolean; wanted?: "stopped" }

const vitals = (more: Record<string, string | number> = {}) => `${status({
  local_recv_queue: 0, flow_control_paused_ns: 5_000_000_000, flow_control_sent: 7,
  provider_options: "base_dir = /var/lib/mysql/; gcs.fc_limit = 16; gcs.fc_single_primary = no; pc.weight = 1", ...more,
})}\nversion\t10.11.19-MariaDB-0+deb12u1\n`;

async function told({ unit = "active", views = [vitals()], transfer = false, package: installed = "1:10.11.19-0+deb12u1\n", held = false, wanted }: Answers) {
  const commands: string[] = [];
  const guest: Guest = {
    name: "db-2", say: () => undefined,
    run: () => Promise.reject(new Error("a report changes nothing")),
    write: () => Promise.reject(new Error("a report changes nothing")),
    look: async (command) => {
      commands.push(command);
      if (command.includes("-p ActiveState -p Job")) return `ActiveState=${unit}\nJob=\n`;
      if (command.includes("SHOW GLOBAL STATUS")) return views.filter(Boolean).join("---\n");
      if (command.includes("echo held")) return held ? "held\n" : "";
      if (command.includes("sst_in_progress")) return transfer ? "yes\n" : "";
      if (command.includes("dpkg-query")) return installed;
      throw new Error(`nobody asks ${command}`);
    },
  };
  const of = cluster(["db-1", "db-2", "db-3"], {}, async () => guest);
  return { commands, ...(await report({ ...of, want: { ...of.want, state: wanted } }, member("db-2"))) };
}

describe("galera report", () => {
  it("of a member that is well", async () => {
    const { commands: [, server], ...all } = await told({});
    deepEqual(all, { role: "in cluster", state: "Synced", lag: { words: "0 writes", measures: { waiting: 0, paused: 0 } }, version: "10.11.19", wrong: undefined });
    match(server!, /sleep 1/);
  });

  it("of one that is Synced and takes no statements says so", async () => {
    const { role, wrong } = await told({ views: [vitals({ ready: "OFF" })] });
    deepEqual([role, wrong], ["in cluster", { what: "db-2 is Synced and takes no statements: its wsrep_ready is OFF", shownBy: "mariadb -e \"SHOW GLOBAL STATUS LIKE 'wsrep_%'\"" }]);
  });

  it("of a donor finds nothing wrong, however far it is behind", async () => {
    const donor = vitals({ local_state_comment: "Donor/Desynced", local_recv_queue: 5000 });
    const { role, state, lag, wrong } = await told({ views: [donor, donor] });
    deepEqual([role, state, lag!.words, wrong], ["donor", "Donor/Desynced", "5000 writes", undefined]);
  });

  for (const [state, role] of [["Joining: receiving State Transfer", "joining"], ["Joined", "joining"]] as const)
    it(`of one that is ${state} says that it has still to catch up`, async () => {
      const { wrong, ...said } = await told({ views: [vitals({ local_state_comment: state })] });
      deepEqual([said.role, said.state, wrong!.what], [role, state, "db-2 has still to catch up with the cluster"]);
    });

  it("of one that is kept stopped finds that wrong only where it is to run", async () => {
    const { commands: _, ...stopped } = await told({ unit: "inactive", held: true, wanted: "stopped" });
    deepEqual(stopped, { role: "stopped", state: "held", version: "10.11.19" });
    deepEqual((await told({ unit: "inactive", held: true })).wrong, { what: "MariaDB on db-2 is kept stopped, and is to run" });
  });

  it("of one without a majority says how many it sees", async () => {
    const { role, state, wrong } = await told({ views: [vitals({ cluster_status: "non-Primary", local_state_comment: "Initialized", cluster_size: 1 })] });
    deepEqual([role, state], ["outside", "Initialized, non-Primary"]);
    match(wrong!.what, /^db-2 runs outside of the cluster and takes no statements: it sees 1 member, itself too/);
  });

  for (const unit of ["inactive", "failed", "unknown"])
    it(`of one whose unit is ${unit} is not asked of its server, and tells the version that would run`, async () => {
      const { role, state, lag, version, wrong, commands } = await told({ unit });
      deepEqual([role, state, lag, version, wrong!.what], ["down", unit, undefined, "10.11.19", `MariaDB does not run on db-2: its unit is ${unit}`]);
      equal(commands.some((command) => command.includes("mariadb --")), false);
    });

  it("of a guest on which nothing is installed tells no version", async () => equal((await told({ unit: "inactive", package: "" })).version, undefined));

  const refuses = "ERROR 2002 (HY000): Can't connect to local server through socket '/run/mysqld/mysqld.sock' (2)\n";
  for (const [unit, transfer, role] of [["activating", true, "joining"], ["activating", false, "starting"], ["deactivating", false, "stopping"], ["active", false, "silent"]] as const)
    it(`of one that is ${unit}${transfer ? " in a state transfer" : ""} and does not answer says ${role}`, async () => {
      const { wrong, ...said } = await told({ unit, transfer, views: [refuses] });
      equal(said.role, role);
      if (role === "silent") match(wrong!.what, /does not answer root on its socket: ERROR 2002/);
    });

  it("of one that ends between the two looks tells what the first saw", async () =>
    deepEqual([(await told({ views: [vitals(), refuses] })).role, (await told({ views: [vitals(), refuses] })).state], ["in cluster", "Synced"]));

  describe("of the lag", () => {
    const lag = async (was: Record<string, string | number>, is: Record<string, string | number>) => {
      const { lag: { words, measures } = { words: "", measures: {} }, wrong } = await told({ views: [vitals(was), vitals(is)] });
      return { words, measures, wrong };
    };

    it("counts what still waits after a second", async () => {
      const { words, measures, wrong } = await lag({ local_recv_queue: 500 }, { local_recv_queue: 1 });
      deepEqual([words, measures, wrong], ["1 write", { waiting: 1, paused: 0 }, undefined]);
    });

    it("finds wrong more than Galera lets wait before it holds the others up: its limit grows with the cluster", async () => {
      for (const [waiting, options, isWrong] of [
        [27, "gcs.fc_limit = 16; gcs.fc_single_primary = no", false], [28, "gcs.fc_limit = 16; gcs.fc_single_primary = no", true],
        [16, "gcs.fc_limit = 16; gcs.fc_single_primary = yes", false], [17, "gcs.fc_limit = 16; gcs.fc_single_primary = yes", true],
        [28, "gcs.fc_limit = 500", false], [17, "gcs.fc_limit = 16; gcs.fc_master_slave = YES", true],
      ] as const) {
        const view = { local_recv_queue: waiting, provider_options: options };
        equal((await lag(view, view)).wrong !== undefined, isWrong, `${waiting} of ${options}`);
      }
    });

    it("tells for how much of the second writes were held up, and blames who asked for it", async () => {
      const since = { flow_control_paused_ns: 5_400_000_000 };
      const other = await lag({}, since);
      deepEqual([other.words, other.measures, other.wrong], ["0 writes, paused 40 %", { waiting: 0, paused: 0.4 }, undefined]);
      const { wrong } = await lag({}, { ...since, flow_control_sent: 19 });
      deepEqual(wrong, { what: "db-2 applies writes slower than they come: 0 wait, and for 40 % of the second that was looked at the cluster took no other", shownBy: 'mariadb -e "SHOW FULL PROCESSLIST"' });
    });

    it("makes nothing of a pause that nobody feels", async () =>
      equal((await lag({}, { flow_control_paused_ns: 5_050_000_000, flow_control_sent: 8 })).wrong, undefined));
  });
});
