import { deepEqual, doesNotMatch, equal, match, ok } from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
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
