import { deepEqual } from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import execa from "execa";
import { connect, type Connection } from "../provider/guest/ssh";
import { optionsText } from "../provider/datastores/galera/configuration";
import type { Stack } from "../demo/stack";
import type { Engine } from "../tools/engine";
import { begin } from "./interruption";
import { judged, measure, median, table, type Measured } from "./measure";
import { inTurn, resourcesOf, stackOf, type Kind } from "./stacks";

const rounds = 3;
const names = [1, 2, 3].map((number) => `shop1-${number}`);

interface Life extends Measured {
  /** Of `seconds`, what the shell took after `pulumi up`. */
  shell?: number;
  /** Logins to each guest until the cluster was there. */
  logins: number[];
}

/** From nothing to three Synced members: by plain resources and the shortest shell script, and by ours. Each is looked at when it says that it is ready. */
export async function cluster(engine: Engine, folder: string): Promise<string> {
  const lives: Record<Kind, Life[]> = { plain: [], ours: [] };
  const resources: Partial<Record<Kind, Record<string, number>>> = {};
  for (let round = 0; round <= rounds; round++)
    for (const kind of inTurn(round)) {
      const stack = await stackOf(kind, engine, folder, { clusters: 1, members: 3 });
      const life = await live(kind, stack, folder);
      resources[kind] = await resourcesOf(stack);
      await stack.pulumi(["destroy", "--yes", "--skip-preview", "--remove"]);
      console.error(`${round === 0 ? "to warm up" : `round ${round}`}, ${kind}: ${life.seconds.toFixed(1)} s`);
      if (round > 0) lives[kind].push(life);
    }
  deepEqual(resources.ours, resources.plain);
  return told(lives);
}

async function live(kind: Kind, stack: Stack, folder: string): Promise<Life> {
  const life: Life = { ...await measure(stack.pulumi(["up", "--yes", "--skip-preview"])), logins: [] };
  const addresses = (JSON.parse((await stack.pulumi(["stack", "output", "addresses", "--json"])).stdout) as string[][])[0]!;
  if (kind === "plain") {
    const scratch = join(folder, "shell");
    rmSync(scratch, { recursive: true, force: true });
    mkdirSync(scratch, { mode: 0o700 });
    const members = names.map((name, index) => ({ name, address: addresses[index]!, server: "", volume: "" }));
    for (const self of members)
      writeFileSync(join(scratch, `${self.address}.cnf`), optionsText({ owner: { project: "", stack: "", cluster: "shop1" }, members, options: { vendor: "mariadb", configuration: {} } }, self, { certificate: "" }));
    const shell = await measure(begin(() => execa(join(__dirname, "cluster.sh"), [stack.keyFile, scratch, ...addresses], { detached: true }), true));
    Object.assign(life, { seconds: life.seconds + shell.seconds, shell: shell.seconds });
  }
  const connections = await Promise.all(addresses.map((address, index) =>
    connect({ name: names[index]!, address }, { run: "", access: { user: "debian", privateKey: readFileSync(stack.keyFile, "utf8") }, secrets: [], say: () => undefined })));
  try {
    life.logins = await Promise.all(connections.map(whole));
  } finally {
    connections.forEach((connection) => connection.close());
  }
  return life;
}

/** Throws where a member is not what both ways promise; answers how often somebody logged in before this look. */
async function whole({ guest }: Connection): Promise<number> {
  const asked = ["wsrep_cluster_size", "wsrep_cluster_status", "wsrep_local_state_comment"];
  const rows = await guest.look(`mariadb -NBe "SHOW STATUS WHERE Variable_name IN ('${asked.join("', '")}')" | sort; findmnt -no FSTYPE /var/lib/datastore; systemctl is-enabled mariadb; journalctl -q -t sshd -g '^Accepted publickey' | wc -l`);
  const [size, status, state, fileSystem, enabled, logins] = rows.trim().split("\n").map((row) => row.split("\t").at(-1));
  deepEqual([size, status, state, fileSystem, enabled], ["3", "Primary", "Synced", "xfs", "enabled"]);
  return Number(logins) - 1;
}

function told({ plain, ours }: Record<Kind, Life[]>): string {
  const all = (lives: Life[]) => median(lives.map(({ seconds }) => seconds));
  const [a, b] = [all(plain), all(ours)];
  const row = (what: string, lives: Life[], seconds: number) => [what, seconds, `${lives.map((life) => life.seconds.toFixed(1)).join(", ")}`, Math.max(...lives.map(({ mebibytes }) => mebibytes)), [...new Set(lives.flatMap(({ logins }) => logins))].sort().join(", ")];
  const middle = ours.find(({ seconds }) => seconds === b)!;
  return `### From nothing to three Synced members

${table(["", "seconds, median", "each", "peak MiB of `pulumi up`", "logins to a guest"], [row("(a) plain resources, then the shortest shell script", plain, a), row("(b) ours", ours, b)])}

${judged("(b)/(a)", b / a, 1.25)}
${judged("Logins of (b) to a guest", Math.max(...ours.flatMap(({ logins }) => logins)), 1)}

Of (a), the script takes ${median(plain.map(({ shell }) => shell!)).toFixed(1)} s. Of (b):

${table(["until", "seconds", "since the last"], passages(middle))}`;
}

/** Where the time of a life went, by what the run itself said. At its end Pulumi says all of it once more. */
function passages({ lines: all, seconds }: Life): (string | number)[][] {
  const again = all.findIndex(({ line }) => line.startsWith("Diagnostics:"));
  const lines = again < 0 ? all : all.slice(0, again);
  const marks: [string, number][] = [];
  const first = (what: string, pattern: RegExp) => {
    const found = lines.find(({ line }) => pattern.test(line));
    if (found) marks.push([what, found.at]);
  };
  const last = (what: string, pattern: RegExp) => {
    const found = lines.filter(({ line }) => pattern.test(line)).at(-1);
    if (found) marks.push([what, found.at]);
  };
  first("the first resource is being made", / creating/);
  last("all servers are ACTIVE", /compute:Instance .* created/);
  last("all volumes are attached", /compute:VolumeAttach .* created/);
  last("all guests let us in", /shows the host key/);
  first("all were looked at, and there is a plan", /\] plan: /);
  for (const { at, line } of lines) {
    const step = /\] step \d+\/\d+ (.*): done in /.exec(line);
    if (step) marks.push([`\`${step[1]}\``, at]);
  }
  marks.push(["the end", seconds]);
  return marks.sort((x, y) => x[1] - y[1]).map(([what, at], index, sorted) => [what, at, at - (sorted[index - 1]?.[1] ?? 0)]);
}
