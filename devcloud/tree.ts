import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { cached } from "../tools/cache";
import { debianPackages } from "../tools/debian";
import type { Progress } from "../tools/progress";
import { mirror } from "./mirror";

/** OpenStack Zed and what it and its guests stand on, all from Debian 12. */
const packages = [
  ...["mariadb-server", "rabbitmq-server", "memcached", "supervisor"],
  ...["keystone", "glance-api", "placement-api", "uwsgi-core", "uwsgi-plugin-python3"],
  ...["nova-api", "nova-conductor", "nova-scheduler", "nova-compute", "systemd-container"],
  ...["neutron-server", "neutron-linuxbridge-agent", "neutron-l3-agent", "iproute2", "iptables", "ebtables", "ipset", "conntrack", "kmod"],
  ...["cinder-api", "cinder-scheduler", "cinder-volume"],
  ...["python3-openstackclient", "python3-pymysql", "python3-memcache", "curl"],
  ...["apt-cacher-ng", "dnsmasq-base", "openssh-client", "procps"],
];

/** A Debian tree with the control plane in it, made once. Nothing in it was started, nothing ever writes to it. */
export async function controlPlaneTree(progress: Progress): Promise<string> {
  await debianPackages(["mmdebstrap"], progress);
  const { sources, fetching } = await mirror();
  const options = [
    ...["--mode=root", "--variant=minbase", `--include=${packages.join(",")}`],
    ...['Acquire::Languages "none"', 'APT::Install-Recommends "false"', ...fetching].map((line) => `--aptopt=${line}`),
    ...["force-unsafe-io", "path-exclude=/usr/share/doc/*", "path-exclude=/usr/share/man/*", "path-exclude=/usr/share/locale/*"].map(
      (line) => `--dpkgopt=${line}`,
    ),
  ];
  return cached(
    {
      name: "control-plane",
      title: "OpenStack's packages",
      from: { sources, options },
      async build(folder, run) {
        const arguments_ = [...options, "bookworm", folder, ...sources];
        await run("unshare", ["--mount", "--pid", "--fork", "--kill-child", "mmdebstrap", ...arguments_]);
        writeFileSync(`${folder}/etc/machine-id`, `${randomBytes(16).toString("hex")}\n`);
      },
    },
    progress,
  );
}
