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

/** The root that guests are laid over: Debian 12 with cloud-init, made once. */
export async function guestImage(progress: Progress): Promise<{ name: "debian-12"; tree: string }> {
  await debianPackages(["mmdebstrap"], progress);
  const { sources, fetching } = await mirror();
  const options = [
    ...["--mode=root", "--variant=minbase", `--include=${packages.join(",")}`],
    ...['APT::Install-Recommends "false"', 'Acquire::Languages "none"', ...fetching].map((line) => `--aptopt=${line}`),
    ...["force-unsafe-io", "path-exclude=/usr/share/doc/*", "path-exclude=/usr/share/man/*", "path-exclude=/usr/share/locale/*"].map(
      (line) => `--dpkgopt=${line}`,
    ),
    `--customize-hook=${customize} "$1"`,
  ];
  const files = [customize, configuration].map((file) => readFileSync(file, "utf8"));
  const tree = await cached(
    {
      name: "guest-image",
      title: "the guests' Debian 12",
      from: { packages, sources, fetching, files },
      async build(folder, run) {
        const made = [...options, "bookworm", folder, ...sources];
        await run("unshare", ["--mount", "--pid", "--fork", "--kill-child", "mmdebstrap", ...made]);
      },
    },
    progress,
  );
  return { name: "debian-12", tree };
}
