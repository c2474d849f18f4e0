import execa from "execa";
import { relative } from "node:path";
import { styleText } from "node:util";
import { table } from "../cli/table";
import type { Progress } from "../tools/progress";
import * as devcloud from "./index";
import { cloudsYaml } from "./index";

const began = Date.now();
const progress: Progress = (line) => console.log(`[${((Date.now() - began) / 1000).toFixed(1).padStart(5)} s] ${line}`);

interface Command {
  usage: string;
  run(...args: string[]): Promise<void>;
}

const show = (head: string[], rows: (string | number)[][]) => 
  console.log(`${table(head.map((word) => (process.stdout.isTTY ? styleText("bold", word) : word)), rows)}\n`);

/** Names of servers, as `orders-1,orders-2`. */
const servers = (names = "") => names.split(",").filter(Boolean);

const commands: Record<string, Command> = {
  up: {
    usage: "",
    async run() {
      process.once("SIGINT", () => void (interruption = interrupted()));
      await devcloud.up(progress);
      progress("the devcloud is up; to use it:");
      console.log(`  export OS_CLIENT_CONFIG_FILE=${cloudsYaml} OS_CLOUD=devcloud`);
    },
  },
  down: {
    usage: "",
    async run() {
      await devcloud.down(progress);
      progress("the devcloud is gone");
    },
  },
  status: {
    usage: "",
    async run() {
      const found = await devcloud.status();
      if (!found) return console.log("The devcloud is down: `npm run devcloud -- up` starts it.");
      show(["service", "state"], found.services.map(({ name, says }) => [name, says]));
      show(["host", "zone", "servers"], found.hosts.map(({ name, zone, servers }) => [name, zone, servers]));
      show(["server", "state", "host", "flavor", "MiB", "addresses"], found.servers.map((each) => [each.name, each.state, each.host, each.flavor, each.mebibytes, each.addresses]));
      show(["volume", "state", "GiB", "server"], found.volumes.map((each) => [each.name, each.state, each.gibibytes, each.server]));
      console.log(`memory of the control plane: ${found.mebibytes} MiB\nlogs: ${relative(process.cwd(), cloudsYaml).replace("clouds.yaml", "log/")}`);
      if (found.services.some((service) => !service.running)) process.exitCode = 1;
    },
  },
  logs: {
    usage: "SERVICE|SERVER [--follow]",
    async run(name = "", follow) {
      await execa("tail", ["--lines=200", ...(follow === "--follow" ? [follow] : []), await devcloud.logOf(name)], { stdio: "inherit" });
    },
  },
  "power-cut": { usage: "SERVER,…", run: (names) => devcloud.powerCut(servers(names)) },
  "power-on": { usage: "SERVER,…", run: (names) => devcloud.powerOn(servers(names)) },
  freeze: { usage: "SERVER,…", run: (names) => devcloud.freeze(servers(names)) },
  thaw: { usage: "SERVER,…", run: (names) => devcloud.thaw(servers(names)) },
  "cut-network": { usage: "FROM,… TO,…", run: (from, to) => devcloud.cutNetwork(servers(from), servers(to)) },
  "mend-network": { usage: "FROM,… TO,…", run: (from, to) => devcloud.mendNetwork(servers(from), servers(to)) },
  "fill-disk": { usage: "SERVER PATH", run: (server = "", path = "") => devcloud.fillDisk(server, path) },
  "hinder-boots": { usage: "SECONDS|never", run: (hindrance = "") => devcloud.hinderBoots(hindrance === "never" ? hindrance : Number(hindrance)) },
  "stop-service": { usage: "SERVICE", run: (name = "") => devcloud.stopService(name) },
  "start-service": { usage: "SERVICE", run: (name = "") => devcloud.startService(name) },
  front: {
    usage: "METHOD PATH STATUS|SECONDSs|none [TIMES]",
    async run(method = "", path = "", what = "", times) {
      const proxy = await devcloud.front();
      const seconds = /^(\d+)s$/.exec(what)?.[1];
      proxy.interfere({ method, path: new RegExp(path), times: times ? Number(times) : undefined, ...(seconds ? { seconds: Number(seconds) } : { answer: what === "none" ? what : Number(what) }) });
      console.log(`until Ctrl-C, for who goes through it:\n  export OS_CLIENT_CONFIG_FILE=${proxy.cloudsYaml} OS_CLOUD=devcloud`);
    },
  },
};

let interruption: Promise<never> | undefined;

/** The first Ctrl-C cleans up; the second leaves at once, and the next command cleans up. */
async function interrupted(): Promise<never> {
  process.once("SIGINT", () => process.exit(130));
  progress("interrupted, cleaning up");
  await devcloud.interrupt().catch((error: Error) => console.error(error.message));
  return process.exit(130);
}

const [name = "", ...args] = process.argv.slice(2);
const command = commands[name];
const counts = command && [command.usage.split(" ").filter((word) => word && !word.startsWith("[")).length, command.usage.split(" ").filter(Boolean).length] as const;
if (!command || args.length < counts![0] || args.length > counts![1]) {
  console.error(["Say what to do: npm run devcloud --", ...Object.entries(commands).map(([each, { usage }]) => `  ${each} ${usage}`)].join("\n"));
  process.exit(2);
}
command.run(...args).catch(async (error: Error) => {
  // What fails because everything is being ended is no news.
  await interruption;
  console.error(error.message);
  process.exit(1);
});
