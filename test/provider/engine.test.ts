import { deepEqual, equal, ok } from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo, type Server } from "node:net";
import { join } from "node:path";
import execa from "execa";

describe("the provider process", function () {
  this.timeout(30_000);
  let engine: Server;
  let other: Server;
  const listening = async () => {
    const server = createServer((socket) => socket.on("error", () => undefined)).listen(0, "127.0.0.1");
    await once(server, "listening");
    return server;
  };
  before(async () => { [engine, other] = [await listening(), await listening()]; });
  after(() => { other.close(); });

  /** Works for so many seconds under the engine at `address`, as a run does after its `kill -9`. */
  const works = (seconds: number, address: string) => execa("node", ["-r", "ts-node/register/transpile-only", "-e",
    `require(${JSON.stringify(join(__dirname, "../../provider/engine"))}).endWithEngine(process.argv[1]); console.log("at work"); setTimeout(() => process.exit(0), ${seconds * 1000});`, address],
  { reject: false, cwd: join(__dirname, "../..") });
  const address = (server: Server) => `127.0.0.1:${(server.address() as AddressInfo).port}`;

  it("ends itself soon after its engine is gone, and works on while it is there or none is to be found", async () => {
    const orphan = works(20, address(engine));
    orphan.stdout!.once("data", () => engine.close());
    const began = Date.now();
    const others = Promise.all([works(5, address(other)), works(5, "not-an-address")]);
    equal((await orphan).exitCode, 1);
    ok(Date.now() - began < 15_000);
    deepEqual((await others).map(({ exitCode }) => exitCode), [0, 0]);
  });
});
