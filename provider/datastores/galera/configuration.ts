import { createHash } from "node:crypto";
import { bundle } from "../../bundle";
import { mountPoint } from "../../guest/volume";
import type { Authority } from "../../inputs";
import { cnf, render, word } from "../../template";
import type { Member, Topology } from "../../topology";
import type { Options } from "./options";

/** What a member runs on. Debian's; `mariadb-server` gives the version. */
export const packages = ["mariadb-server", "galera-4", "mariadb-backup", "socat", "xfsprogs"];
/** As apt takes them: it fetches nothing where it is not offered the wanted major version. */
export const ofVersion = ({ version }: Pick<Options, "version">): string[] =>
  packages.map((name) => (version !== undefined && name.startsWith("mariadb") ? `${name}=1:${version}.*` : name));
/** How the names of those begin that are to be of one version on all members: the server, its library, and what copies its data. */
export const families = ["mariadb", "galera"];
/** Below the volume's root, beside the marker: a state transfer empties this directory whole. */
export const dataDirectory = "mysql";
export const dataPath = `${mountPoint}/${dataDirectory}`;
/** A file in a data directory that was made for a new cluster which no client could log in to yet. */
export const unsecured = "unsecured";
/** Below the volume's root: a state transfer makes it anew, and nothing else does. */
export const transferFile = `${dataDirectory}/ibdata1`;
/** Where `mariadb-upgrade` writes down of which version the system tables are; the second is how it was called before 11.0. */
export const tablesFile = "mariadb_upgrade_info";
export const formerTablesFile = "mysql_upgrade_info";
/** A shell condition: Galera knows of no history here, and will ask for a whole state. */
export const noHistory = `! grep -q '^uuid: *[0-9a-f-]*[1-9a-f]' ${dataPath}/grastate.dat 2>/dev/null`;
/** The options that the server runs with: those it was started with, and what it took since. */
export const runningFile = "/run/datastores/options";
export const optionsFile = "/etc/mysql/mariadb.conf.d/99-datastore.cnf";
export const certificates = "/etc/mysql/datastore";
/** Sums of authorities that were dropped, and that Galera trusts until its server is started anew: of those that it has read it gives up none. */
export const droppedFile = "/run/datastores/dropped";
/** What MariaDB said of the position of data that were not closed. */
export const positionFile = "/run/datastores/position";

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** What a member is started anew for beside its settings: it tells neither text nor size. */
function restarts({ restartTrigger, gcacheSize }: Options): string | undefined {
  const all = [restartTrigger, gcacheSize && `gcache.size ${gcacheSize}`].filter((each) => each !== undefined);
  return all.length === 0 ? undefined : sha256(all.join("\n"));
}

/** MariaDB's options of one member, and whose certificates it was configured with. It holds no secret. */
export const optionsText = (want: Topology<Options>, self: Member, authority: Pick<Authority, "certificate" | "trusted">): string =>
  render(__dirname, "datastore.cnf", cnf, {
    authority: sha256(bundle(authority)),
    certificates,
    cluster: want.owner.cluster,
    configuration: want.options.configuration,
    data: dataPath,
    gcacheSize: want.options.gcacheSize,
    members: want.members,
    restart: restarts(want.options),
    self,
  });

/** Members know each other by name without a resolver: one that hangs makes each state transfer take minutes. */
export const hostsText = (want: Topology<Options>): string => render(__dirname, "hosts", word, { members: want.members });

/** Whether Debian's version of a package, as in `1:10.11.6-0+deb12u1`, is of the wanted major version. */
export const isVersion = ({ version }: Pick<Options, "version">, debian: string): boolean =>
  version === undefined || debian.replace(/^\d+:/, "").startsWith(`${version}.`);
