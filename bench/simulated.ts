import { createHash } from "node:crypto";
import { Server, type ServerChannel } from "ssh2";
import { newKey } from "../test/provider/guest/sshd";
import { answer } from "../test/provider/machine";

/** Milliseconds that a real guest takes: for any command, and to fetch and install MariaDB. Measured with `npm run bench -- cluster`. */
const commandTakes = 30;
export const installationTakes = 15_000;

/** What it takes to be a guest of which only the phases that go side by side are asked. */
class Simulated {
  logins = 0;
  private readonly files: Record<string, string> = {};
  private uuid = "";
  private mounted = false;
  private installedAt?: number;

  constructor(private readonly name: string) {}

  private installation(): "none" | "running" | "done" {
    return this.installedAt === undefined ? "none" : Date.now() < this.installedAt ? "running" : "done";
  }

  /** The standard output of a command of ours, known by what is in it. */
  answer(command: string, stdin: string): string {
    const has = (...words: string[]) => words.every((word) => command.includes(word));
    const written = (path: string) => this.files[path] ?? "";
    const marker = written("/var/lib/datastore/.datastore.json").trim();
    if (has("EPOCHREALTIME")) return answer(command, this.name);
    if (has("systemd-run", "datastores-install")) this.installedAt = Date.now() + installationTakes;
    else if (has("ActiveState datastores-install")) return this.installation() === "running" ? "activating\n" : "inactive\n";
    else if (has("journalctl")) return "Setting up packages\n";
    else if (has("ActiveState -p Job")) return "ActiveState=inactive\nJob=\n";
    else if (has("new=$(mktemp")) this.files[/mv "\$new" (\S+?);/.exec(command)![1]!] = stdin;
    else if (has("mkfs.xfs")) this.uuid = /uuid=([0-9a-f-]+)/.exec(command)![1]!;
    else if (has("systemctl enable --now var-lib-datastore.mount")) this.mounted = true;
    else if (has("blkid -p -o export")) return this.mounted ? `TYPE=xfs\nUUID=${this.uuid}\nmounted=yes\nfiles=0\n${marker && `marker=${marker}`}\n---\n` : "disk=blank\n";
    else if (has("grep -q ^ii")) return this.installation() === "done" ? "" : "mariadb-server\n";
    else if (has("echo \"version=")) return `version=${this.installation() === "done" ? version : ""}\nguarded=yes\noptions=${sha256(written("/etc/mysql/mariadb.conf.d/99-datastore.cnf"))}\n`;
    else if (has("dpkg-query -W")) return `${version}\n`;
    return has("new=$(mktemp") ? "changed\n" : "";
  }
}

const version = "1:10.11.14-0+deb12u2";
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

function serve(guest: Simulated, command: string, channel: ServerChannel): void {
  let stdin = "";
  channel.on("data", (part: Buffer) => { stdin += part.toString(); });
  channel.on("end", () => setTimeout(() => {
    channel.write(guest.answer(command, stdin));
    channel.exit(0);
    channel.end();
  }, commandTakes));
}

/** A process of its own, for its work is not the provider's. Says when it is ready, and when asked how often each guest was logged in to. */
async function main(addresses: string[], wanted: Buffer): Promise<void> {
  const hostKey = newKey();
  const guests = addresses.map((_, index) => new Simulated(`shop1-${index + 1}`));
  await Promise.all(addresses.map((address, index) => new Promise<void>((resolve, reject) => new Server({ hostKeys: [hostKey] }, (connection) => {
    connection.on("error", () => undefined);
    connection.on("authentication", (attempt) => (attempt.method === "publickey" && attempt.key.data.equals(wanted) ? attempt.accept() : attempt.reject(["publickey"])));
    connection.on("ready", () => { guests[index]!.logins += 1; });
    connection.on("session", (accept) => accept().on("exec", (acceptCommand, _reject, { command }) => serve(guests[index]!, command, acceptCommand())));
  }).once("error", reject).listen(22, address, resolve))));
  process.on("message", () => process.send!({ logins: guests.map(({ logins }) => logins) }));
  process.on("disconnect", () => process.exit());
  process.send!({ ready: true });
}

if (require.main === module)
  main(process.argv[2]!.split(","), Buffer.from(process.argv[3]!, "base64")).catch((error: NodeJS.ErrnoException) => {
    console.error(error.code === "EADDRINUSE"
      ? `${error.message}: simulated guests need port 22, which is where the provider dials. This machine's sshd holds it where it listens on all addresses, and a bench that was killed may. Way out: \`ss -ltnp "sport = :22"\` shows who holds it; end that, or give sshd only the addresses it needs, with ListenAddress in /etc/ssh/sshd_config`
      : error);
    process.exit(1);
  });
