import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import execa from "execa";
import { cloudsYaml } from "../../../devcloud";
import { debianTree } from "../../../devcloud/tree";

/** OpenStack's own command line and tests, as Debian packages them: clients that nobody here wrote. */
export class Clients {
  /** Theirs is /work. */
  readonly folder = mkdtempSync(join(tmpdir(), "clients-"));

  private constructor(private readonly tree: string) {
    copyFileSync(cloudsYaml, join(this.folder, "clouds.yaml"));
  }

  static async ready(): Promise<Clients> {
    return new Clients(await debianTree({ name: "clients", title: "OpenStack's clients", release: "bookworm", packages: ["python3-openstackclient", "python3-tempest", "openssh-client", "iputils-ping"] }, () => undefined));
  }

  /** Runs a command of theirs. */
  run(command: string[], options: execa.Options = {}): execa.ExecaChildProcess {
    const enter = ["bash", join(__dirname, "enter.sh"), this.tree, this.folder, ...command];
    return execa("unshare", ["--mount", "--pid", "--fork", "--kill-child", ...enter], { stdin: "ignore", timeout: 300_000, ...options });
  }

  /** What `openstack` prints for words, of which each is an argument. */
  async openstack(cloud: string, words: string): Promise<string> {
    return (await this.run(["openstack", "--os-cloud", cloud, ...words.split(" ")])).stdout;
  }

  remove(): void {
    for (const folder of [this.folder, `${this.folder}.root`]) rmSync(folder, { recursive: true, force: true });
  }
}
