import { deepEqual, doesNotMatch, equal, match, ok } from "node:assert/strict";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import type { ClusterStatus } from "../../cli/status";
import { text } from "../../cli/text";
import { golden } from "../goldens";
import { member } from "../provider/cluster";
import { known, privateKey, rootPassword } from "../provider/document";
import { exported, orders, Terminal } from "./terminal";

const gibibyte = 2 ** 30;
const others = { ...orders, owner: { ...orders.owner, cluster: "stock" }, members: [member("stock-4"), member("stock-5"), member("stock-6")], known: [member("stock-4"), member("stock-5"), member("stock-6")], pins: {} };

describe("status", () => {
  let at: Terminal;
  beforeEach(() => { at = new Terminal(); });
  afterEach(() => at.end());
  const json = async (): Promise<ClusterStatus> => (JSON.parse((await at.run("status --json")).out) as { clusters: [ClusterStatus] }).clusters[0];
  const wrongs = async () => (await json()).wrong.map(({ what }) => what);

  describe("prints a line for each member, and what is wrong", () => {
    const shows = (file: string, code: number, prepare: () => void = () => undefined) => it(file.replaceAll("-", " "), async () => {
      prepare();
      const status = await at.run("status");
      golden(join(__dirname, "tables", `${file}.txt`), status.out);
      deepEqual([status.code, status.error, at.fleet.printed, at.fleet.done], [code, "", [], []]);
    });

    shows("well", 0);
    shows("a-member-is-down", 1, () => at.see({ "orders-1": "synced/2", "orders-2": "whole:95", "orders-3": "synced/2" }));
    shows("a-member-cannot-be-reached", 1, () => { at.see({ "orders-1": "synced/2", "orders-3": "synced/2" }); at.fleet.unreachable.add("orders-2"); });
    shows("a-member-lags", 1, () => { at.vitals["orders-3"] = { local_recv_queue: 213 }; });
    shows("a-disk-is-full", 1, () => { at.used["orders-1"] = 96.5 * gibibyte; });
    shows("a-backup-runs", 0, () => { at.see({ "orders-3": "donor" }); at.vitals["orders-3"] = { local_recv_queue: 213 }; });
    shows("a-member-joins", 1, () => at.see({ "orders-3": "joining" }));
    shows("the-network-is-cut", 1, () => at.see({ "orders-1": "synced/2", "orders-2": "synced/2", "orders-3": "split/1" }));
    shows("all-lost-power", 1, () => at.see({ "orders-1": "whole:-1,unasked", "orders-2": "whole:-1,unasked", "orders-3": "whole:95" }));
    shows("two-histories", 1, () => at.see({ "orders-3": "whole@B:95" }));
    shows("stopped", 0, () => {
      at.pulumi({ prints: JSON.stringify(exported([{ ...orders, state: "stopped" }])) });
      at.see({ "orders-1": "whole:95,held", "orders-2": "whole:95,held", "orders-3": "whole:95,held,safe" });
    });
    shows("a-start-was-cut", 1, () => at.see({ "orders-1": "whole:95,held", "orders-2": "whole:95,held", "orders-3": "synced/1" }));
    shows("a-run-was-cut-while-a-member-left", 1, () => {
      at.pulumi({ prints: JSON.stringify(exported([{ ...orders, status: "failed", members: orders.members.slice(0, 2), owner: orders.owner }])) });
      at.see({ "orders-1": "synced/2", "orders-2": "synced/2", "orders-3": "whole:95" });
    });
    shows("an-upgrade-was-cut", 1, () => {
      const servers = { ...orders.servers, image: "debian-13" };
      at.pulumi({ prints: JSON.stringify(exported([{ ...orders, status: "failed", options: { ...orders.options, version: "11.8" }, servers, images: { "orders-1": "debian-12", "orders-2": "debian-13", "orders-3": "debian-12" } }])) });
      at.see({ "orders-1": "synced,is=10.11", "orders-2": "synced,is=11.8", "orders-3": "synced,is=10.11" });
    });
    shows("another-authority-is-trusted-by-all", 0, () => {
      at.pulumi({ prints: JSON.stringify(exported([{ ...orders, authorities: ["2"] }])) });
      at.see({ "orders-1": "synced,by=2", "orders-2": "synced,by=2", "orders-3": "synced,by=2" });
    });
    shows("a-run-is-under-way", 1, () => {
      at.see({ "orders-3": "starting" });
      at.leases["orders-2"] = "shop/test: replace orders-3, on laptop, since 2026-11-24T01:17:29.878Z";
    });
  });

  it("takes a glance only, one connection a guest, by the pins of the state, with little patience", async () => {
    await at.run("status");
    deepEqual([at.fleet.glanced.sort(), [...at.fleet.dialled].sort()], [["orders-1", "orders-2", "orders-3"], ["orders-1", "orders-2", "orders-3"]]);
    deepEqual(at.fleet.patience, { "orders-1": 10, "orders-2": 10, "orders-3": 10 });
  });

  it("is exactly this for machines", async () => {
    at.see({ "orders-1": "synced/2", "orders-2": "whole:95", "orders-3": "synced/2" });
    at.vitals["orders-3"] = { local_recv_queue: 3 };
    const { code, out, error } = await at.run("status --json");
    deepEqual([code, error], [1, ""]);
    const well = { role: "in cluster", state: "Synced", leaving: false, disk: { used: 12 * gibibyte, size: 100 * gibibyte }, version: "10.11.19" };
    deepEqual(JSON.parse(out), { clusters: [{
      name: "orders", datastore: "galera", well: false, underWay: null,
      members: [
        { ...well, name: "orders-1", address: "198.18.0.11", lag: { words: "0 writes", waiting: 0, paused: 0 } },
        { ...well, name: "orders-2", address: "198.18.0.12", role: "down", state: "failed", lag: null },
        { ...well, name: "orders-3", address: "198.18.0.13", lag: { words: "3 writes", waiting: 3, paused: 0 } },
      ],
      plan: ["join orders-2", "verify orders-1 orders-2 orders-3"],
      wrong: [
        { member: "orders-2", what: "MariaDB does not run on orders-2: its unit is failed", next: "npx pulumi-openstack-datastores logs orders-2" },
        { member: null, what: "as it is now, the next run would do: join orders-2; verify orders-1 orders-2 orders-3", next: "pulumi refresh && pulumi up" },
      ],
    }] });
  });

  it("of a well stack is exit code 0 for machines too, and nothing is wrong", async () => {
    equal((await at.run("status --json")).code, 0);
    deepEqual(await json().then(({ well, plan, wrong }) => ({ well, plan, wrong })), { well: true, plan: [], wrong: [] });
  });

  it("names the folder and the stack in each command to go on with", async () => {
    at.see({ "orders-1": "synced/2", "orders-2": "whole:95", "orders-3": "synced/2" });
    const { out } = await at.run("status --cwd /srv/shop --stack acme/shop/prod");
    deepEqual(at.asked, ["stack export --show-secrets --non-interactive --cwd /srv/shop --stack acme/shop/prod"]);
    for (const command of ["npx pulumi-openstack-datastores logs orders-2", "pulumi refresh", "pulumi up"]) ok(out.includes(`${command} --cwd /srv/shop --stack acme/shop/prod`), out);
  });

  it("goes through the bastion where there is one, as root where that is the user", async () => {
    at.used["orders-1"] = 96 * gibibyte;
    for (const [access, words] of [[{ ...orders.access, bastion: { host: "203.0.113.7", user: "jump", port: 2222 } }, "ssh -J jump@203.0.113.7:2222 debian@198.18.0.11 'sudo du -xh"], [{ ...orders.access, user: "root" }, "ssh root@198.18.0.11 'du -xh"]] as const) {
      at.pulumi({ prints: JSON.stringify(exported([{ ...orders, access }])) });
      ok((await json()).wrong[0]!.next!.startsWith(words));
    }
  });

  it("trusts no bastion but the one that is pinned in the state", async () => {
    const bastion = { host: "203.0.113.7", user: "jump", port: 2222 };
    at.pulumi({ prints: JSON.stringify(exported([{ ...orders, access: { ...orders.access, bastion }, pins: { ...orders.pins, "203.0.113.7:2222": "SHA256:of-before" } }])) });
    for (const command of ["status", "logs orders-1"]) {
      delete at.fleet.accepted.bastion;
      await at.run(command);
      deepEqual(at.fleet.accepted.bastion, ["SHA256:of-before"], command);
    }
  });

  it("foretells nothing and looks into no volume while a run is under way, which is no fault", async () => {
    at.leases["orders-1"] = "shop/test: members 3 to 5, on laptop";
    const { underWay, well } = await json();
    deepEqual([underWay, well, at.fleet.glanced], ["shop/test: members 3 to 5, on laptop", true, []]);
  });

  it("says that the last run did not end, with what is left to do, or when that is nothing", async () => {
    at.pulumi({ prints: JSON.stringify(exported([{ ...orders, status: "failed" }])) });
    deepEqual(await wrongs(), ["the last `pulumi up` did not come to its end"]);
    at.see({ "orders-2": "ready" });
    deepEqual((await wrongs()).slice(1), ["the last `pulumi up` did not come to its end", "as it is now, the next run would do: join orders-2; verify orders-1 orders-2 orders-3"]);
  });

  it("prints a refusal as the refusal, in place of a plan", async () => {
    at.see({ "orders-2": "emptied" });
    const { plan, wrong } = await json();
    deepEqual(plan, []);
    match(wrong.at(-1)!.what, /^refused: a member whose data vanished .*Way forward: /);
    equal(wrong.at(-1)!.next, null);
  });

  it("of no guest that can be reached still says where each should be", async () => {
    for (const { name } of known.members) at.fleet.unreachable.add(name);
    const { code, out } = await at.run("status");
    equal(code, 1);
    for (const { name, address, server } of known.members) ok(out.includes(name) && out.includes(address) && out.includes(`openstack server show ${server}`));
  });

  it("of one whose disk does not answer is unreachable in that alone", async () => {
    const { answer } = at.fleet;
    at.fleet.answer = (name, command) => {
      if (name === "orders-2" && command.includes("df ")) throw new Error("orders-2: `df` failed (exit code 124): it did not end within 60 s");
      return answer(name, command);
    };
    deepEqual((await json()).members.map(({ role }) => role), ["in cluster", "unreachable", "in cluster"]);
    match((await wrongs())[0]!, /^orders-2 cannot be looked at: .*did not end within 60 s$/);
  });

  describe("of a stack with several clusters", () => {
    beforeEach(() => {
      at.end();
      at = new Terminal([orders, others]);
    });

    it("shows all of them, and one that is not well makes the exit code", async () => {
      const { code, out } = await at.run("status");
      equal(code, 0);
      match(out, /orders \(galera, 3 members\)[^]*all well\n\nstock \(galera, 3 members\)[^]*all well\n$/);
      at.see({ "stock-5": "whole:9" });
      equal((await at.run("status")).code, 1);
    });

    it("shows the one that is named, and asks no other's guests", async () => {
      const { out } = await at.run("status --cluster stock");
      doesNotMatch(out, /orders/);
      deepEqual(at.fleet.dialled.filter((name) => !name.startsWith("stock-")), []);
    });

    it("says which there are when another is named", async () => {
      const { code, out, error } = await at.run("status --cluster sales");
      deepEqual([code, out, error], [2, "", "pulumi-openstack-datastores: the stack has no cluster sales; it has orders, stock\n"]);
    });
  });

  describe("in colours", () => {
    it("says the same, red where something is wrong and green where not", async () => {
      at.see({ "orders-1": "synced/2", "orders-2": "whole:95", "orders-3": "synced/2" });
      const [plain, coloured] = [await at.run("status"), await at.run("status", { colours: true })];
      equal(stripVTControlCharacters(coloured.out), plain.out);
      ok(coloured.out.includes("\u001b[31mdown") && coloured.out.includes("\u001b[32min cluster"));
      equal(plain.out.includes("\u001b"), false);
    });
  });

  it("hands nothing to the terminal that it would obey, whatever a guest says", () => {
    const evil = "one\u001b]0;title\u0007\ntwo\u009b2J";
    const status: ClusterStatus = { name: "orders", datastore: "galera", well: false, underWay: evil, plan: [], wrong: [{ member: "orders-1", what: evil, next: null }],
      members: [{ name: "orders-1", address: "192.0.2.1", leaving: false, role: "silent", state: evil, lag: null, disk: null, version: null }] };
    const printed = text(status, false);
    doesNotMatch(printed.replaceAll("\n", ""), /\p{Cc}/u);
    equal(printed.split("one ]0;title two 2J").length, 4);
  });

  it("prints no secret, whatever is wrong", async () => {
    at.see({ "orders-1": "emptied", "orders-2": "foreign", "orders-3": "split" });
    at.used["orders-1"] = 100 * gibibyte;
    for (const command of ["status", "status --json"]) {
      const { out, error } = await at.run(command);
      for (const secret of [rootPassword, privateKey, "PRIVATE KEY", known.authority.key]) ok(!`${out}${error}`.includes(secret), secret);
    }
  });

  describe("that cannot look says so in one line, and ends with 2", () => {
    const says = (what: string, prepare: () => void, line: RegExp, command = "status --json") => it(what, async () => {
      prepare();
      const { code, out, error } = await at.run(command);
      deepEqual([code, out], [2, ""]);
      match(error, line);
      equal(error.trim().split("\n").length, 1);
      for (const secret of [rootPassword, "PRIVATE KEY"]) ok(!error.includes(secret), error);
    });

    says("without pulumi", () => at.without(), /^pulumi-openstack-datastores: there is no `pulumi` on PATH: install it as https:/);
    says("of a stack without a cluster", () => at.pulumi({ prints: JSON.stringify(exported([])) }), /the stack has no cluster of this package; `pulumi up` /);
    says("of a stack that nothing was made in yet", () => at.pulumi({ prints: '{"version":3,"deployment":{"manifest":{}}}' }), /the stack has no cluster of this package/);
    says("when pulumi prints no JSON, of which it shows nothing", () => at.pulumi({ prints: `${rootPassword} ${privateKey}` }), /pulumi stack export printed no state with its secrets that can be read$/m);
    says("when pulumi does not reveal the secrets", () => at.pulumi({ prints: JSON.stringify(exported([orders])).replaceAll('"plaintext"', '"ciphertext"') }), /pulumi stack export printed no state with its secrets that can be read$/m);
    says("when pulumi says nothing", () => at.pulumi({ code: 255 }), /pulumi stack export: it ended with 255 and said nothing/);
    says("of a state of another version", () => at.pulumi({ prints: JSON.stringify(exported([{ ...orders, stateVersion: 2 as never }])) }), /the state of orders is not as this version of the package writes it: use the version that made it: .*stateVersion/);
  });
});
