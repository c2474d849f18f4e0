import { deepEqual, ok } from "node:assert/strict";
import fc from "fast-check";
import { clientLine, sha256, withoutClient } from "../../../../provider/datastores/redis/configuration";
import { observe } from "../../../../provider/datastores/redis/observe";
import { plan } from "../../../../provider/datastores/redis/plan";
import type { Sight } from "../../../../provider/datastores/redis/sight";
import { steps } from "../../../../provider/datastores/redis/steps";
import { describe as lines } from "../../../../provider/plan";
import { fast } from "../../clock";
import { named } from "./model";
import { guests } from "./servers";

type Passwords = [string, ...string[]];
const six = named(3, 1);

/** One look, one plan and its steps, with these passwords; ends where the run is cut. */
async function run({ redis, memberOf }: ReturnType<typeof guests>, passwords: Passwords): Promise<string[]> {
  const cluster = { ...redis, passwords };
  const seen = Object.fromEntries(await Promise.all(six.map(async (name): Promise<[string, Sight]> => [name, await observe(cluster, memberOf(name))])));
  const planned = plan({ members: six }, seen);
  try {
    for (const step of planned) await Promise.all(step.on.map((name) => steps[step.do](cluster, memberOf(name), step)));
  } catch (error) {
    if ((error as Error).message !== "the run is cut") throw error;
  }
  return lines(planned);
}

const holds = (all: ReturnType<typeof guests>, passwords: Passwords): void => {
  for (const { name, users, file } of Object.values(all.servers)) {
    deepEqual([...users.default!].sort(), passwords.map(sha256).sort(), name);
    ok(file.includes(clientLine(passwords)), name);
  }
};

describe("a rotation of Redis' passwords", () => {
  it("is one step on all members, which changes users and nothing else, and names no password", () => fast(async () => {
    const all = guests(six);
    const before = all.servers["db-1-1"]!.file;
    deepEqual(await run(all, ["new-password", "not-a-secret"]), [`secure ${six.join(" ")}`, `verify ${six.join(" ")}`]);
    holds(all, ["new-password", "not-a-secret"]);
    deepEqual(withoutClient(all.servers["db-1-1"]!.file), withoutClient(before));
    deepEqual(all.ran.filter((line) => !/ACL SETUSER|writes its options|systemctl enable|marked/.test(line)), []);
    ok(!/new-password|not-a-secret/.test(all.ran.join("\n")));
    deepEqual(await run(all, ["new-password", "not-a-secret"]), []);
  }));

  it("waits for who reads its data: its file alone would be seen as wanted, and it would go on with the former password", () => fast(async () => {
    const all = guests(six);
    all.servers["db-2-2"]!.reads = Date.now() + 100_000;
    deepEqual(await run(all, ["new-password", "not-a-secret"]), [`secure ${six.join(" ")}`, "start db-2-2", `verify ${six.join(" ")}`]);
    holds(all, ["new-password", "not-a-secret"]);
    deepEqual(await run(all, ["new-password", "not-a-secret"]), []);
  }));

  it("is seen where the file says so and the server does not yet, and where the server does and the file does not", () => fast(async () => {
    for (const spoil of [(server: ReturnType<typeof guests>["servers"][string]) => server.users.default!.push(sha256("ended")), (server: { file: string }) => { server.file = server.file.replace(/#\w+/, `#${sha256("ended")}`); }]) {
      const all = guests(six);
      spoil(all.servers["db-2-1"]!);
      deepEqual(await run(all, ["not-a-secret"]), ["secure db-2-1", `verify ${six.join(" ")}`]);
      holds(all, ["not-a-secret"]);
    }
  }));

  it("ends with exactly the wanted passwords, wherever it is cut, planned again, or taken back", () => fc.assert(fc.asyncProperty(
    fc.shuffledSubarray(["not-a-secret", "new-password", "another-password"], { minLength: 1 }), fc.shuffledSubarray(["not-a-secret", "new-password", "another-password"], { minLength: 1 }), fc.nat(26), fc.option(fc.nat(26)),
    (first, then, cut, again) => fast(async () => {
      const all = guests(six);
      all.cut.after = cut;
      await run(all, first as Passwords);
      all.cut.after = again === null ? Infinity : all.ran.length + again;
      await run(all, then as Passwords);
      all.cut.after = Infinity;
      await run(all, then as Passwords);
      holds(all, then as Passwords);
      deepEqual(await run(all, then as Passwords), []);
      deepEqual(all.ran.filter((line) => /CLUSTER|systemctl (?!enable)/.test(line)), []);
    })), { numRuns: 20 }));
});
