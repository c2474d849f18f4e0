import { deepEqual, doesNotMatch, equal, match, ok } from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer, type Server } from "node:tls";
import type { AddressInfo } from "node:net";
import execa from "execa";
import { newAuthority, newLeaf } from "../../../../provider/certificates";
import { isEstranged, programText, viewOf } from "../../../../provider/datastores/redis/client";
import { CommandFailed } from "../../../../provider/errors";
import type { Guest } from "../../../../provider/guest/guest";

const password = "the-word-that-nobody-may-read";

/** The program as it runs on guests, against a server that answers each command with one line of RESP. */
describe("redis program", () => {
  let folder: string;
  let server: Server;
  let answers: string[] = [];
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "redis-program-"));
    const authority = await newAuthority("db");
    const { key, certificate: cert } = await newLeaf(authority, "db-1-1", "127.0.0.1");
    writeFileSync(join(folder, "ca.pem"), authority.certificate);
    server = createServer({ key, cert }, (socket) => {
      const all = [...answers];
      socket.on("error", () => undefined);
      socket.on("data", (data) => { (String(data).match(/^\*/gm) ?? []).forEach(() => socket.write(`${all.shift()}\r\n`)); });
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  });
  after(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });

  const program = () => programText().replace(/^PORT = .*$/m, `PORT = ${(server.address() as AddressInfo).port}`).replace(/^CA = .*$/m, `CA = "${join(folder, "ca.pem")}"`);
  const asked = (commands: string[][]) => execa("python3", ["-c", program()], { reject: false, all: true, input: JSON.stringify({ host: "127.0.0.1", logins: [["datastores", password]], commands }) });

  it("answers each command, an error by its words", async () => {
    answers = ["+OK", "+PONG", "-ERR unknown command"];
    deepEqual(JSON.parse((await asked([["PING"], ["NONE"]])).stdout), ["PONG", { error: "ERR unknown command" }]);
  });

  it("says that a login is refused, and not with what", async () => {
    answers = ["-WRONGPASS invalid username-password pair or user is disabled."];
    const { exitCode, all } = await asked([["PING"]]);
    equal(exitCode, 1);
    match(all!, /^127\.0\.0\.1 refuses datastores: WRONGPASS/);
    doesNotMatch(all!, new RegExp(password));
  });

  it("is let in by the first login that a server takes", async () => {
    answers = ["-WRONGPASS invalid username-password pair or user is disabled.", "+OK", "+PONG"];
    const { stdout } = await execa("python3", ["-c", program()], { input: JSON.stringify({ host: "127.0.0.1", logins: [["datastores", "of the new"], ["datastores", password]], commands: [["PING"]] }) });
    deepEqual(JSON.parse(stdout), ["PONG"]);
  });

  it("moves no slot whose owner is another by now: the taker would be said to own it, without its keys", async () => {
    const told: string[] = [];
    const tables: Record<string, string> = { "127.0.0.2": "a 127.0.0.2:6379@16379 myself,slave b 0 0 6 connected\nb 127.0.0.4:6379@16379 master - 0 0 6 connected 0-15\n", "127.0.0.3": "d 127.0.0.3:6379@16379 myself,master - 0 0 7 connected 16-20\n" };
    const authority = await newAuthority("db");
    const trusted = readFileSync(join(folder, "ca.pem"), "utf8");
    writeFileSync(join(folder, "ca.pem"), authority.certificate);
    const { port } = server.address() as AddressInfo;
    const servers = await Promise.all(Object.entries(tables).map(async ([host, table]) => {
      const { key, certificate: cert } = await newLeaf(authority, "db-1-1", host);
      const each = createServer({ key, cert }, (socket) => {
        socket.on("error", () => undefined);
        socket.on("data", (data) => {
          for (const command of String(data).split(/^\*\d+\r\n/m).slice(1)) {
            const words = command.split("\r\n").filter((word) => word !== "" && !word.startsWith("$")).join(" ");
            if (words === "CLUSTER NODES") socket.write(`$${table.length}\r\n${table}\r\n`);
            else if (words === "CLUSTER MYID") socket.write(`$1\r\n${table[0]!}\r\n`);
            else {
              if (!words.startsWith("AUTH")) told.push(`${host} ${words}`);
              socket.write(words.includes("SETSLOT") && host === "127.0.0.2" ? "-ERR Please use SETSLOT only with masters.\r\n" : "+OK\r\n");
            }
          }
        });
      });
      await new Promise<void>((listening) => each.listen(port, host, listening));
      return each;
    }));
    try {
      const { exitCode, stderr } = await execa("python3", ["-c", program()], { reject: false, input: JSON.stringify({ host: "127.0.0.2", logins: [["datastores", password]], move: { to: "127.0.0.3", others: [], slots: [[0, 15]] } }) });
      deepEqual([exitCode, told], [1, []]);
      match(stderr, /127\.0\.0\.2 does not own slot 0 any more: another took over meanwhile/);
    } finally {
      writeFileSync(join(folder, "ca.pem"), trusted);
      servers.forEach((each) => each.close());
    }
  });

  it("is told of by its own word, by which a server is known that has another authority", async () => {
    answers = ["-WRONGPASS invalid username-password pair or user is disabled."];
    const guest = { name: "db-1-1", look: async () => { throw new CommandFailed("db-1-1", "python3 -c …", 1, (await asked([["PING"]])).all!); } } as unknown as Guest;
    const { said, why } = await viewOf(guest, { certificate: "", key: "of the authority" });
    deepEqual([said, isEstranged(why)], [undefined, true]);
    match(why, /^127\.0\.0\.1 refuses datastores: WRONGPASS/);
    // That one's file is there already, and the server has yet its former certificate.
    writeFileSync(join(folder, "ca.pem"), (await newAuthority("db")).certificate);
    ok(isEstranged((await viewOf(guest, { certificate: "", key: "of the authority" })).why));
  });
});
