import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import execa from "execa";
import { cloudsYaml, down, exec, folder as devcloud, status, up } from "../../devcloud";
import { inOrder } from "../inOrder";
import { Cloud, rootOnly, until } from "./cloud";
import { Servers } from "./servers";

const root = dirname(dirname(__dirname));
const quiet = () => undefined;

/** How a devcloud begins and ends, also when it is not asked to. */
describe("devcloud's life", function () {
  this.timeout("15m");
  inOrder(this);
  let untouched: Traces;

  before(async function () {
    rootOnly(this);
    await down(quiet);
    untouched = await traces();
  });

  after(async function () {
    if (process.getuid?.() === 0) await down(quiet);
  });

  it("ends whole when it is interrupted half up", async () => {
    const { half } = await halfUp();
    half.kill("SIGINT");
    const { exitCode, stdout } = await half;
    equal(exitCode, 130, stdout);
    await nothingLeft();
  });

  it("comes up after the command that started it was killed", async () => {
    const { half } = await halfUp();
    half.kill("SIGKILL");
    await half;
    await execa("ip", "link add devcloud-f00d00 type veth peer name inside-f00d00".split(" "));
    await execa("ip", ["link", "set", "devcloud-f00d00", "alias", "/a folder that was removed, and with it whoever claimed this link"]);
    await up(quiet);
    match((await execa("ip", ["link", "show", "devcloud-f00d00"], { reject: false })).stderr, /does not exist/);
    deepEqual((await status())?.services.filter(({ running }) => !running), []);
  });

  it("leaves another folder's alone: two run side by side, each with its own guests", async () => {
    const folder = mkdtempSync(join(tmpdir(), "elsewhere-"));
    for (const part of ["cli", "devcloud", "tools", "package.json", "tsconfig.json"]) cpSync(join(root, part), join(folder, part), { recursive: true });
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    const ours = await Servers.of("beside");
    await ours.create("one");
    const before = await traces();
    const came = await command(folder, "up");
    equal(came.exitCode, 0, came.stderr);
    const theirs = await Servers.of("beside", join(folder, basename(devcloud), "clouds.yaml"));
    await theirs.create("one");
    await theirs.ssh("one", "sudo apt-get update -q");
    notEqual(ours.addresses["one"], theirs.addresses["one"]);
    const went = await command(folder, "down");
    equal(went.exitCode, 0, went.stderr);
    rmSync(folder, { recursive: true });
    deepEqual(await traces(), before);
    await ours.ssh("one", "sudo apt-get update -q");
    await ours.remove();
  });

  it("serves again when all of its services were killed, and guests live on; a guest whose machine was killed starts again", async () => {
    const servers = await Servers.of("killed");
    await servers.create("one");
    const boot = () => servers.ssh("one", "systemctl show -P UserspaceTimestampMonotonic");
    const before = await boot();
    const pids = (await status())!.services.flatMap(({ says }) => /pid (\d+)/.exec(says)?.[1] ?? []);
    ok(pids.length > 15, `${pids.length}`);
    await exec(["kill", "-9", ...pids]);
    await up(quiet);
    deepEqual((await status())?.services.filter(({ running }) => !running), []);
    equal(await boot(), before);
    await exec(["pkill", "-9", "--full", `machine .*${servers.ids["one"]}`]);
    await servers.settled("one", "SHUTOFF");
    await servers.act("one", { "os-start": null });
    await servers.settled("one", "ACTIVE");
    await until("SSH", () => servers.ssh("one", "hostname"));
    await servers.remove();
  });

  it("comes back with its servers and volumes after its first process was killed", async () => {
    const cloud = await Cloud.connect("devcloud");
    const { server, volume } = await serverWithVolume(cloud);
    const { pid } = JSON.parse(readFileSync(join(devcloud, "container.json"), "utf8")) as { pid: number };
    process.kill(pid, "SIGKILL");
    await until("it to be down", async () => (await status()) === undefined);
    await up(quiet);
    const again = await Cloud.connect("devcloud");
    await until("the server to run again", async () => {
      const found = (await again.get<{ server: { status: string } }>("compute", `/servers/${server}`)).server;
      return found.status === "ACTIVE" && (await exec(["pgrep", "--full", `systemd-nspawn.*${server}`], { reject: false })).exitCode === 0;
    });
    const { stdout } = await execa("losetup", ["--noheadings", "--list", "--output", "BACK-FILE"]);
    equal(stdout.split("\n").filter((file) => file.includes(volume)).length, 1, stdout);
  });

  it("leaves nothing when it is taken down with guests running", async () => {
    await down(quiet);
    await nothingLeft();
    match((await command(root, "status")).stdout, /The devcloud is down/);
  });

  async function nothingLeft(): Promise<void> {
    ok(!existsSync(dirname(cloudsYaml)));
    deepEqual(await traces(), untouched);
  }
});

const program = (folder: string, name: string) => ["-r", "ts-node/register/transpile-only", join(folder, "devcloud/main.ts"), name];
const command = (folder: string, name: string) => execa("node", program(folder, name), { cwd: folder, reject: false });

/** A command that brings the devcloud up and has come as far as the message queue. */
async function halfUp(): Promise<{ half: execa.ExecaChildProcess }> {
  const half = command(root, "up");
  await new Promise<void>((resolve, reject) => {
    half.stdout!.on("data", (text: Buffer) => { if (String(text).includes("rabbitmq")) resolve(); });
    void half.then(({ stderr }) => reject(new Error(`it ended: ${stderr}`)));
  });
  return { half };
}

async function serverWithVolume(cloud: Cloud): Promise<{ server: string; volume: string }> {
  const named = async (service: string, path: string, list: string, name: string) =>
    (await cloud.get<Record<string, { id: string; name: string }[]>>(service, path))[list]!.find((one) => one.name === name)!.id;
  const [imageRef, flavorRef, uuid] = await Promise.all([
    named("image", "/images", "images", "debian-12"),
    named("compute", "/flavors", "flavors", "m1.tiny"),
    named("network", "/networks", "networks", "private"),
  ]);
  const volume = (await cloud.post<{ volume: { id: string } }>("block-storage", "/volumes", { volume: { size: 1 } })).volume.id;
  const asked = { server: { name: "survivor", imageRef, flavorRef, networks: [{ uuid }] } };
  const server = (await cloud.post<{ server: { id: string } }>("compute", "/servers", asked)).server.id;
  const is = (service: string, path: string, what: "server" | "volume", wanted: string) =>
    until(`${path} to be ${wanted}`, async () => (await cloud.get<Record<string, { status: string }>>(service, path))[what]!.status === wanted);
  await is("compute", `/servers/${server}`, "server", "ACTIVE");
  await is("block-storage", `/volumes/${volume}`, "volume", "available");
  await cloud.post("compute", `/servers/${server}/os-volume_attachments`, { volumeAttachment: { volumeId: volume } });
  await is("block-storage", `/volumes/${volume}`, "volume", "in-use");
  return { server, volume };
}

type Traces = Record<string, string[]>;

/** Whatever a devcloud could leave on the machine it ran on. */
async function traces(): Promise<Traces> {
  const lines = async (file: string, ...args: string[]) => (await execa(file, args, { reject: false })).stdout?.split("\n").sort() ?? [];
  const namespaces = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      return [readlinkSync(`/proc/${pid}/ns/pid`)];
    } catch {
      return [];
    }
  });
  return {
    mounts: readFileSync("/proc/self/mounts", "utf8").split("\n"),
    loops: await lines("losetup", "--noheadings", "--list", "--output", "NAME,BACK-FILE"),
    links: await lines("ip", "-brief", "link"),
    routes: await lines("ip", "route"),
    namespaces: [...new Set(namespaces)].sort(),
    netns: await lines("ip", "netns"),
    rules: await lines("iptables-save"),
    cgroups: await lines("find", "/sys/fs/cgroup", "-type", "d", "-name", "devcloud*"),
  };
}
