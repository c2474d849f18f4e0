import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import ejs from "ejs";
import { stringify } from "yaml";
import { daemonsAt, hosts } from "./daemons";
import { images } from "./image";
import type { Mirror } from "./mirror";
import type { Place } from "./network";

const templates = join(__dirname, "openstack");

/** Passwords of one devcloud: letters and digits only, so every kind of file takes them unescaped. */
interface Secrets {
  admin: string;
  member: string;
  service: string;
  database: string;
  queue: string;
}

function secrets(file: string): Secrets {
  if (!existsSync(file)) {
    const password = () => randomBytes(16).toString("hex");
    const made: Secrets = { admin: password(), member: password(), service: password(), database: password(), queue: password() };
    writeFileSync(file, JSON.stringify(made), { mode: 0o600 });
  }
  return JSON.parse(readFileSync(file, "utf8")) as Secrets;
}

/** Keystone's keys: a staged one and the one in use. */
function keys(repository: string): void {
  mkdirSync(repository, { recursive: true, mode: 0o700 });
  for (const name of ["0", "1"].map((number) => join(repository, number)))
    if (!existsSync(name)) writeFileSync(name, `${randomBytes(32).toString("base64url")}=`, { mode: 0o600 });
}

/** Writes the configuration of every daemon into `etc`, and the way in for users, from here and from within: `clouds`, a clouds.yaml. */
export function configure(etc: string, clouds: string, place: Place, { proxy }: Mirror): void {
  for (const repository of ["fernet", "credential"]) keys(join(etc, repository));
  const passwords = secrets(join(etc, "secrets.json"));
  const { api } = place;
  const data = { secrets: passwords, api, address: place.inside, queue: `rabbit://openstack:${passwords.queue}@127.0.0.1:5672/`, daemons: daemonsAt(place), place, proxy };
  const write = (name: string, content: string) => {
    mkdirSync(dirname(join(etc, name)), { recursive: true, mode: 0o700 });
    writeFileSync(join(etc, name), content, { mode: 0o600 });
  };
  for (const template of readdirSync(templates, { recursive: true, encoding: "utf8" }).filter((name) => /^[^_].*\.ejs$/.test(name))) {
    const filename = join(templates, template);
    write(template.replace(/\.ejs$/, ""), ejs.render(readFileSync(filename, "utf8"), data, { filename, escape: String }));
  }
  for (const host of Object.keys(hosts)) write(`${host}.conf`, `[DEFAULT]\nhost = ${host}\nstate_path = /var/lib/devcloud/nova/${host}\n`);
  write("seed.json", JSON.stringify({ secrets: passwords, api, network: place, hosts, images: Object.keys(images) }));
  const entries = { devcloud: cloud(api, "devcloud", passwords.member), "devcloud-other": cloud(api, "other", passwords.member), "devcloud-admin": cloud(api, "admin", passwords.admin) };
  for (const file of [clouds, join(etc, "clouds.yaml")]) writeFileSync(file, stringify({ clouds: entries }), { mode: 0o600 });
}

/** An entry of clouds.yaml: each user has a project of the same name. */
const cloud = (api: string, user: string, password: string) => ({
  region_name: "RegionOne",
  interface: "public",
  identity_api_version: 3,
  auth: {
    auth_url: `${api}:5000/v3`,
    username: user,
    password,
    project_name: user,
    user_domain_name: "Default",
    project_domain_name: "Default",
  },
});
