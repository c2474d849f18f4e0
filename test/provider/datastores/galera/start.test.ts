import { deepEqual, equal, match } from "node:assert/strict";
import execa from "execa";
import { steps } from "../../../../provider/datastores/galera/steps";
import { fast } from "../../clock";
import { member } from "../../cluster";
import { needsRoot } from "../../guest/box";
import { nil, uuid } from "./look";
import { guests, running } from "./servers";

/** What is written below a guest's data directory and in its /run, by path; and what a start of it leaves there. */
type Files = Record<string, string>;

describe("galera steps: what a start makes of the data", () => {
  before(needsRoot);

  /** Runs the step's own commands on a guest's files, where systemd only says what it is told. */
  async function started(step: "bootstrap" | "recover" | "join", files: Files): Promise<{ exitCode: number; told: string; left: Files }> {
    const { three, ran } = guests(step === "join" ? running("db-2", "db-3") : {});
    await fast(() => steps[step](three, member("db-1"))).catch(() => undefined);
    const script = ran.find((line) => /galera_new_cluster|systemctl start/.test(line))!.replace(/^db-1 runs /, "");
    const { exitCode, stdout } = await execa("unshare", ["--mount", "--propagation", "private", "/bin/bash", "--norc", "-euc",
      `mount -t tmpfs none /var/lib; mount -t tmpfs none /run; mount -t tmpfs none /usr/local; mkdir -p /var/lib/datastore/mysql /run/datastores /usr/local/bin /usr/local/lib/datastores
for name in systemctl systemd-run chown; do printf '#!/bin/sh\\necho "$0 $*" >>/run/told\\n[ "$1" != is-active ] || echo inactive\\n' >/usr/local/bin/$name; done
printf '#!/bin/sh\\n' >/usr/local/lib/datastores/settle
chmod +x /usr/local/bin/* /usr/local/lib/datastores/*; export PATH=/usr/local/bin:$PATH
while read -r name; do read -r text; base64 -d <<<"$text" >"$name"; done
code=0; /bin/bash -euo pipefail -c "$0" || code=$?
cat /run/told 2>/dev/null || true; echo ---; cd /var/lib/datastore/mysql; for name in *; do echo "$name=$(base64 -w0 "$name")"; done; exit $code`, script],
    { reject: false, input: Object.entries(files).map(([name, text]) => `${name}\n${Buffer.from(text).toString("base64")}\n`).join("") });
    const [told = "", left = ""] = stdout.split("---\n");
    return { exitCode, told, left: Object.fromEntries(left.trim().split("\n").map((line) => line.split(/=(.*)/s)).map(([name, text]) => [name!, Buffer.from(text!, "base64").toString()])) };
  }

  const data = (state: string, more: Files = {}): Files => ({
    "/var/lib/datastore/mysql/ibdata1": "rows", "/var/lib/datastore/mysql/galera.cache": "writes", "/var/lib/datastore/mysql/grastate.dat": state, ...more,
  });
  const file = (id: string, seqno: number, safe: number) => `# GALERA saved state\nversion: 2.1\nuuid:    ${id}\nseqno:   ${seqno}\nsafe_to_bootstrap: ${safe}\n`;
  const position = { "/run/datastores/position": `2026-11-23 [Note] WSREP: Recovered position: ${uuid}:42,0-1-7\n` };

  it("keeps what a graceful end left, and lets it start", async () => {
    const { exitCode, told, left } = await started("recover", data(file(uuid, 95, 0)));
    equal(exitCode, 0);
    match(told, /galera_new_cluster/);
    deepEqual(left, { ibdata1: "rows", "galera.cache": "writes", "grastate.dat": file(uuid, 95, 1) });
  });

  it("gives torn data their history back, and nobody writes to join by", async () => {
    const { exitCode, left } = await started("recover", data(file(nil, -1, 0), position));
    equal(exitCode, 0);
    deepEqual(left, { ibdata1: "rows", "grastate.dat": file(uuid, -1, 1) });
  });

  it("gives data without Galera's file one", async () => {
    const restored = data("", position);
    delete restored["/var/lib/datastore/mysql/grastate.dat"];
    deepEqual((await started("recover", restored)).left, { ibdata1: "rows", "grastate.dat": file(uuid, -1, 1) });
  });

  it("never begins another history over data whose own nobody tells", async () => {
    for (const more of [{}, { "/run/datastores/position": "" }] as Files[]) {
      const { exitCode, told, left } = await started("recover", data(file(nil, -1, 0), more));
      deepEqual([exitCode === 0, told.includes("galera_new_cluster"), left["grastate.dat"]], [false, false, file(nil, -1, 0)]);
    }
  });

  it("begins one over data that were made for it and that nobody wrote to", async () => {
    const { exitCode, told } = await started("bootstrap", data(file(nil, -1, 0), { "/var/lib/datastore/mysql/unsecured": "" }));
    deepEqual([exitCode, told.includes("galera_new_cluster")], [0, true]);
  });

  it("lets who joins ask for all anew where no transfer is whole on its disk", async () => {
    deepEqual((await started("join", data(file(uuid, -1, 0)))).left, { ibdata1: "rows", "galera.cache": "writes" });
  });

  it("is refused without data", async () => equal((await started("recover", {})).exitCode, 1));
});
