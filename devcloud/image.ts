import { readFileSync } from "node:fs";
import { join } from "node:path";
import { cached } from "../tools/cache";
import { debianPackages } from "../tools/debian";
import type { Progress } from "../tools/progress";
import { mirror } from "./mirror";

/** What Debian's own cloud image has and a server needs. Databases are the product's to install. */
const packages = [
  ...["systemd-sysv", "dbus", "cloud-init", "openssh-server", "sudo"],
  ...["iproute2", "iputils-ping", "netbase", "ca-certificates", "curl", "procps", "less"],
];

const place = join(__dirname, "image");
const customize = join(place, "customize");
const configuration = join(place, "90_devcloud.cfg");

/** What guests may start from, by the names that the images have in Glance, and Debian's names for them. */
export const images: Record<string, string> = { "debian-12": "bookworm", "debian-13": "trixie" };

/** The root that guests are laid over: a Debian with cloud-init, made once. */
export async function guestImage(name: string, progress: Progress): Promise<string> {
  const release = images[name]!;
  await debianPackages(["mmdebstrap"], progress);
  const { sources: ours, fetching } = await mirror();
  const sources = ours.map((line) => line.replaceAll("bookworm", release));
  const options = [
    ...["--mode=root", "--variant=minbase", `--include=${packages.join(",")}`],
    ...['APT::Install-Recommends "false"', 'Acquire::Languages "none"', ...fetching].map((line) => `--aptopt=${line}`),
    ...["force-unsafe-io", "path-exclude=/usr/share/doc/*", "path-exclude=/usr/share/man/*", "path-exclude=/usr/share/locale/*"].map(
      (line) => `--dpkgopt=${line}`,
    ),
    `--customize-hook=${customize} "$1"`,
  ];
  const files = [customize, configuration].map((file) => readFileSync(file, "utf8"));
  return cached(
    {
      name: "guest-image",
      title: `the guests' ${name}`,
      from: { release, packages, sources, fetching, files },
      async build(folder, run) {
        const made = [...options, release, folder, ...sources];
        await run("unshare", ["--mount", "--pid", "--fork", "--kill-child", "mmdebstrap", ...made]);
      },
    },
    progress,
  );
}
