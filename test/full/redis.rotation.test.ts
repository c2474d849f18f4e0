import { deepEqual, match, ok } from "node:assert/strict";
import { named, RedisTrial } from "../guests/redis/trial";

const three = named(3, 1);

describe("a Redis cluster whose authority and password are rotated, on real guests", function () {
  const trial = new RedisTrial(this);

  it("is created, and written to", async () => {
    await trial.up();
    await trial.whole(three);
    await trial.write();
  });

  it("has its authority rotated by three changes under a client that verifies, though each is cut: no server restarts, and the former is nobody's then", async () => {
    const [folder, former] = ["/etc/datastores/redis", "-cert /root/former.pem -key /root/former.key"];
    const one = await trial.trust();
    await trial.cluster.guest("sessions-1-1").look(`cp ${folder}/server.pem /root/former.pem; cp ${folder}/server.key /root/former.key`);
    const before = await trial.starts();
    await trial.want({ authorities: ["1", "2"] });
    deepEqual(await trial.previewed(), [`configure ${three.join(" ")} (trusts authorities 1, 2)`, `verify ${three.join(" ")}`]);
    await trial.during("trust another authority, cut", () => trial.cutAndUp("configure", "kill -9 of the CLI", 300));
    await trial.trust();
    await trial.want({ authorities: ["2", "1"] });
    deepEqual(await trial.previewed(), [`configure ${three.join(" ")} (certificates by authority 2)`, `verify ${three.join(" ")}`]);
    await trial.during("another authority signs, cut", () => trial.cutAndUp("configure", "a lost SSH connection", 700));
    await trial.trust();
    await trial.want({ authorities: ["2"] });
    deepEqual(await trial.previewed(), [`configure ${three.join(" ")} (drops authority 1)`, `verify ${three.join(" ")}`]);
    await trial.during("drop the former authority, cut", () => trial.cutAndUp("configure", "Ctrl-C, twice", 300));
    const two = await trial.trust();
    deepEqual(await trial.starts(), before);
    // New connections to all others, on the bus and to whom it follows.
    const primaries = Object.values(await trial.primaries());
    await trial.cluster.guest(three.find((name) => !primaries.includes(name))!).look(`systemctl restart ${trial.server}`);
    await trial.whole(three);
    for (const name of three) {
      const end = (port: number) => `-connect ${trial.cluster.address(name)}:${port}`;
      for (const port of [6379, 16379]) {
        match(await trial.handshake("sessions-1-1", end(port), two, `-cert ${folder}/server.pem -key ${folder}/server.key`), /^Verification: OK$/m);
        match(await trial.handshake("sessions-1-1", end(port), one, former), /^Verification error/m);
      }
      match(await trial.handshake("sessions-1-1", end(16379), two, former), /alert unknown ca/);
    }
    await trial.nothingToDo();
  });

  it("changes its password while the client writes with the old one, though the run is killed: both work until the old one is ended, and no connection breaks", async () => {
    const [{ password: old }, fresh] = [await trial.outputs<{ password: string }>(), "rotated-pass-w0rd"];
    const before = [await trial.starts(), await trial.primaries()];
    const letIn = () => Promise.all(three.map(async (name) => [await trial.letsIn(name, old), await trial.letsIn(name, fresh)]));
    await trial.want({ password: fresh, formerPasswords: [old] });
    deepEqual(await trial.previewed(), [`secure ${three.join(" ")} (new password, 1 former works on)`, `verify ${three.join(" ")}`]);
    await trial.during("rotate the password, killed", () => trial.cutAndUp("secure", "kill -9 of the CLI", 0), { within: 5 });
    deepEqual(await letIn(), three.map(() => [true, true]));
    const { stdout: state } = await trial.stack.pulumi(["stack", "export"]);
    for (const password of [old, fresh]) ok(!state.includes(password));
    trial.changeOver(fresh);
    await trial.want({ formerPasswords: [] });
    await trial.during("end the former password", () => trial.up(), { within: 5 });
    deepEqual(await letIn(), three.map(() => [false, true]));
    deepEqual([await trial.starts(), await trial.primaries()], before);
    await trial.nothingToDo();
  });

  it("lost no acknowledged key in all that", () => trial.nothingLost());
});
