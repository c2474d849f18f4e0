import { cached } from "../tools/cache";
import { debianPackages } from "../tools/debian";
import type { Progress } from "../tools/progress";
import { mirror } from "./mirror";

export interface Tree {
  /** Names its folder in the cache. */
  name: string;
  /** For the person who waits. */
  title: string;
  packages: string[];
  /** Debian's name for its release. */
  release: string;
  /** A program that gets the whole tree at last, and the content of the files that decide what it does. */
  customize?: { program: string; files: string[] };
}

/** OpenStack Zed and what it and its guests stand on, all from Debian 12. */
const controlPlane: Tree = {
  name: "control-plane",
  title: "OpenStack's packages",
  release: "bookworm",
  packages: [
    ...["mariadb-server", "rabbitmq-server", "memcached", "supervisor"],
    ...["keystone", "glance-api", "placement-api", "uwsgi-core", "uwsgi-plugin-python3"],
    ...["nova-api", "nova-conductor", "nova-scheduler", "nova-compute", "systemd-container"],
    ...["neutron-server", "neutron-linuxbridge-agent", "neutron-l3-agent", "iproute2", "iptables", "ebtables", "ipset", "conntrack", "kmod"],
    ...["cinder-api", "cinder-scheduler", "cinder-volume"],
    ...["python3-openstackclient", "python3-pymysql", "python3-memcache", "curl"],
    ...["apt-cacher-ng", "dnsmasq-base", "openssh-client", "procps"],
  ],
};

export const controlPlaneTree = (progress: Progress): Promise<string> => debianTree(controlPlane, progress);

/** A Debian in a folder of the cache, made once by mmdebstrap. Nothing in it was started, nothing ever writes to it. */
export async function debianTree({ name, title, packages, release, customize }: Tree, progress: Progress): Promise<string> {
  await debianPackages(["mmdebstrap"], progress);
  const { sources: ours, fetching } = await mirror();
  const sources = ours.map((line) => line.replaceAll("bookworm", release));
  const options = [
    ...["--mode=root", "--variant=minbase", `--include=${packages.join(",")}`],
    ...['APT::Install-Recommends "false"', 'Acquire::Languages "none"', ...fetching].map((line) => `--aptopt=${line}`),
    ...["force-unsafe-io", "path-exclude=/usr/share/doc/*", "path-exclude=/usr/share/man/*", "path-exclude=/usr/share/locale/*"].map(
      (line) => `--dpkgopt=${line}`,
    ),
    ...(customize ? [`--customize-hook=${customize.program} "$1"`] : []),
  ];
  return cached(
    {
      name,
      title,
      from: { release, packages, sources, fetching, files: customize?.files },
      async build(folder, run) {
        await run("unshare", ["--mount", "--pid", "--fork", "--kill-child", "mmdebstrap", ...options, release, folder, ...sources]);
      },
    },
    progress,
  );
}
