import { equal, ok } from "node:assert/strict";
import { CommandFailed, reason, Refused, StepFailed, TimedOut } from "../../provider/errors";

describe("errors", () => {
  it("a refusal says its rule, what was seen, and the way forward", () => {
    const refused = new Refused("one history", "db-1 has another", "decide");
    equal(refused.message, "refused: one history. Seen: db-1 has another. Way forward: decide.");
    equal(refused.rule, "one history");
  });

  it("a failed command shows its first line and the end of its errors, and keeps them whole", () => {
    const stderr = Array.from({ length: 9 }, (_, line) => `error ${line}`).join("\n");
    const failed = new CommandFailed("db-1", "\n  set -e\nsecond line", 3, stderr);
    equal(failed.message, "db-1: `set -e` failed (exit code 3): error 5 | error 6 | error 7 | error 8");
    equal(failed.stderr, stderr);
    equal(failed.code, 3);
  });

  it("a failed command that found no room says the way forward", () => equal(
    new CommandFailed("db-1", "install -d /data", 1, "install: cannot create directory '/data': No space left on device\n").message,
    "db-1: `install -d /data` failed (exit code 1): install: cannot create directory '/data': No space left on device. Way forward: make room on db-1, where `df -h` shows which disk is full, then run `pulumi up` again"));

  it("a long command is shortened", () => ok(new CommandFailed("db-1", "x".repeat(9_999), 1, "").message.length < 200));

  it("a failed command without an error or an exit code says so", () => {
    equal(new CommandFailed("db-1", "true", null, " \n").message, "db-1: `true` failed (the connection was lost): it printed no error");
  });

  it("a wait says what was last seen", () => equal(new TimedOut("SSH", 3, "no answer").message, "waited 3 s for SSH; last seen: no answer"));

  it("a failed step keeps its cause", () => {
    const cause = new Error("no donor");
    const failed = new StepFailed("join", "db-2", cause);
    equal(failed.message, "join db-2: no donor");
    equal(failed.cause, cause);
  });

  it("a step that waited in vain says the way forward", () => equal(new StepFailed("join", "db-2", new TimedOut("db-2 to join", 3, "db-2 does not answer yet")).message,
    "join db-2: waited 3 s for db-2 to join; last seen: db-2 does not answer yet. Way forward: read `sudo journalctl -e` on the members named here, then run `pulumi up` again"));

  it("a name tells each kind, also behind the engine's walls", () => {
    for (const [error, name] of [[new Refused("", "", ""), "Refused"], [new CommandFailed("", "", 0, ""), "CommandFailed"],
      [new TimedOut("", 0, ""), "TimedOut"], [new StepFailed("", "", ""), "StepFailed"]] as const) equal(error.name, name);
  });

  it("a reason is a text whatever was thrown", () => {
    equal(reason(new Error("why")), "why");
    equal(reason("why"), "why");
  });
});
