import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** How OpenStack lets us in, and where. */
export interface Credentials {
  /** Of Keystone, with its version. */
  authUrl: string;
  /** The body of a request for a token: its `identity`, and its `scope` where the identity has none of its own. */
  identity: object;
  scope?: object;
  region?: string;
  /** Which of its endpoints a service is asked at. */
  interface: string;
  /** Authorities that its certificates are of, in PEM. Default: the system's. */
  ca?: string;
  /** Whether certificates are verified. */
  verify: boolean;
  /** What may stand in no message. */
  secrets: string[];
}

/** One cloud, by the keys of clouds.yaml. */
interface Entry {
  auth?: Record<string, string | undefined>;
  auth_type?: string;
  region_name?: string;
  interface?: string;
  cacert?: string;
  verify?: boolean;
}

type Environment = Record<string, string | undefined>;

/** Where clients of OpenStack look for a file of clouds, the first that is there (openstacksdk: Configuring OpenStack SDK Applications). */
const places = (file: string): string[] => [file, join(homedir(), ".config/openstack", file), join("/etc/openstack", file)];

/**
 * What other clients of OpenStack would take, too: the entry of clouds.yaml with this name, else the one that OS_CLOUD names, else OS_AUTH_URL and its like.
 * Undefined where nothing is given. Throws where what is given is not enough.
 */
export async function credentials(name?: string, environment: Environment = process.env): Promise<Credentials | undefined> {
  const cloud = name ?? environment.OS_CLOUD;
  if (cloud !== undefined && cloud !== "") return ofEntry(await entryOf(cloud, environment), `the cloud ${cloud} in clouds.yaml`);
  return environment.OS_AUTH_URL === undefined ? undefined : ofEntry(ofEnvironment(environment), "the environment (OS_AUTH_URL and its like)");
}

async function entryOf(cloud: string, environment: Environment): Promise<Entry> {
  // Loaded when a cloud is looked for: a preview with nothing to do would wait for it in vain.
  const { parse } = await import("yaml");
  const read = (file: string, variable: string): Record<string, Entry | undefined> => {
    const found = [environment[variable], ...places(file)].find((each) => each !== undefined && existsSync(each));
    return found === undefined ? {} : (parse(readFileSync(found, "utf8")) as { clouds?: Record<string, Entry> } | null)?.clouds ?? {};
  };
  const open = read("clouds.yaml", "OS_CLIENT_CONFIG_FILE")[cloud];
  // Passwords may lie in a file of their own.
  const secret = read("secure.yaml", "OS_CLIENT_SECURE_FILE")[cloud];
  if (open === undefined) throw new Error(`there is no cloud ${JSON.stringify(cloud)} in clouds.yaml, which is looked for at OS_CLIENT_CONFIG_FILE, here, in ~/.config/openstack and in /etc/openstack`);
  return { ...open, ...secret, auth: { ...open.auth, ...secret?.auth } };
}

const authKeys = ["auth_url", "username", "user_id", "password", "user_domain_name", "user_domain_id", "project_name", "project_id", "project_domain_name", "project_domain_id",
  "domain_name", "domain_id", "default_domain", "token", "application_credential_id", "application_credential_name", "application_credential_secret"];

function ofEnvironment(environment: Environment): Entry {
  const of = (key: string) => environment[`OS_${key.toUpperCase()}`];
  return {
    auth: { ...Object.fromEntries(authKeys.map((key) => [key, of(key)])), project_name: of("project_name") ?? of("tenant_name"), project_id: of("project_id") ?? of("tenant_id") },
    auth_type: of("auth_type"), region_name: of("region_name"), interface: of("interface") ?? of("endpoint_type"), cacert: of("cacert"), verify: !/^(1|true|yes)$/i.test(of("insecure") ?? ""),
  };
}

function ofEntry(entry: Entry, where: string): Credentials {
  const auth = entry.auth ?? {};
  const need = (key: string): string => auth[key] ?? fail(`${where} has no ${key}`);
  const domain = (of: "user" | "project") => auth[`${of}_domain_id`] !== undefined ? { id: auth[`${of}_domain_id`] } : { name: auth[`${of}_domain_name`] ?? auth.domain_name ?? auth.default_domain ?? "Default" };
  const user = () => (auth.user_id !== undefined ? { id: auth.user_id } : { name: need("username"), domain: domain("user") });
  const byApplication = /applicationcredential/.test(entry.auth_type ?? "") || auth.application_credential_id !== undefined || auth.application_credential_name !== undefined;
  const identity = () => {
    if (byApplication) {
      const secret = need("application_credential_secret");
      const which = auth.application_credential_id !== undefined ? { id: auth.application_credential_id } : { name: need("application_credential_name"), user: user() };
      return { methods: ["application_credential"], application_credential: { ...which, secret } };
    }
    if (auth.token !== undefined && auth.password === undefined) return { methods: ["token"], token: { id: auth.token } };
    return { methods: ["password"], password: { user: { ...user(), password: need("password") } } };
  };
  const scope = () => ({ project: auth.project_id !== undefined ? { id: auth.project_id } : { name: need("project_name"), domain: domain("project") } });
  return {
    authUrl: need("auth_url").replace(/\/+$/, "").replace(/(\/v2\.0|\/v3)?$/, "/v3"),
    identity: identity(),
    // An application credential is of one project.
    ...(byApplication ? {} : { scope: scope() }),
    region: entry.region_name,
    interface: (entry.interface ?? "public").replace(/URL$/, ""),
    ca: entry.cacert === undefined ? undefined : readFileSync(entry.cacert, "utf8"),
    verify: entry.verify ?? true,
    secrets: [auth.password, auth.token, auth.application_credential_secret].filter((each) => each !== undefined),
  };
}

const fail = (why: string): never => {
  throw new Error(why);
};
