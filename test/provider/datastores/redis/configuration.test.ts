import { deepEqual, doesNotMatch, equal, match, ok } from "node:assert/strict";
import { changes, header, isCurrent, isVersion, ofVersion, optionsText, settings, clientLine, users, withClient, withoutClient } from "../../../../provider/datastores/redis/configuration";
import { needs, sizeOf } from "../../../../provider/datastores/redis/machine";
import { options, type Options } from "../../../../provider/datastores/redis/options";
import { parse } from "../../../../provider/inputs";

const wanted = (value: object = {}): Options => parse(options, { vendor: "redis", ...value }, "options");
const authority = { key: "-----BEGIN PRIVATE KEY-----\nof nobody\n", certificate: "-----BEGIN CERTIFICATE-----\nof nobody\n" };
const self = { name: "sessions-1-1", address: "198.18.0.11", server: "a", volume: "b" };
const text = (value: object = {}, passwords: [string, ...string[]] = ["s3cr3t-pass-w0rd", "f0rmer-pass-w0rd"]) =>
  optionsText({ owner: { project: "shop", stack: "test", cluster: "sessions" }, members: [self], options: wanted(value) }, self, passwords, authority as never);

describe("a Redis member's configuration", () => {
  it("listens on TLS alone, keeps each write, and lets replicas stay with their primary", () => {
    for (const line of ["port 0", "tls-port 6379", "tls-cluster yes", "tls-replication yes", "cluster-enabled yes", "cluster-allow-replica-migration no", 'appendonly "yes"', 'appendfsync "everysec"', 'save ""', 'cluster-announce-ip "198.18.0.11"'])
      match(text(), new RegExp(`^${line.replace(/[.*]/g, "\\$&")}$`, "m"), line);
    match(text({ persistence: "always" }), /^appendfsync "always"$/m);
    match(text({ persistence: "snapshots", configuration: { save: "900 1" } }), /^save "900 1"$/m);
    match(text({ maxMemory: "256mb" }), /^maxmemory "256mb"$/m);
  });

  it("quotes what a person gives, so that a value stays one", () => {
    match(text({ configuration: { "proc-title-template": 'a "b" # c\\d\té' } }), /^proc-title-template "a \\"b\\" # c\\\\d\\x09é"$/m);
    match(text({ configuration: { "activedefrag": true, "maxclients": 500 } }), /^activedefrag "yes"\nmaxclients "500"$/m);
  });

  it("holds no password of clients or administrators, only what tells them apart", () => {
    doesNotMatch(text(), /pass-w0rd/);
    match(text(), /^user default reset on #[0-9a-f]{64} #[0-9a-f]{64} ~\* &\* \+@all -@dangerous -@admin /m);
    match(text(), /^user datastores reset on #[0-9a-f]{64} ~\* &\* \+@all$/m);
    match(text(), /^user replica reset on #[0-9a-f]{64} \+psync \+replconf \+ping$/m);
  });

  it("has its users apart: with those of others and without any, the rest stays as it was", () => {
    const lines = clientLine(["another-password"]);
    equal(withClient(text(), lines), text({}, ["another-password"]));
    equal(withoutClient(text()), withoutClient(text({}, ["another-password"])));
    doesNotMatch(withoutClient(text()), /^user default /m);
    match(withoutClient(text()), /^masteruser "replica"$/m);
  });

  it("has other passwords under another authority", () =>
    deepEqual(Object.values(users(["same"], authority)).map((rules, index) => rules === Object.values(users(["same"], { ...authority, key: "another" }))[index]), [true, false, false]));

  it("lets in with the password of each authority that is trusted, and follows with the signer's", () => {
    const other = { key: "another", certificate: "-----BEGIN CERTIFICATE-----\nof another\n" };
    const both = { ...other, trusted: [authority] };
    const of = (one: typeof both) => optionsText({ owner: { project: "shop", stack: "test", cluster: "sessions" }, members: [self], options: wanted() }, self, ["s3cr3t-pass-w0rd"], one);
    const hash = (who: string, one: object) => /#\w+/.exec(users(["same"], one as never)[who]!)![0];
    for (const who of ["datastores", "replica"]) ok(users(["same"], both)[who]!.startsWith(`reset on ${hash(who, other)} ${hash(who, authority)} `), who);
    const masterauth = (text: string) => /^masterauth .*$/m.exec(text)![0];
    deepEqual([masterauth(of(both)), masterauth(of(both)) === masterauth(text())], [masterauth(optionsText({ owner: { project: "", stack: "", cluster: "" }, members: [self], options: wanted() }, self, ["x"], other)), false]);
    // One whose key this run does not know is trusted, and has nobody to let in.
    deepEqual(users(["same"], { ...other, trusted: [{ ...authority, key: "" }] }), users(["same"], other));
  });

  it("tells by its first lines what a server has to be started anew for", () => {
    const started = header(wanted({ configuration: { "io-threads": "2", maxclients: "500" } }));
    for (const [change, current] of [
      [{ "io-threads": "2", maxclients: "500" }, true],
      [{ maxclients: "600", "io-threads": "2" }, true],
      [{ "io-threads": "2", maxclients: "500", timeout: "5" }, true],
      [{ "io-threads": "4", maxclients: "500" }, false],
      [{ maxclients: "500" }, false],
      // A server goes back to its own default only when it starts.
      [{ "io-threads": "2" }, false],
    ] as const) equal(isCurrent(wanted({ configuration: change }), started), current, JSON.stringify(change));
    equal(isCurrent(wanted(), ""), false);
    equal(isCurrent(wanted(), header(wanted())), true);
  });

  it("says of each setting that changes how it comes to count", () => {
    const of = (was: object, now: object) => changes(wanted(was), wanted(now));
    equal(of({ configuration: { maxclients: "500", timeout: "5" } }, { configuration: { maxclients: "600", "io-threads": "2" }, maxMemory: "1gb" }), "io-threads at a restart, maxclients live, maxmemory live, timeout at a restart");
    equal(of({}, { restartTrigger: "today" }), "restartTrigger at a restart");
    equal(of({ restartTrigger: "today" }, { restartTrigger: "today" }), "");
  });

  it("is to be started anew for another restartTrigger, and does not tell which", () => {
    const started = header(wanted({ restartTrigger: "because" }));
    deepEqual([isCurrent(wanted({ restartTrigger: "because" }), started), isCurrent(wanted({ restartTrigger: "again" }), started), isCurrent(wanted(), started)], [true, false, false]);
    doesNotMatch(started, /because/);
  });

  it("knows which settings are live in any spelling", () => deepEqual(settings(wanted({ configuration: { "IO-Threads": 2, MaxClients: "5" } })),
    { live: { maxclients: "5", appendonly: "yes", appendfsync: "everysec", save: "" }, fixed: { "io-threads": "2" } }));
});

describe("a Redis member's machine", () => {
  it("has packages of the vendor, of the version that is asked for", () => {
    deepEqual(ofVersion(wanted()), ["redis-server", "xfsprogs"]);
    deepEqual(ofVersion(wanted({ version: "7.0" })), ["redis-server=5:7.0.*", "xfsprogs"]);
    deepEqual(ofVersion(wanted({ vendor: "valkey", version: "8.1" })), ["valkey-server=8.1.*", "xfsprogs"]);
    for (const [version, debian, is] of [["7.0", "5:7.0.15-1~deb12u5", true], ["7.0", "5:7.2.4-1", false], ["8.1", "8.1.1+dfsg1-3", true], [undefined, "5:8.0.2-3", true]] as const)
      equal(isVersion({ version }, debian), is, debian);
  });

  it("has memory for its keys, and for what changes while they are written anew", () => {
    deepEqual(needs(wanted({ maxMemory: "512mb" })).memory, { mib: 640, by: "maxMemory = 512mb and 128 MiB beside it" });
    deepEqual(needs(wanted()).memory, { mib: 128, by: "128 MiB beside the keys" });
    deepEqual(["1", "1k", "1kb", "2M", "2mb", "1g", "1GB", undefined].map(sizeOf), [1, 1000, 1024, 2e6, 2 * 2 ** 20, 1e9, 2 ** 30, undefined]);
  });
});
