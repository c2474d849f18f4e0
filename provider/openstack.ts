import type { Dispatcher } from "undici";
import type { Credentials } from "./credentials";
import { reason } from "./errors";

/** Seconds that one request may take. */
const requestSeconds = 60;
/** A token that ends sooner than this is not used any more. */
const renewBefore = 60_000;

export type Service = "compute" | "image";
type Method = "GET" | "POST" | "DELETE";

/** OpenStack said no: to what, and why in its own words. */
export class CloudFailed extends Error {
  override name = "CloudFailed";
  constructor(what: string, readonly code: number, why: string) {
    super(`the cloud answers ${code} to ${what}: ${why}`);
  }
}

interface Token {
  id: string;
  ends: number;
  endpoints: Record<string, string | undefined>;
}

/** OpenStack's API, by its own paths. What only looks is asked again when it fails for a moment. */
export class OpenStack {
  private token?: Promise<Token>;
  private readonly agent: Promise<Dispatcher>;

  constructor(private readonly credentials: Credentials) {
    this.agent = agentFor(credentials);
  }

  /** Asks a service; what it answers, undefined where that is nothing. */
  async ask(service: Service, path: string): Promise<unknown> {
    return this.call(service, "GET", path);
  }

  /** Has a service do something. */
  async tell(service: Service, path: string, body: object): Promise<unknown> {
    return this.call(service, "POST", path, body);
  }

  /** Has a service delete something. */
  async drop(service: Service, path: string): Promise<void> {
    await this.call(service, "DELETE", path);
  }

  private async call(service: Service, method: Method, path: string, body?: object, again = true): Promise<unknown> {
    const { id, endpoints } = await this.authenticated();
    const endpoint = endpoints[service];
    if (endpoint === undefined) throw new Error(`the cloud's catalogue has no ${service} service${this.credentials.region === undefined ? "" : ` in the region ${this.credentials.region}`}`);
    const { statusCode, answer } = await this.send(`${endpoint}${path}`, method, { "x-auth-token": id, "openstack-api-version": `${service} ${microversion}` }, body);
    if (statusCode === 401 && again) {
      this.token = undefined;
      return this.call(service, method, path, body, false);
    }
    if (statusCode >= 400) throw new CloudFailed(`${method} ${service} ${path}`, statusCode, why(answer));
    return answer === "" ? undefined : JSON.parse(answer);
  }

  private authenticated(): Promise<Token> {
    const fresh = this.token?.then((token) => (token.ends - Date.now() > renewBefore ? token : this.authenticate())) ?? this.authenticate();
    this.token = fresh;
    fresh.catch(() => { this.token = undefined; });
    return fresh;
  }

  private async authenticate(): Promise<Token> {
    const { authUrl, identity, scope, region, interface: side } = this.credentials;
    const { statusCode, headers, answer } = await this.send(`${authUrl}/auth/tokens`, "POST", {}, { auth: { identity, scope } });
    if (statusCode >= 400) throw new CloudFailed(`a login at ${authUrl}`, statusCode, why(answer));
    const { token } = JSON.parse(answer) as { token: { expires_at: string; catalog: { type: string; endpoints: { interface: string; region?: string; region_id?: string; url: string }[] }[] } };
    const urlOf = (service: Service) => token.catalog.find(({ type }) => type === service)?.endpoints
      .find((each) => each.interface === side && (region === undefined || [each.region, each.region_id].includes(region)))?.url.replace(/\/+$/, "");
    const image = urlOf("image");
    return { id: String(headers["x-subject-token"]), ends: Date.parse(token.expires_at), endpoints: { compute: urlOf("compute"), image: image?.replace(/(\/v2)?$/, "/v2") } };
  }

  private async send(url: string, method: Method, headers: Record<string, string>, body?: object) {
    try {
      const dispatcher = await this.agent;
      const { statusCode, headers: answered, body: answer } = await (await import("undici")).request(url, {
        dispatcher, method, headers: { accept: "application/json", ...(body && { "content-type": "application/json" }), ...headers }, body: body && JSON.stringify(body),
      });
      return { statusCode, headers: answered, answer: await answer.text() };
    } catch (error) {
      throw new Error(`the cloud cannot be asked at ${new URL(url).origin}: ${reason(error)}`, { cause: error });
    }
  }
}

/** Loaded when a cloud is asked: a preview with nothing to do would wait for it in vain. */
async function agentFor({ ca, verify }: Credentials): Promise<Dispatcher> {
  const { Agent, interceptors } = await import("undici");
  return new Agent({ connect: { ca, rejectUnauthorized: verify }, bodyTimeout: requestSeconds * 1000, headersTimeout: requestSeconds * 1000 })
    .compose(interceptors.retry({ maxRetries: 4, methods: ["GET"] }));
}

/** Of Nova: it tells of a server what its flavor is called, and a rebuild may give it another key (Nova: REST API version history, 2.47 and 2.54). */
const microversion = "2.54";

/** `{"badRequest": {"code": 400, "message": "…"}}`, or what is in between said something. */
function why(answer: string): string {
  try {
    const [{ message }] = Object.values(JSON.parse(answer) as Record<string, { message?: string }>) as [{ message?: string }];
    return message ?? answer.slice(0, 300);
  } catch {
    return answer.trim().slice(0, 300) || "it says nothing";
  }
}
