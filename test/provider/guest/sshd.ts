import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { connect as dial } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { Server, utils, type Connection, type ServerChannel } from "ssh2";
import { connect, type Connection as Reached, type Session } from "../../../provider/guest/ssh";
import { Box, needsRoot } from "./box";

/** A private key in PEM; ssh2's own generator makes one in a thousand that it cannot read. */
export const newKey = (): string => generateKeyPairSync("ec", {
  namedCurve: "P-256", privateKeyEncoding: { type: "sec1", format: "pem" }, publicKeyEncoding: { type: "spki", format: "pem" },
}).privateKey;

/** The public half as `ssh-keyscan` prints it, and as it goes over the wire. */
export function publicHalf(privateKey: string): { line: string; wire: Buffer } {
  const key = utils.parseKey(privateKey);
  if (key instanceof Error) throw key;
  const wire = key.getPublicSSH();
  return { line: `${key.type} ${wire.toString("base64")}`, wire };
}

/** A real SSH server of one user key, whose commands run in a box; and what it was asked. */
export class Sshd {
  readonly commands: string[] = [];
  readonly connections: Connection[] = [];
  readonly hostKey = newKey();
  /** To where it forwards instead of where it was asked to: port 22 of a guest, in truth. */
  forwardTo?: AddressInfo;
  readonly forwarded: string[] = [];
  private readonly server: Server;

  constructor(box: Box, userKey: string) {
    const wanted = publicHalf(userKey).wire;
    this.server = new Server({ hostKeys: [this.hostKey] }, (connection) => {
      this.connections.push(connection);
      connection.on("error", () => undefined);
      connection.on("authentication", (attempt) => {
        if (attempt.method === "publickey" && attempt.key.data.equals(wanted)) attempt.accept();
        else attempt.reject(["publickey"]);
      });
      connection.on("session", (accept) => accept().on("exec", (acceptCommand, _reject, { command }) => {
        this.commands.push(command);
        run(box, command, acceptCommand());
      }));
      connection.on("tcpip", (accept, _reject, { destIP, destPort }) => {
        this.forwarded.push(`${destIP}:${destPort}`);
        const channel = accept();
        const socket = dial(this.forwardTo!.port, this.forwardTo!.address);
        socket.on("error", () => channel.close());
        channel.pipe(socket).pipe(channel);
      });
    });
  }

  async listen(host: string, port: number): Promise<AddressInfo> {
    await new Promise<void>((resolve, reject) => this.server.once("error", reject).listen(port, host, resolve));
    return this.server.address() as AddressInfo;
  }

  /** Every connection is reset, as by a machine that went down and came back. */
  cut(): void {
    for (const connection of this.connections) (connection as unknown as { _sock: Socket })._sock.resetAndDestroy();
  }

  async end(): Promise<void> {
    for (const connection of this.connections) connection.end();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** One guest behind an SSH server of its own, anew for each test of the suite, and what was said while it was reached. */
export class Reachable {
  box!: Box;
  sshd!: Sshd;
  said: string[] = [];
  session!: Session;
  private open: Reached[] = [];

  constructor(readonly address: string, readonly key = newKey()) {
    before(needsRoot);
    beforeEach(async () => {
      [this.box, this.said, this.open] = [new Box(), [], []];
      this.session = { run: "run-1", seconds: 5, access: { user: "root", privateKey: key }, secrets: [], say: (line) => { this.said.push(line); } };
      await this.listen();
    });
    afterEach(async () => {
      this.open.forEach((each) => each.close());
      await this.sshd?.end();
      this.box?.end();
    });
  }

  async listen(): Promise<void> {
    this.sshd = new Sshd(this.box, this.key);
    await this.sshd.listen(this.address, 22);
  }

  async reach(pin?: string, more: Partial<Session> = {}): Promise<Reached> {
    const connection = await connect({ name: "db-1", address: this.address, pins: pin === undefined ? undefined : [pin] }, { ...this.session, ...more });
    this.open.push(connection);
    return connection;
  }
}

function run(box: Box, command: string, channel: ServerChannel): void {
  const [file, args] = box.inside("/bin/sh", "-c", command);
  const child = spawn(file, args);
  channel.pipe(child.stdin.on("error", () => undefined));
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  child.on("close", (code, signal) => {
    if (code === null) channel.exit(signal!.slice(3));
    else channel.exit(code);
    channel.end();
  });
  channel.on("close", () => {
    child.stdout.destroy();
    child.kill();
  });
}
