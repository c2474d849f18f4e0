import { createServer, type IncomingMessage, type Server as Http } from "node:http";
import type { AddressInfo } from "node:net";

/** A server as the stand-in has it; `wish` is the flavor or image that it is on its way to. */
interface Instance {
  status: string;
  task: string | null;
  flavor: string;
  image: string;
  /** The name of its key pair, and the public key that its disk was made with. */
  keyPair?: string;
  key?: string;
  wish?: string;
  /** Its resize was confirmed so many looks ago: Nova does that behind its back. */
  confirmed?: number;
  /** What its console shows: each boot of a new disk tells host keys of its own. */
  console?: string;
}

interface Argument {
  key_name?: string;
  flavorRef?: string;
  imageRef?: string;
}

/** What cloud-init writes to the console of a new disk. */
export const keysOf = (boot: number): string =>
  `[ 9.1] cloud-init: -----BEGIN SSH HOST KEY KEYS-----\r\necdsa-sha2-nistp256 AAAAecdsa${boot} root@a\r\nssh-ed25519 AAAAed${boot} root@a\r\n-----END SSH HOST KEY KEYS-----\r\nlogin: `;

/**
 * A strict stand-in for Keystone, Nova and Glance: it keeps their contract as far as the provider uses it (paths, headers, states, refusals), and each look takes a
 * resize or a rebuild one state further.
 */
export class StandIn {
  readonly servers: Record<string, Instance> = {};
  readonly flavors: Record<string, string> = { "flavor-1": "small", "flavor-2": "large" };
  readonly images: Record<string, string> = { "image-12": "debian-12", "image-13": "debian-13" };
  /** Public keys by the names of their pairs. */
  readonly keyPairs: Record<string, string> = {};
  /** Whether consoles tell host keys. */
  talks = true;
  /** What was asked of it, in order. */
  readonly asked: string[] = [];
  /** How often it answers 503 before it answers. */
  busy = 0;
  /** Whether it refuses whatever is asked, as of a project that is disabled. */
  closed = false;
  /** Whether no host has room. */
  full = false;
  private logins = 0;
  private boots = 0;
  private valid = "";
  private http?: Http;

  async start(): Promise<string> {
    this.http = createServer((request, response) => void this.answer(request).then(({ code, body, headers = {} }) => {
      response.writeHead(code, { "content-type": "application/json", ...headers }).end(body === undefined ? "" : JSON.stringify(body));
    }));
    await new Promise<void>((resolve) => this.http!.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.http?.closeAllConnections();
    this.http?.close();
  }

  /** Ends all tokens, as Keystone may. */
  revoke(): void {
    this.valid = "";
  }

  private async answer(request: IncomingMessage): Promise<{ code: number; body?: unknown; headers?: Record<string, string> }> {
    let text = "";
    for await (const part of request) text += String(part);
    const path = request.url!;
    const what = `${request.method} ${path}`;
    const refuse = (code: number, message: string) => ({ code, body: { refused: { code, message } } });
    if (this.closed) return refuse(403, "Forbidden");
    if (this.busy > 0) {
      this.busy--;
      return refuse(503, "busy");
    }
    if (what === "POST /identity/v3/auth/tokens") {
      const { auth } = JSON.parse(text) as { auth: { identity: { methods: string[]; password?: { user: { name: string; password: string } } }; scope?: { project: { name: string } } } };
      this.asked.push("login");
      if (auth.identity.password?.user.password !== "the-password" || auth.scope?.project.name !== "shop") return refuse(401, "The request you have made requires authentication.");
      this.valid = `token-${++this.logins}`;
      const url = `http://${request.headers.host}/compute/v2.1`;
      const endpoints = [{ interface: "internal", region_id: "one", url: "http://127.0.0.1:1" }, { interface: "public", region_id: "one", url }];
      return { code: 201, headers: { "x-subject-token": this.valid }, body: { token: { expires_at: new Date(Date.now() + 3600_000).toISOString(), catalog: [{ type: "compute", endpoints }, { type: "image", endpoints: endpoints.map((each) => ({ ...each, url: each.url.replace("compute/v2.1", "image") })) }] } } };
    }
    if (request.headers["x-auth-token"] !== this.valid) return refuse(401, "Unauthorized");
    const [, named] = /^GET \/image\/v2\/images\?name=([^&]*)&status=active$/.exec(what) ?? [];
    if (named !== undefined) return { code: 200, body: { images: Object.entries(this.images).filter(([, name]) => name === decodeURIComponent(named)).map(([id, name]) => ({ id, name })) } };
    if (request.headers["openstack-api-version"] !== "compute 2.54") return refuse(406, "no such version");
    if (what === "GET /compute/v2.1/flavors") return { code: 200, body: { flavors: Object.entries(this.flavors).map(([id, name]) => ({ id, name })) } };
    const keyPairs = this.keyPairsOf(what, text, refuse);
    if (keyPairs) return keyPairs;
    const [, id, action] = /^\/compute\/v2\.1\/servers\/([^/]+)(\/action)?$/.exec(path) ?? [];
    const server = this.servers[id ?? ""];
    if (!server) return refuse(404, `Instance ${id} could not be found.`);
    if (!action) {
      const body = { server: { status: server.status, "OS-EXT-STS:task_state": server.task, flavor: { original_name: server.flavor }, image: { id: server.image }, key_name: server.keyPair ?? null, hostId: "host" } };
      this.pass(server);
      return { code: 200, body };
    }
    const [[act, argument]] = Object.entries(JSON.parse(text) as Record<string, Argument>) as [[string, Argument]];
    if (act === "os-getConsoleOutput") return { code: 200, body: { output: server.console ?? "" } };
    this.asked.push(act);
    if (server.task !== null) return refuse(409, `Cannot '${act}' instance while it is in task_state ${server.task}`);
    if (act === "confirmResize" && server.confirmed) return refuse(400, "Instance has not been resized.");
    return this.act(server, act, argument) ?? refuse(409, `Cannot '${act}' instance while it is in vm_state ${server.status}`);
  }

  /** Nova changes no key pair: another key is another pair. */
  private keyPairsOf(what: string, text: string, refuse: (code: number, message: string) => { code: number; body: unknown }): { code: number; body?: unknown } | undefined {
    const [, method, named] = /^(\w+) \/compute\/v2.1\/os-keypairs(?:\/([^/]+))?$/.exec(what) ?? [];
    if (method === undefined) return undefined;
    const name = named ?? (JSON.parse(text) as { keypair: { name: string } }).keypair.name;
    if (method !== "GET") this.asked.push(`${method} keypair ${name}`);
    if (method === "POST") {
      if (name in this.keyPairs) return refuse(409, `Key pair '${name}' already exists.`);
      this.keyPairs[name] = (JSON.parse(text) as { keypair: { public_key: string } }).keypair.public_key;
      return { code: 200, body: {} };
    }
    if (!(name in this.keyPairs)) return refuse(404, `Keypair ${name} not found`);
    if (method === "GET") return { code: 200, body: { keypair: { name, public_key: this.keyPairs[name] } } };
    delete this.keyPairs[name];
    return { code: 202 };
  }

  private act(server: Instance, act: string, argument: Argument): { code: number } | undefined {
    const { status } = server;
    if (act === "resize" && ["ACTIVE", "SHUTOFF"].includes(status)) {
      Object.assign(server, { task: "resize_prep", wish: this.full ? undefined : this.flavors[argument.flavorRef!] });
      return { code: 202 };
    }
    if (act === "rebuild" && ["ACTIVE", "SHUTOFF"].includes(status) && argument.imageRef! in this.images && (argument.key_name === undefined || argument.key_name in this.keyPairs)) {
      if (argument.key_name !== undefined) server.key = this.keyPairs[argument.key_name];
      Object.assign(server, { status: "REBUILD", task: "rebuild_spawning", image: argument.imageRef });
      return { code: 202 };
    }
    if (act === "confirmResize" && status === "VERIFY_RESIZE" && !server.confirmed) {
      server.confirmed = 1;
      return { code: 204 };
    }
    if (act === "os-start" && status === "SHUTOFF") {
      server.task = "powering-on";
      return { code: 202 };
    }
    return undefined;
  }

  /** One state further. */
  private pass(server: Instance): void {
    if (server.confirmed && server.confirmed++ > 2) {
      server.status = "ACTIVE";
      delete server.confirmed;
    } else if (server.task === "resize_prep" && server.wish === undefined) server.task = null;
    else if (server.task === "resize_prep") Object.assign(server, { status: "RESIZE", task: "resize_finish" });
    else if (server.task === "resize_finish") Object.assign(server, { status: "VERIFY_RESIZE", task: null, flavor: server.wish });
    else if (server.task === "rebuild_spawning") {
      this.boots++;
      Object.assign(server, { status: "ACTIVE", task: null, console: `${server.console ?? ""}${this.talks ? keysOf(this.boots) : "login:"}` });
    } else if (server.task === "powering-on") Object.assign(server, { status: "ACTIVE", task: null });
  }
}
