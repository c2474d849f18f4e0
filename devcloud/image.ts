import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Progress } from "../tools/progress";
import { debianTree } from "./tree";

/** What Debian's own cloud image has and a server needs. Databases are the product's to install. */
const packages = [
  ...["systemd-sysv", "dbus", "cloud-init", "openssh-server", "sudo"],
  ...["iproute2", "iputils-ping", "netbase", "ca-certificates", "curl", "procps", "less"],
];

const place = join(__dirname, "image");

/** What guests may start from, by the names that the images have in Glance, and Debian's names for them. */
export const images: Record<string, string> = { "debian-12": "bookworm", "debian-13": "trixie" };

/** The root that guests are laid over: a Debian with cloud-init. */
export function guestImage(name: string, progress: Progress): Promise<string> {
  const files = ["customize", "90_devcloud.cfg"].map((file) => readFileSync(join(place, file), "utf8"));
  const customize = { program: join(place, "customize"), files };
  return debianTree({ name: "guest-image", title: `the guests' ${name}`, release: images[name]!, packages, customize }, progress);
}
