import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import execa from "execa";
import { cached, cacheFolder } from "../../tools/cache";

describe("the cache of what is built", function () {
  this.timeout(60_000);
  const before = process.env.DATASTORES_CACHE;
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "datastores-cache-"));
    process.env.DATASTORES_CACHE = root;
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
    if (before === undefined) delete process.env.DATASTORES_CACHE;
    else process.env.DATASTORES_CACHE = before;
  });

  const entry = (from: unknown, build: (folder: string) => Promise<void>) => ({ name: "thing", title: "making a thing", from, build });
  const quiet = () => undefined;

  it("gives folders that only their owner can enter", () => {
    assert.equal(cacheFolder("a", "b"), join(root, "a", "b"));
    assert.equal(statSync(join(root, "a")).mode & 0o777, 0o700);
    assert.equal(statSync(join(root, "a", "b")).mode & 0o777, 0o700);
  });

  it("builds an entry once, and again when what goes in has changed", async () => {
    const built: number[] = [];
    const thing = (from: number) =>
      cached(entry(from, async (folder) => writeFileSync(join(folder, "is"), String(built.push(from)))), quiet);
    const places = [await thing(1), await thing(1), await thing(2), await thing(1)];
    assert.deepEqual(built, [1, 2]);
    assert.deepEqual(places.map((place) => readFileSync(join(place, "is"), "utf8")), ["1", "1", "2", "1"]);
  });

  it("keeps nothing of a build that failed", async () => {
    const failing = entry(1, async (folder) => {
      writeFileSync(join(folder, "half"), "");
      throw new Error("no more");
    });
    await assert.rejects(cached(failing, quiet), /no more/);
    assert.deepEqual(readdirSync(cacheFolder("thing")).filter((name) => !name.endsWith(".lock")), []);
  });

  const log = () => join(root, "log");
  const sleeper = (seconds: number) =>
    execa("node", ["-r", "ts-node/register/transpile-only", join(__dirname, "cached-sleep.ts"), log(), String(seconds)], { reject: false });

  it("builds once for two processes that want the same at once, and the second says what it waits for", async () => {
    const [first, second] = await Promise.all([sleeper(5), sleeper(5)]);
    const place = (stdout: string) => /^place: (.*)$/m.exec(stdout)?.[1];
    assert.equal(readFileSync(log(), "utf8"), "built\n");
    assert.ok(existsSync(join(place(first.stdout)!, "slept")));
    assert.equal(place(first.stdout), place(second.stdout));
    assert.match(first.stdout + second.stdout, /another run is at it, waiting for it/);
  });

  for (const signal of ["SIGINT", "SIGTERM"] as const)
    it(`leaves no half entry and no process after ${signal}, and builds anew after it`, async () => {
      const seconds = signal === "SIGINT" ? 321.5 : 322.5;
      const process = sleeper(seconds);
      while (!existsSync(log()) || !(await sleeps(seconds))) await new Promise((resolve) => setTimeout(resolve, 50));
      process.kill(signal);
      assert.equal((await process).signal, signal);
      assert.equal(await sleeps(seconds), false);
      assert.deepEqual(readdirSync(cacheFolder("sleep")).filter((name) => !name.endsWith(".lock")), []);
      assert.match((await sleeper(0)).stdout, /^place: /m);
    });
});

/** Whether a `sleep` of just these seconds runs. */
async function sleeps(seconds: number): Promise<boolean> {
  return !(await execa("pgrep", ["-fx", `sleep ${seconds}`], { reject: false })).failed;
}
