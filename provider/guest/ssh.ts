import { createHash } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Duplex, Writable } from "node:stream";
import type { Config, NodeSSH } from "node-ssh";
import type { ClientChannel } from "ssh2";
import type { Access } from "../inputs";
import { CommandFailed, reason, TimedOut } from "../errors";
import { eventually } from "./eventually";
import type { Guest } from "./guest";
import { onlyUnder } from "./lease";
import { sh } from "./shell";

/** Seconds a server may take from ACTIVE to a first login. */
const bootSeconds = 180;
/** Seconds that one command may take. What may take longer runs in a unit on the guest, which is looked at. */
const lookSeconds = 60;
const runSeconds = 900;
/** Seconds after which a command whose time is over is not waited for, and neither is its guest. */
const graceSeconds = 30;

/** Asked for in this order, so that a host shows the same one of its keys each time. */
const hostKeyAlgorithms = ["ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256"] as const;

export interface Target {
  name: string;
  address: string;
  /** Fingerprints (`SHA256:…`) of which the host must show one; undefined on first contact. */
  pins?: string[];
  /** The argument that tells its host key. */
  argument?: string;
}

export interface Session {
  /** Names the run that may change guests; see lease.ts. */
  run: string;
  /** How long to dial, when not as long as a server may take to boot. */
  seconds?: number;
  access: Access;
  /** Private keys that are tried where the present one is not let in: a run that was cut may not have come to that. */
  former?: string[];
  /** Strings that may appear in no message. */
  secrets: string[];
  say: (line: string) => void;
}

/** One connection to one guest, and the fingerprint it showed. */
export interface Connection {
  guest: Guest;
  fingerprint: string;
  /** Whether it let in a former key alone. */
  byFormer: boolean;
  follow: Follow;
  close(): void;
}

/** The machine that guests are reached through, and the fingerprint it showed. */
export interface Bastion {
  fingerprint: string;
  byFormer: boolean;
  /** A way to port 22 of a guest. */
  tunnel(address: string): Promise<Duplex>;
  close(): void;
}

/** Runs a command as root that changes nothing, and writes each line of its output as it comes, until it ends or `until` says so. */
export type Follow = (command: string, to: Writable, until: AbortSignal) => Promise<void>;

const fingerprint = (key: Buffer) => `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;

/** The fingerprints of a host's public keys as `ssh-keyscan` prints them: lines of [host] type base64. */
export const fingerprintsOf = (keys: string, argument: string): string[] => {
  const found = keys.trim().split(/\s+/).filter((word) => word.startsWith("AAAA"));
  if (found.length === 0) throw new Error(`${argument}: not a public host key; give it as ssh-keyscan prints it`);
  return found.map((key) => fingerprint(Buffer.from(key, "base64")));
};

/** In OpenSSH's own form: PKCS#8, which `openssl genpkey` writes, ssh2 does not read. What the parser says may quote the key. */
async function openSsh(privateKey: string): Promise<string> {
  const { parsePrivateKey } = await import("sshpk");
  try {
    return parsePrivateKey(privateKey).toString("ssh-private");
  } catch {
    throw new Error("access.privateKey must be an unencrypted private key in OpenSSH or PEM form: give what is in the key's file, whole");
  }
}

/** What servers are given of a private key. */
export async function publicHalf(privateKey: string): Promise<string> {
  const { parsePrivateKey } = await import("sshpk");
  return parsePrivateKey(privateKey).toPublic().toString("ssh");
}

/** Dials until the guest lets us in: a server that is ACTIVE may still be booting. */
export async function connect(target: Target, session: Session, through?: Bastion): Promise<Connection> {
  const { ssh, shown, byFormer } = await dial(through ? "guest behind a bastion" : "guest", target, session, { username: session.access.user }, through);
  return { guest: guestOver(ssh, target.name, session), fingerprint: shown, byFormer, follow: followOver(ssh, target.name, session), close: () => ssh.dispose() };
}

/** Dials the machine that guests are reached through. */
export async function connectBastion(target: Target, session: Session, { user, port }: NonNullable<Access["bastion"]>): Promise<Bastion> {
  const { ssh, shown, byFormer } = await dial("bastion", target, session, { username: user, port });
  return { fingerprint: shown, byFormer, tunnel: (address) => ssh.forwardOut("127.0.0.1", 0, address, 22), close: () => ssh.dispose() };
}

async function dial(what: keyof typeof hints, target: Target, session: Session, as: Pick<Config, "username" | "port">, through?: Bastion) {
  // Loaded when a guest is dialed: a preview with nothing to do would wait for it in vain.
  const { NodeSSH } = await import("node-ssh");
  let shown = "";
  let ssh = new NodeSSH();
  const privateKeys = await Promise.all([session.access.privateKey, ...session.former ?? []].map(openSsh));
  let turn = 0;
  await eventually(`SSH to ${target.name} (${target.address})`, { seconds: session.seconds ?? bootSeconds, every: 250, say: session.say }, async () => {
    ssh = new NodeSSH();
    try {
      await ssh.connect({
        ...as,
        ...(through ? { sock: await through.tunnel(target.address) } : { host: target.address }),
        privateKey: privateKeys[turn],
        readyTimeout: 10_000,
        keepaliveInterval: 5_000,
        algorithms: { serverHostKey: [...hostKeyAlgorithms] },
        hostVerifier: (key: Buffer) => {
          shown = fingerprint(key);
          return target.pins?.includes(shown) ?? true;
        },
      });
      // A command is several small packets: the kernel would hold each back until the one before is confirmed, 40 ms later.
      ssh.connection?.setNoDelay(true);
      // A connection that breaks while idle would end the process, and every other cluster's run with it. The next command tells.
      ssh.connection?.on("error", () => undefined);
      return true;
    } catch (error) {
      ssh.dispose();
      if (target.pins !== undefined && shown !== "" && !target.pins.includes(shown))
        throw new Error(`${target.name} (${target.address}) shows the host key ${shown}, expected ${target.pins.join(" or ")}: `
          + `another machine answers there, or its keys were made anew. If that is known, give the new key in ${target.argument ?? "access.hostKeys"}`, { cause: error });
      // Each look tries one of the keys; one that is let in ends them.
      if (reason(error).includes(refused)) turn = (turn + 1) % privateKeys.length;
      return reason(error);
    }
  }).catch((error) => {
    if (error instanceof TimedOut) error.message += `. ${hints[what][error.message.includes(refused) ? "keptOut" : "silent"]}`;
    throw error;
  });
  if (target.pins === undefined) session.say(`${target.name} shows the host key ${shown}; trusted on first use`);
  return { ssh, shown, byFormer: turn > 0 };
}

/** What ssh2 says where no key is let in. */
const refused = "authentication methods failed";

const keptOut = "Is access.user the user that the image makes, and was the server made with the public half of access.privateKey?";
const boots = "`openstack console log show` tells whether it booted";

/** What keeps most people out. */
const hints = {
  guest: { keptOut, silent: `May this machine reach port 22 there (access.allowedCidrs, routes), or is access.bastion needed? ${boots}` },
  bastion: { keptOut: "Is access.bastion.user right, and does that user let the public half of access.privateKey in?", silent: "May this machine reach it, at access.bastion.host and access.bastion.port?" },
  "guest behind a bastion": { keptOut, silent: `May the bastion reach port 22 there (access.allowedCidrs, routes)? ${boots}` },
};

/**
 * A connection that is cut ends a command's input like any other, and half of some SQL may be SQL: only its length tells
 * that it is whole. It is kept in the shell itself, for it may be secret, and goes on to the command after that.
 */
const onlyWhole = (stdin: string): string => (stdin === "" ? "" : sh`input=$(cat; echo .)
[ "$(printf %s "$input" | wc -c)" = ${Buffer.byteLength(stdin) + 1} ] || { echo "the input did not arrive whole" >&2; exit 1; }
exec < <(printf %s "\${input%.}"); unset input
`);

const become = ({ access }: Session): string[] => (access.user === "root" ? [] : ["sudo", "-n"]);

/** A secret of several lines is known by each of them too: of what comes line by line it is never seen whole. Shorter ones stand in other texts. */
const telling = 8;
const redacted = ({ secrets }: Session, text: string): string =>
  [...secrets, ...secrets.flatMap((secret) => secret.split(/\s*\n/)).filter(({ length }) => length >= telling)].reduce((clean, secret) => clean.replaceAll(secret, "[secret]"), text);

/** What prints without end ends on its guest once nobody is left to read it: its output closes with the channel. */
const followOver = (ssh: NodeSSH, name: string, session: Session): Follow => async (command, to, until) => {
  let code: number | null = null;
  let stderr = "";
  const failed = (why: string) => new CommandFailed(name, redacted(session, command), code, redacted(session, why));
  const channel = await new Promise<ClientChannel>((resolve, reject) => {
    if (!ssh.connection) throw new Error("not connected");
    ssh.connection.exec(sh`${[...become(session), "/bin/bash", "--norc", "-euo", "pipefail", "-c", command]}`, (error, opened) => {
      if (error) return reject(error);
      // Listened to at once: a short command's end may have come with its beginning.
      opened.on("exit", (status: number | null) => { code = status; });
      opened.stderr.on("data", (part: Buffer) => { stderr += part.toString(); });
      opened.end();
      resolve(opened);
    });
  }).catch((error) => { throw failed(reason(error)); });
  const closed = once(channel, "close");
  closed.catch(() => undefined);
  try {
    for await (const line of createInterface({ input: channel, signal: until }))
      if (!to.write(`${redacted(session, line)}\n`)) await once(to, "drain");
    if (until.aborted) return;
    await closed;
  } finally {
    channel.close();
  }
  if (code !== 0) throw failed(stderr);
};

function guestOver(ssh: NodeSSH, name: string, session: Session): Guest {
  const redact = (text: string) => redacted(session, text);
  const execute = async (seconds: number, command: string, stdin = "", shown = command) => {
    // Bash takes a connection for a remote shell's, and would read its start-up file, which may print.
    // `timeout` ends what hangs on the guest, but not what waits there for a disk that does not answer.
    let hangs = false;
    const late = setTimeout(() => {
      hangs = true;
      ssh.connection?.destroy();
    }, (seconds + graceSeconds) * 1000);
    const { code, stdout, stderr } = await ssh
      .execCommand(sh`${[...become(session), "timeout", `${seconds}`, "/bin/bash", "--norc", "-euo", "pipefail", "-c", `${onlyWhole(stdin)}${command}`]}`, { stdin, noTrim: true })
      .catch((error) => ({ code: null, stdout: "", stderr: reason(error) }))
      .finally(() => clearTimeout(late));
    const why = code === 124 || hangs ? `${stderr}\nit did not end within ${seconds} s` : stderr;
    if (code !== 0) throw new CommandFailed(name, redact(shown), code, redact(why));
    return stdout;
  };
  const run = (command: string, stdin?: string) => execute(runSeconds, `${onlyUnder(session.run)}\n${command}`, stdin, command);
  return {
    name,
    look: (command, stdin) => execute(lookSeconds, command, stdin),
    run,
    async write(path, content, { mode = "0644", owner = "root:root" } = {}) {
      // A power cut must find the old file or the new one: renamed before its content is on the disk, it would be empty.
      const replace = sh`
new=$(mktemp ${path}.XXXXXX); trap 'rm -f "$new"' EXIT
chmod ${mode} "$new"; cat >"$new"; chown ${owner} "$new"
if cmp -s "$new" ${path} && [ "$(stat -c %a:%U:%G "$new")" = "$(stat -c %a:%U:%G ${path})" ]; then echo same; exit; fi
sync "$new"; mv "$new" ${path}; sync -f ${path}; echo changed`;
      return (await run(replace, content)).trim() === "changed";
    },
    say: session.say,
  };
}
