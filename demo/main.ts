import { existsSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { cloudsYaml, down, requireMachine, reserve, up } from "../devcloud";
import { engine } from "../tools/engine";
import { members } from "./members";
import { stack, type Stack } from "./stack";

const root = dirname(__dirname);
const folder = join(root, ".demo");
const keep = process.argv.includes("--keep");
const began = Date.now();
const times: [string, number][] = [];

const say = (line: string) => console.log(`[${((Date.now() - began) / 1000).toFixed(0).padStart(4)} s] ${line}`);

let interrupted = false;
let pulumi: ReturnType<Stack["pulumi"]> | undefined;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
  process.on(signal, () => {
    if (!interrupted) say("interrupted: what runs ends first (Ctrl-C again ends it at once), then all is cleaned up");
    interrupted = true;
    // A terminal sends Ctrl-C to all that runs in it; other signals come to us alone.
    if (signal !== "SIGINT") pulumi?.kill("SIGINT");
  });

async function part<T>(name: string, act: () => Promise<T>): Promise<T> {
  if (interrupted && act !== clean) throw new Error("interrupted");
  const start = Date.now();
  console.log(`\n── ${name}`);
  try {
    return await act();
  } finally {
    times.push([name, (Date.now() - start) / 1000]);
  }
}

async function demo(): Promise<void> {
  const [tools] = await part("Get what is missing and start an OpenStack", () => both(engine(say), up(say)));
  const galera = await stack(tools, join(root, "examples/galera"), folder, "demo");
  const shown = (...args: string[]) => (pulumi = galera.pulumi(args, { stdio: "inherit" }));
  await galera.pulumi(["config", "set", "--secret", "privateKey"], { stdin: "pipe", input: readFileSync(galera.keyFile, "utf8") });
  await galera.pulumi(["config", "set-all", "--plaintext", "volumeSize=1", "--plaintext", "keepVolumes=false", "--plaintext", "deletionProtection=false"]);
  await part("pulumi up: three servers become one Galera cluster", () => shown("up", "--yes"));
  await part("What the members themselves say", () => askMembers(galera));
  await part("pulumi preview: nothing to do", () => shown("preview", "--expect-no-changes"));
  if (keep) return tellHowToLookAround(galera);
  await galera.pulumi(["config", "set", "members", "5"]);
  await part("pulumi preview: what members 3 to 5 will do", () => shown("preview"));
  await part("pulumi up: two members join", () => shown("up", "--yes", "--skip-preview"));
  await part("What the members themselves say", () => askMembers(galera));
  await galera.pulumi(["config", "set", "members", "3"]);
  await part("pulumi up: they leave again, then their servers go", () => shown("up", "--yes"));
  await part("pulumi destroy", () => shown("destroy", "--yes"));
}

/** Both must end before either's failure is told: what goes on alone could not be cleaned up. */
async function both<A, B>(a: Promise<A>, b: Promise<B>): Promise<[A, B]> {
  for (const each of [a, b]) each.catch((error) => say(`${told(error)} (what else is under way ends first)`));
  const done = await Promise.allSettled([a, b]);
  for (const each of done) if (each.status === "rejected") throw each.reason;
  return done.map((each) => (each as PromiseFulfilledResult<unknown>).value) as [A, B];
}

async function askMembers(galera: Stack): Promise<void> {
  const cluster = await members(galera);
  try {
    for (const name of cluster.names) {
      const rows = await cluster.sql(name, "SHOW GLOBAL STATUS WHERE Variable_name IN ('wsrep_cluster_size', 'wsrep_cluster_status', 'wsrep_local_state_comment')");
      console.log(`${name}: ${rows.split("\n").map((row) => row.replace("\t", " = ")).join(", ")}`);
    }
    const [first = "", last = ""] = [cluster.names[0], cluster.names.at(-1)];
    await cluster.sql(first, "CREATE OR REPLACE DATABASE shop; CREATE TABLE shop.orders (id INT PRIMARY KEY, what TEXT); INSERT INTO shop.orders VALUES (1, 'one lamp')");
    console.log(`written on ${first}, read on ${last}: ${await cluster.sql(last, "SELECT * FROM shop.orders")}`);
  } finally {
    cluster.close();
  }
}

function tellHowToLookAround({ env, keyFile, program }: Stack): void {
  console.log(`
The cluster and its OpenStack are left up. To look around:
  cd ${program}
  export PATH=${env.PATH!.split(":")[0]}:$PATH PULUMI_HOME=${env.PULUMI_HOME} OS_CLIENT_CONFIG_FILE=${cloudsYaml} OS_CLOUD=devcloud
  export PULUMI_BACKEND_URL=${env.PULUMI_BACKEND_URL} PULUMI_CONFIG_PASSPHRASE_FILE=${env.PULUMI_CONFIG_PASSPHRASE_FILE}
  pulumi stack output
  node ${join(root, "dist/cli/main.js")} status
  ssh -i ${keyFile} debian@ADDRESS       # the addresses are among the outputs
To end it all:
  npm run devcloud -- down`);
}

/** A devcloud goes as a whole, with all servers and volumes: so the demo leaves nothing also when it fails half-way. */
const clean = async (): Promise<void> => {
  await down(say);
  rmSync(folder, { recursive: true, force: true });
};

const told = (error: unknown) => (error instanceof Error ? error.message : String(error));

async function main(): Promise<void> {
  try {
    await requireMachine(say);
    await reserve(say);
    // A demo that was killed or kept leaves half a cluster that no state need know.
    if (existsSync(folder)) await part("Remove what an earlier demo left", clean);
  } catch (error) {
    console.error(told(error));
    process.exit(1);
  }
  try {
    await demo();
  } catch (error) {
    process.exitCode = interrupted ? 130 : 1;
    if (!interrupted) console.error(`\nThe demo failed: ${told(error)}`);
  }
  if (!keep || process.exitCode) await part("Leave nothing behind", clean);
  console.log(`\n${times.map(([name, seconds]) => `${seconds.toFixed(1).padStart(7)} s  ${name}`).join("\n")}`);
  console.log(`${((Date.now() - began) / 1000).toFixed(1).padStart(7)} s  in all`);
}

void main();
