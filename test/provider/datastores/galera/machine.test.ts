import { deepEqual, equal } from "node:assert/strict";
import { needs, newcomers } from "../../../../provider/datastores/galera/machine";
import { sight } from "./model";

describe("what a Galera member needs of its machine", () => {
  const of = (configuration: Record<string, string | number | boolean>) => needs({ vendor: "mariadb", configuration });

  for (const [configuration, mib] of [
    [{}, 128 + 256],
    [{ innodb_buffer_pool_size: "4G" }, 4096 + 256],
    [{ "innodb-buffer-pool-size": "512m" }, 512 + 256],
    [{ Loose_innodb_buffer_pool_size: 1073741824 }, 1024 + 256],
    [{ innodb_buffer_pool_size: "plenty" }, 256],
  ] as [Record<string, string>, number][])
    it(`for ${JSON.stringify(configuration)} is ${mib} MiB of memory`, () => equal(of(configuration).memory.mib, mib));

  for (const [configuration, wanted] of [
    [{}, 4161],
    [{ max_connections: "5000" }, 25_000],
    [{ table_open_cache: "20000" }, 40_161],
    [{ open_files_limit: "65536", max_connections: "500" }, 65_536],
  ] as [Record<string, string>, number][])
    it(`for ${JSON.stringify(configuration)} is ${wanted} files`, () => equal(of(configuration).files.wanted, wanted));
});

describe("newcomers to a Galera cluster", () => {
  const of = (...words: string[]) => {
    const seen = Object.fromEntries(words.map((word, index) => [`db-${index + 1}`, sight(word, words.length)]));
    return newcomers(["db-1", "db-2", "db-3"], seen);
  };

  for (const [what, words, expected] of [
    ["are all members of a create", ["blank", "blank", "blank"], { "db-1": "error", "db-2": "error", "db-3": "error" }],
    ["are those on an image that has the packages", ["ready,unmounted,unconfigured", "blank", "blank"], { "db-1": "error", "db-2": "error", "db-3": "error" }],
    ["are those that a grow adds", ["synced", "synced", "blank"], { "db-3": "error" }],
    ["are none of those that run, and none that are down", ["synced", "whole", "ready"], {}],
    ["are not to hold up the return of data below a new server", ["synced", "synced", "whole,uninstalled,unmounted,unconfigured"], { "db-3": "warning" }],
    ["are not to hold up one whose data vanished", ["synced", "synced", "emptied,unmounted,unconfigured"], { "db-3": "warning" }],
    ["are none while a cluster that has data is down", ["whole", "whole", "blank"], {}],
    ["are none while one is starting and none runs", ["starting", "blank", "blank"], {}],
    ["are none while the data of one that is to leave may be the newest", ["blank", "blank", "blank", "whole"], {}],
    ["are those left of a create that was cut after the bootstrap", ["synced/1,unsecured", "ready", "blank"], { "db-3": "error" }],
  ] as [string, string[], Record<string, string>][])
    it(what, () => deepEqual(of(...words), expected));
});
