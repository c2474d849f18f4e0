import execa from "execa";
import { eventually } from "./eventually";

/** The devcloud's place on this machine: one link to it, and behind it the guests' network. */
export const network = {
  /** Host end of the link. Its alias names the folder of the devcloud that owns it, so one per machine can run. */
  link: "devcloud",
  host: "198.19.0.1",
  inside: "198.19.0.2",
  guests: "198.18.0.0/24",
  gateway: "198.18.0.1",
  firstGuest: "198.18.0.10",
  lastGuest: "198.18.0.254",
} as const;

export const api = `http://${network.inside}`;

/** The folder of the devcloud that runs on this machine, if one does. Empty when its start was cut before it was named. */
export async function owner(): Promise<string | undefined> {
  const { stdout, failed } = await execa("ip", ["-json", "link", "show", "dev", network.link], { reject: false });
  if (failed) return undefined;
  const [link] = JSON.parse(stdout) as { ifalias?: string }[];
  return link?.ifalias ?? "";
}

/** Links the host with the network namespace of process `pid`. Of two that try at once, the kernel lets one win. */
export async function connect(pid: number, folder: string): Promise<void> {
  await ip(`link add ${network.link} type veth peer name host netns ${pid}`);
  await execa("ip", ["link", "set", network.link, "alias", folder]);
  await ip(`address add ${network.host}/30 dev ${network.link}`);
  await ip(`link set ${network.link} up`);
  await inside(pid, `address add ${network.inside}/30 dev host`);
  await inside(pid, "link set host up");
  await ip(`route add ${network.guests} via ${network.inside}`);
}

/** Removes the link; both ends and the route go with it. The kernel does it too, a moment after the namespace ended. */
export async function disconnect(): Promise<void> {
  await execa("ip", ["link", "delete", network.link], { reject: false });
  await eventually("the devcloud's link to go", 10, async () => ((await owner()) === undefined ? true : undefined));
}

const ip = (command: string) => execa("ip", command.split(" "));
const inside = (pid: number, command: string) =>
  execa("nsenter", ["--target", `${pid}`, "--net", "ip", ...command.split(" ")]);
