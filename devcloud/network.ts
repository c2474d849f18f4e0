import { createHash } from "node:crypto";
import execa from "execa";
import { existsSync } from "node:fs";
import { eventually } from "./eventually";

/** Where a devcloud is on this machine: one link to it, and behind it the guests' network. Each has addresses of its own. */
export interface Place {
  number: number;
  /** Host end of the link, and the addresses of both ends. */
  link: string;
  host: string;
  inside: string;
  api: string;
  guests: string;
  gateway: string;
  firstGuest: string;
  lastGuest: string;
  /** Floating addresses. */
  floating: string;
  floatingGateway: string;
  firstFloating: string;
  lastFloating: string;
}

const places = 200;

type Part = (part: string) => string;

/** 198.18.0.0/15 is set aside for tests of networks: no machine has business with it. */
function placeOf(folder: string, number: number): Place {
  const [link, inside] = [linkOf(folder), `198.19.${number}.2`];
  const [guests, floating] = ["18", "19"].map((net) => (part: string) => `198.${net}.${number}.${part}`) as [Part, Part];
  return {
    number, link, inside, host: `198.19.${number}.1`, api: `http://${inside}`,
    guests: guests("0/24"), gateway: guests("1"), firstGuest: guests("10"), lastGuest: guests("254"),
    floating: floating("128/25"), floatingGateway: floating("129"), firstFloating: floating("130"), lastFloating: floating("254"),
  };
}

/** The name says whose it is, so that it is known from the moment it is there. */
export const linkOf = (folder: string) => `devcloud-${createHash("sha256").update(folder).digest("hex").slice(0, 6)}`;

const peerOf = (link: string) => link.replace("devcloud", "inside");

/**
 * Takes a place for the devcloud of a folder: the one it had, or the first that is free. The kernel decides: of those who
 * add a route to the same guests at once, one wins.
 */
export async function claim(folder: string, had?: number): Promise<Place> {
  const link = linkOf(folder);
  await removeStray();
  await ip(`link add ${link} type veth peer name ${peerOf(link)}`);
  await execa("ip", ["link", "set", link, "alias", folder]);
  await ip(`link set ${link} up`);
  for (const number of had === undefined ? Array(places).keys() : [had]) {
    const place = placeOf(folder, number);
    const { failed, stderr } = await execa("ip", ["route", "add", place.guests, "via", place.inside, "dev", link, "onlink"], { reject: false });
    if (failed && !stderr.includes("File exists")) throw new Error(`ip route add ${place.guests}: ${stderr}`);
    if (failed) continue;
    await ip(`address add ${place.host}/30 dev ${link}`);
    await ip(`route add ${place.floating} via ${place.inside} dev ${link} onlink`);
    return place;
  }
  await disconnect(folder);
  throw new Error(had === undefined ? `All ${places} networks that a devcloud may have are in use: see \`ip route\`.`
    : `This devcloud's network, ${placeOf(folder, had).guests}, is in use by another (\`ip route\` and \`ip link\` tell by which): take that down first, or this one, and it comes up anew elsewhere.`);
}

/** Links the host with the network namespace of process `pid`. */
export async function connect({ link, inside }: Place, pid: number): Promise<void> {
  await ip(`link set ${peerOf(link)} netns ${pid} name host`);
  await within(pid, `address add ${inside}/30 dev host`);
  await within(pid, "link set host up");
}

/**
 * Removes links that nobody else would: both ends are still here, since whoever claimed them was killed before a container had its end,
 * and the folder is gone.
 */
async function removeStray(): Promise<void> {
  const links = JSON.parse((await ip("-json link show type veth")).stdout) as { ifname: string; ifalias?: string }[];
  const here = new Set(links.map(({ ifname }) => ifname));
  const stray = links.filter(({ ifname, ifalias }) => ifname.startsWith("devcloud-") && here.has(peerOf(ifname)) && ifalias && !existsSync(ifalias));
  for (const { ifname } of stray) await execa("ip", ["link", "delete", ifname], { reject: false });
}

/** Removes the link; both ends, address and route go with it. The kernel does it too, a moment after the namespace ended. */
export async function disconnect(folder: string): Promise<void> {
  const link = linkOf(folder);
  await execa("ip", ["link", "delete", link], { reject: false });
  await eventually("the devcloud's link to go", 10, async () => (await execa("ip", ["link", "show", "dev", link], { reject: false })).failed || undefined);
}

const ip = (command: string) => execa("ip", command.split(" "));
const within = (pid: number, command: string) =>
  execa("nsenter", ["--target", `${pid}`, "--net", "ip", ...command.split(" ")]);
