import execa from "execa";

/** How this machine gets Debian 12, so that the devcloud and its guests get it the same way. */
export interface Mirror {
  /** Lines of a sources.list. */
  sources: string[];
  /** Lines of an apt.conf that say how to fetch: proxies, retries, checks of dates. */
  fetching: string[];
  proxy?: string;
}

const debian = [
  "deb http://deb.debian.org/debian bookworm main",
  "deb http://deb.debian.org/debian bookworm-updates main",
  "deb http://deb.debian.org/debian-security bookworm-security main",
];

/** Reads apt's own configuration; on a machine of another release, Debian's public mirror stands in. */
export async function mirror(): Promise<Mirror> {
  const targets = ["indextargets", "--format", "deb $(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"];
  const { stdout: lines } = await execa("apt-get", targets, { reject: false });
  const sources = (lines ?? "").split("\n").filter((line) => / bookworm(-updates|-security)? main$/.test(line));
  const { stdout: settings } = await execa("apt-config", ["dump", "--no-empty", "Acquire"], { reject: false });
  const fetching = (settings ?? "").split("\n").filter((line) => /^Acquire::(https?|Check|Retries|Force)/.test(line));
  const configured = fetching.map((line) => /^Acquire::http::Proxy "(.+)";$/.exec(line)?.[1]).find(Boolean);
  const proxy = configured ?? process.env["http_proxy"];
  const complete = sources.some((line) => line.endsWith("bookworm main"));
  return { sources: complete ? sources : debian, fetching, ...(proxy ? { proxy } : {}) };
}
