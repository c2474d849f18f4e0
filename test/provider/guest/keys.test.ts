import { equal, rejects } from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { admit, dismiss } from "../../../provider/guest/keys";
import type { Guest } from "../../../provider/guest/guest";
import { Box, needsRoot } from "./box";

const [first, second] = ["ssh-ed25519 AAAAfirst cloud", "ssh-ed25519 AAAAsecond"] as const;

describe("keys on a guest", () => {
  let box: Box;
  let home: string;
  let guest: Guest;
  let written: string[];
  before(needsRoot);
  beforeEach(() => {
    box = new Box();
    home = join(box.folder, "home of root");
    mkdirSync(home);
    box.hold("run-1", 60);
    written = [];
    const its = box.guest("run-1");
    // Only its home is another than this machine's root has.
    const inHome = (command: string) => `getent() { echo "root:x:0:0:root:${home}:/bin/bash"; }; ${command}`;
    guest = {
      ...its, look: (command, input) => its.look(inHome(command), input), run: (command, input) => its.run(inHome(command), input),
      write: async (path, content, { mode = "", owner = "" } = {}) => {
        written.push(`${mode} ${owner}`);
        writeFileSync(path, content);
        return true;
      },
    };
  });
  afterEach(() => box?.end());
  const file = () => join(home, ".ssh/authorized_keys");

  it("come beside those that are there, and are not written again", async () => {
    mkdirSync(join(home, ".ssh"));
    writeFileSync(file(), `# of the cloud\n${first}`);
    await admit(guest, "root", second);
    await admit(guest, "root", second);
    equal(readFileSync(file(), "utf8"), `# of the cloud\n${first}\n${second} pulumi-openstack-datastores\n`);
    equal(written.join(), "600 root:root");
    await dismiss(guest, "root", [first], second);
    equal(readFileSync(file(), "utf8"), `# of the cloud\n${second} pulumi-openstack-datastores\n`);
    await dismiss(guest, "root", [first], second);
    equal(written.length, 2);
  });

  it("come to a user who has none yet, in a folder of their own alone", async () => {
    await admit(guest, "root", second);
    equal(readFileSync(file(), "utf8"), `${second} pulumi-openstack-datastores\n`);
    equal(statSync(join(home, ".ssh")).mode & 0o777, 0o700);
  });

  it("stay where the present one is not among them", async () => {
    await rejects(dismiss(guest, "root", [first], second), /the former key is kept/);
    equal(existsSync(file()), false);
  });
});
