import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** What befalls requests to the APIs. */
export interface Interference {
  method: string;
  /** Of the request as the service sees it, such as /v2.1/servers. */
  path: RegExp;
  /** How many requests it befalls. Default: all. */
  times?: number;
  /** Seconds that the request waits. Default: 0. */
  seconds?: number;
  /** The answer that it gets instead; "none" closes the connection. Default: the service's. */
  answer?: number | "none";
}

/**
 * A proxy in front of a devcloud's APIs. Its `cloudsYaml` leads through it: it puts itself into the catalog that
 * Keystone gives, and into every link, as http://127.0.0.1:<its port>/<the service's port>.
 */
export class Front {
  readonly cloudsYaml: string;
  /** Of each request: its method and path. */
  readonly requests: string[] = [];
  private readonly interferences: Required<Interference>[] = [];

  private constructor(private readonly server: Server, private readonly inside: string, clouds: string) {
    const { port } = server.address() as AddressInfo;
    this.address = `http://127.0.0.1:${port}/`;
    this.cloudsYaml = join(dirname(clouds), `clouds-${port}.yaml`);
    writeFileSync(this.cloudsYaml, this.led(readFileSync(clouds, "utf8")), { mode: 0o600 });
    server.on("request", (asked, answer) => void this.serve(asked, answer));
  }

  private readonly address: string;

  static async open(inside: string, clouds: string): Promise<Front> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new Front(server, inside, clouds);
  }

  interfere({ times = Infinity, seconds = 0, answer = 0, ...which }: Interference): void {
    this.interferences.push({ times, seconds, answer, ...which });
  }

  close(): void {
    rmSync(this.cloudsYaml, { force: true });
    this.server.close();
    this.server.closeAllConnections();
  }

  private led = (text: string) => text.replaceAll(`http://${this.inside}:`, this.address);

  private async serve(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const [, port, path = "/"] = /^\/(\d+)(\/.*)?$/.exec(asked.url ?? "") ?? [];
    this.requests.push(`${asked.method} ${path}`);
    const found = this.interferences.find((each) => each.times > 0 && each.method === asked.method && each.path.test(path));
    if (found) {
      found.times -= 1;
      await sleep(found.seconds * 1000);
      if (found.answer === "none") return void asked.socket.destroy();
      if (found.answer) return void answer.writeHead(found.answer, { "Content-Type": "application/json", Connection: "close" }).end("{}");
    }
    // Compressed, an answer could not be led through here.
    const headers = { ...asked.headers, host: `${this.inside}:${port}`, "accept-encoding": "identity" };
    const passed = request({ host: this.inside, port, path, method: asked.method, headers }, (response) => this.pass(response, answer));
    passed.on("error", () => (answer.headersSent ? asked.socket.destroy() : answer.writeHead(503).end()));
    asked.pipe(passed);
  }

  private pass(response: IncomingMessage, answer: ServerResponse): void {
    const headers = Object.entries(response.headers).filter(([name]) => name !== "content-length");
    const led = Object.fromEntries(headers.map(([name, value]) => [name, typeof value === "string" ? this.led(value) : value]));
    if (!/json/.test(response.headers["content-type"] ?? "")) {
      answer.writeHead(response.statusCode!, response.headers);
      return void response.pipe(answer);
    }
    let text = "";
    response.setEncoding("utf8").on("data", (part: string) => (text += part));
    response.on("end", () => answer.writeHead(response.statusCode!, led).end(this.led(text)));
  }
}
