import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { chmodSync, readdirSync, readFileSync, statSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import { Writable } from "node:stream";
import { mock } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import execa from "execa";
import type { CommandFailed } from "../../../provider/errors";
import { lease } from "../../../provider/guest/lease";
import type { Session } from "../../../provider/guest/ssh";
import { fast } from "../clock";
import { newKey, Reachable } from "./sshd";

/** Whether a command that names this folder still runs. */
const leftIn = async (folder: string) => (await execa("pgrep", ["-f", `touch ${folder}/never`], { reject: false })).exitCode === 0;

describe("ssh", () => {
  const at = new Reachable("127.198.18.11");
  const guest = async (more: Partial<Session> = {}) =>
    (await at.reach(undefined, { secrets: ["s3cr3t", "line one\nline two"], ...more })).guest;
  const held = async () => {
    const it = await guest();
    at.box.hold("run-1", 60);
    return it;
  };

  describe("commands", () => {
    it("give back their output as it was, blanks, many bytes and all", async () => {
      const it = await guest();
      equal(await it.look("printf '  a\\n\\nb \\n'"), "  a\n\nb \n");
      equal(await it.look("for i in $(seq 20000); do printf 'ä€😀'; done"), "ä€😀".repeat(20_000));
    });

    it("run in bash, and end at the first error, also of an unset variable or inside a pipe", async () => {
      const it = await guest();
      equal(await it.look("[[ a == a ]] && echo $BASH | sed 's,.*/,,'"), "bash\n");
      for (const command of ["false; echo on", "echo $unset", "false | cat"]) await rejects(it.look(command), { name: "CommandFailed" }, command);
    });

    it("get their stdin whole, and it is in no command", async () => {
      const it = await guest();
      const secret = `${"x".repeat(2_000_000)} 'é" $s3cr3t \\ \n`;
      equal(await it.look("cat", secret), secret);
      equal(await it.look("cat; ps -eo args | grep -c [s]3cr3t-in-argv || true", ""), "0\n");
      ok(at.sshd.commands.every((command) => !command.includes("s3cr3t") || command.includes("[s]3cr3t")));
    });

    it("whose connection was cut in the middle of their stdin do nothing: half of it may mean something else", async () => {
      const it = await held();
      await it.write(join(at.box.folder, "file"), "new content");
      await it.run("tee /run/input >/dev/null", "DROP USER one, two;\n\n");
      const whole = () => [readFileSync(join(at.box.folder, "file"), "utf8"), readFileSync(join(at.box.folder, "run/input"), "utf8")];
      deepEqual(whole(), ["new content", "DROP USER one, two;\n\n"]);
      for (const command of at.sshd.commands.slice(-2))
        for (const arrived of ["", "DROP USER one"]) {
          const { exitCode, stderr } = await execa(...at.box.inside("/bin/sh", "-c", command), { input: arrived, reject: false });
          deepEqual([exitCode, stderr], [1, "the input did not arrive whole"]);
        }
      deepEqual(whole(), ["new content", "DROP USER one, two;\n\n"]);
      equal(readdirSync(at.box.folder).filter((name) => name.includes("file.")).length, 0);
    });

    it("go out as soon as they are written: the kernel holds back none of their packets", async () => {
      const asked = mock.method(Socket.prototype, "setNoDelay");
      try {
        equal(await (await guest()).look("echo done"), "done\n");
        deepEqual(asked.mock.calls.map(({ arguments: [noDelay], this: socket }) => [noDelay, (socket as Socket).remoteAddress]), [[true, at.address]]);
      } finally {
        asked.mock.restore();
      }
    });

    it("without stdin see its end at once", async () => equal(await (await guest()).look("wc -c"), "0\n"));

    it("that fail say where, what, the exit code and the end of the errors", async () => {
      await rejects((await guest()).look("echo one >&2; echo two >&2; exit 7"), { name: "CommandFailed", code: 7, message: "db-1: `echo one >&2; echo two >&2; exit 7` failed (exit code 7): one | two" });
    });

    it("that fail show no secret: not in the command, not in the errors, not in the kept ones", async () => {
      await rejects((await guest()).look("echo 's3cr3t and line one\nline two' >&2; exit 1 # s3cr3t"), (error: CommandFailed) => {
        for (const text of [error.message, error.stderr, error.stack!]) ok(!text.includes("s3cr3t") && !text.includes("line two"), text);
        equal(error.stderr, "[secret] and [secret]\n");
        return true;
      });
    });

    it("that change something need the lease of their run; others do not", async () => {
      const it = await guest();
      await rejects(it.run("touch /run/changed"), { code: 75, message: /^db-1: `touch \/run\/changed` failed .*this run no longer holds the lease of this guest$/ });
      await lease([it], "run-1", "test").then(async ({ release }) => {
        equal(await it.run("touch /run/changed; echo done"), "done\n");
        await release();
      });
      deepEqual(readdirSync(join(at.box.folder, "run")).sort(), ["changed", "datastores"]);
    });

    it("go through sudo unless the user is root, and read no start-up file, which might print", async () => {
      const it = await guest({ access: { ...at.session.access, user: "debian" } });
      await it.look("true").catch(() => undefined);
      match(at.sshd.commands[0]!, /^sudo -n timeout 60 \/bin\/bash --norc -euo pipefail -c true$/);
    });

    it("whose connection is cut say so", async () => {
      const it = await guest();
      const slow = it.look("sleep 30");
      setTimeout(() => at.sshd.cut(), 300);
      await rejects(slow, { name: "CommandFailed", code: null, message: /^db-1: `sleep 30` failed \(the connection was lost\)/ });
      await rejects(it.look("true"), { name: "CommandFailed", code: null, message: /the connection was lost/ });
    });

    it("that nothing ends on their guest are given up with it, half a minute after their time", async () => {
      const it = await guest();
      const began = performance.now();
      await fast(() => rejects(it.look("trap '' TERM; sleep 20"), { name: "CommandFailed", code: null, message: /\(the connection was lost\): .*it did not end within 60 s$/ }));
      ok(performance.now() - began < 5000);
    });

    it("say so too when the connection was cut between two of them, which harms nobody else", async () => {
      const it = await guest();
      await it.look("true");
      at.sshd.cut();
      await sleep(100);
      await rejects(it.look("true"), { name: "CommandFailed", code: null, message: /the connection was lost/ });
    });
  });

  describe("what is followed", () => {
    const follow = async (command: string, act: (told: string[]) => void = () => undefined, more: Partial<Session> = {}) => {
      const told: string[] = [];
      const until = new AbortController();
      const { follow: over } = await at.reach(undefined, { secrets: ["s3cr3t"], ...more });
      const to = new Writable({ write: (line: Buffer, _, done) => { told.push(line.toString()); act(told); done(); } });
      return { told, until, ended: over(command, to, until.signal) };
    };

    it("is written line by line as it comes, without secrets", async () => {
      const { told, ended } = await follow("echo one; printf 'ä\\xf0\\x9f'; sleep 0.1; printf '\\x98\\x80\\n'; echo s3cr3t; printf end");
      await ended;
      deepEqual(told, ["one\n", "ä😀\n", "[secret]\n", "end\n"]);
    });

    it("shows of a secret of several lines none that could tell it, and leaves words that only look like a part", async () => {
      const key = newKey();
      const lines = key.trim().split("\n");
      ok(lines.length > 3);
      const { told, ended } = await follow(`cat <<'END'\n${key}key: ${lines[1]} ends\none two\nEND`, undefined, { secrets: [key, "one\ntwo words"] });
      await ended;
      deepEqual(told, [...lines.map(() => "[secret]\n"), "key: [secret] ends\n", "one two\n"]);
    });

    it("ends on its guest too when it is to end", async () => {
      let end = () => undefined as void;
      const { until, ended } = await follow(`echo begun; while sleep 0.1; do echo on; done; touch ${join(at.box.folder, "never")}`, ({ length }) => { if (length === 3) end(); });
      end = () => until.abort();
      await ended;
      for (let waited = 0; waited < 100 && (await leftIn(at.box.folder)); waited++) await sleep(20);
      equal(await leftIn(at.box.folder), false);
    });

    it("waits for a reader that is slow", async () => {
      const { follow: over } = await at.reach();
      let count = 0;
      await over("seq 5000", new Writable({ highWaterMark: 10, write: (_line, _, done) => { count += 1; setImmediate(done); } }), new AbortController().signal);
      equal(count, 5000);
    });

    it("that fails says so as any other command", async () => {
      await rejects((await follow("echo one; echo s3cr3t >&2; exit 7")).ended, { name: "CommandFailed", code: 7, message: "db-1: `echo one; echo [secret] >&2; exit 7` failed (exit code 7): [secret]" });
    });

    it("whose connection is cut says so, before and in the middle", async () => {
      const { ended } = await follow("echo one; sleep 30", () => at.sshd.cut());
      await rejects(ended, { name: "CommandFailed", code: null, message: /the connection was lost/ });
      const { follow: over } = await at.reach();
      at.sshd.cut();
      await sleep(100);
      await rejects(over("true", new Writable(), new AbortController().signal), { name: "CommandFailed", code: null, message: /the connection was lost/ });
    });
  });

  describe("write", () => {
    const file = (name = "file") => join(at.box.folder, name);

    it("makes a file with its content, mode and owner", async () => {
      const it = await held();
      equal(await it.write(file(), "a'b\"c\\d$e\n\n", { mode: "600", owner: "nobody:nogroup" }), true);
      const { mode, uid, gid } = statSync(file());
      deepEqual([readFileSync(file(), "utf8"), mode & 0o7777, uid, gid], ["a'b\"c\\d$e\n\n", 0o600, 65534, 65534]);
    });

    it("says false and touches nothing when content, mode and owner are so already", async () => {
      const it = await held();
      equal(await it.write(file(), "content"), true);
      const { ino } = statSync(file());
      equal(await it.write(file(), "content"), false);
      equal(statSync(file()).ino, ino);
      deepEqual(readdirSync(at.box.folder).sort(), ["file", "run"]);
      for (const [content, how] of [["content", { mode: "0600" }], ["content", { mode: "0600", owner: "nobody:root" }], ["other", { mode: "0600", owner: "nobody:root" }]] as const)
        equal(await it.write(file(), content, how), true, JSON.stringify(how));
    });

    it("repairs a mode that was changed by hand, and leaves no file of its own", async () => {
      const it = await held();
      await it.write(file(), "content", { mode: "600" });
      chmodSync(file(), 0o644);
      equal(await it.write(file(), "content", { mode: "600" }), true);
      equal(statSync(file()).mode & 0o777, 0o600);
      deepEqual(readdirSync(at.box.folder).sort(), ["file", "run"]);
    });

    it("replaces in one move: who reads sees the old or the new", async () => {
      const it = await held();
      await it.write(file(), "old");
      const { ino } = statSync(file());
      await it.write(file(), "new");
      ok(statSync(file()).ino !== ino);
    });

    it("needs the lease, and its content is in no command", async () => {
      const it = await guest();
      await rejects(it.write(file(), "s3cr3t"), { code: 75 });
      ok(!at.sshd.commands.join().includes("s3cr3t"));
      deepEqual(readdirSync(at.box.folder), ["run"]);
    });

    it("fails where it cannot write, and leaves nothing", async () => {
      await rejects((await held()).write(file("no/such/folder"), "x"), { name: "CommandFailed" });
      deepEqual(readdirSync(at.box.folder), ["run"]);
    });
  });
});
