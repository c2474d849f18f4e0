import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { parse } from "yaml";
import { cloudsYaml } from "../../devcloud";

interface Entry {
  auth: { auth_url: string; username: string; password: string; project_name: string };
}

interface Catalog {
  token: { user: { id: string }; project: { id: string }; catalog: { type: string; endpoints: { interface: string; url: string }[] }[] };
}

/** OpenStack's own HTTP APIs, as one user of the clouds.yaml that the devcloud wrote. */
export class Cloud {
  private constructor(private readonly token: string, readonly urls: Map<string, string>, readonly who: Pick<Catalog["token"], "user" | "project">) {}

  static async connect(name: "devcloud" | "devcloud-other" | "devcloud-admin", file = cloudsYaml): Promise<Cloud> {
    const { clouds } = parse(readFileSync(file, "utf8")) as { clouds: Record<string, Entry> };
    const { auth_url, username, password, project_name } = clouds[name]!.auth;
    const domain = { name: "Default" };
    return Cloud.signIn(auth_url, {
      identity: { methods: ["password"], password: { user: { name: username, domain, password } } },
      scope: { project: { name: project_name, domain } },
    });
  }

  static async signIn(auth_url: string, auth: object): Promise<Cloud> {
    const response = await fetch(`${auth_url}/auth/tokens`, { ...post({ auth }), headers: { "Content-Type": "application/json" } });
    if (!response.ok) throw new Error(`signing in: ${response.status}`, { cause: await response.text() });
    const { token } = (await response.json()) as Catalog;
    const urls = token.catalog.map(({ type, endpoints }) => [type, endpoints.find((one) => one.interface === "public")!.url] as const);
    return new Cloud(response.headers.get("x-subject-token")!, new Map(urls), token);
  }

  get<T>(service: string, path: string): Promise<T> {
    return this.send(service, path, {});
  }

  post<T>(service: string, path: string, body: unknown): Promise<T> {
    return this.send(service, path, post(body));
  }

  put<T>(service: string, path: string, body: unknown): Promise<T> {
    return this.send(service, path, { method: "PUT", body: JSON.stringify(body) });
  }

  async delete(service: string, path: string): Promise<void> {
    await this.send(service, path, { method: "DELETE" });
  }

  private async send<T>(service: string, path: string, request: RequestInit): Promise<T> {
    const prefix = service === "network" ? "/v2.0" : service === "image" ? "/v2" : "";
    const version = { compute: "compute 2.79", "block-storage": "volume 3.59" }[service];
    const headers = { "X-Auth-Token": this.token, "Content-Type": "application/json", ...(version && { "OpenStack-API-Version": version }) };
    const response = await fetch(`${this.urls.get(service)}${prefix}${path}`, { ...request, headers });
    const text = await response.text();
    if (!response.ok) throw new Error(`${request.method ?? "GET"} ${path}: ${response.status}`, { cause: text });
    return (text ? JSON.parse(text) : undefined) as T;
  }
}

const post = (body: unknown): RequestInit => ({ method: "POST", body: JSON.stringify(body) });

/** Waits until `look` gives something. */
export async function until<T>(what: string, look: () => Promise<T | false | undefined>, seconds = 60): Promise<T> {
  let last: unknown;
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(300)) {
    const found = await look().catch((error: unknown) => void (last = error));
    if (found) return found;
  }
  throw new Error(`waited ${seconds} s for ${what}${last instanceof Error ? `; last: ${last.message}` : ""}`, { cause: last });
}

/** Guest tests need namespaces and mounts; without root they are skipped, and said to be. */
export function rootOnly(context: Mocha.Context): void {
  if (process.getuid?.() === 0) return;
  console.log("    skipped: the devcloud needs root");
  context.skip();
}
