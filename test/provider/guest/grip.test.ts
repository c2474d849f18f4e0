import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { once } from "node:events";
import execa from "execa";
import { gripOf, letGo } from "../../../provider/guest/grip";
import { lease, onlyUnder } from "../../../provider/guest/lease";
import { Box, needsRoot } from "./box";

describe("the grip on a guest", function () {
  this.timeout(30_000);
  before(needsRoot);
  let box: Box;
  const begun: execa.ExecaChildProcess[] = [];
  beforeEach(() => { box = new Box(); });
  afterEach(async () => {
    for (const each of begun.splice(0)) {
      // With its children, which outlive a shell that is killed.
      if (each.exitCode === null && each.signalCode === null) process.kill(-each.pid!, "SIGKILL");
      await each;
    }
    box.end();
  });

  /** A command of a run that holds the lease, once it has begun: it prints a line then. */
  const runs = async (command: string) => {
    const child = execa(...box.inside("/bin/bash", "--norc", "-euo", "pipefail", "-c", `${onlyUnder("run-1")}\necho begun; ${command}`), { stdin: "ignore", reject: false, detached: true });
    begun.push(child);
    await once(child.stdout!, "data");
    return { ended: () => child };
  };

  it("is nobody's where no run ever was", async () => {
    deepEqual(await gripOf(box.guest("run-2")), { commands: [] });
    deepEqual(box.held, []);
  });

  it("is told, and stays: the lease, and the commands of that run with their own words", async () => {
    box.hold("run-1", 20);
    await runs("sleep 20; true");
    const { lease: of, commands } = await gripOf(box.guest("run-2"));
    deepEqual([of!.title, of!.seconds > 15 && of!.seconds <= 20], ["shop/test: create 3 members, on laptop", true]);
    deepEqual(commands.map(({ words, ended }) => [words, ended]), [["echo begun; sleep 20; true", undefined], ["sleep 20", undefined]]);
    for (const { elapsed } of commands) match(elapsed, /^[\d:-]+$/);
    equal(box.held[0], "run-1");
    equal((await gripOf(box.guest("run-2"))).commands.length, 2);
  });

  it("is that of a dead run for as long as a command of it runs", async () => {
    box.hold("run-1", 20);
    await runs("sleep 20; true");
    box.hold("run-1", -7);
    const { lease: of, commands } = await gripOf(box.guest("run-2"));
    deepEqual([of!.seconds <= -7, commands.length], [true, 2]);
  });

  it("is ended with its commands and no other process, and the run is refused its next", async () => {
    const bystander = execa("sleep", ["20"], { reject: false, detached: true });
    begun.push(bystander);
    box.hold("run-1", 20);
    const command = await runs("sleep 20; true");
    const { lease: of, commands } = await letGo(box.guest("run-2"));
    equal(of!.title, "shop/test: create 3 members, on laptop");
    deepEqual(commands.map(({ ended }) => ended), ["TERM", "TERM"]);
    ok((await command.ended()).exitCode !== 0);
    deepEqual([box.held, bystander.exitCode], [[], null]);
    await rejects(box.guest("run-1").run("touch /run/changed"), /this run no longer holds the lease/);
    await lease([box.guest("run-3")], "run-3", "next").then(({ release }) => release());
  });

  it("kills what does not end when it is told to", async () => {
    box.hold("run-1", 20);
    await runs("trap '' TERM; sleep 40; true");
    deepEqual((await letGo(box.guest("run-2"))).commands.map(({ ended }) => ended), ["KILL", "KILL"]);
    deepEqual(await gripOf(box.guest("run-2")), { commands: [] });
  });

  it("is ended twice as well as once", async () => {
    await letGo(box.guest("run-2"));
    deepEqual(await letGo(box.guest("run-2")), { commands: [] });
  });
});
