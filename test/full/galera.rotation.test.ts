import { deepEqual, match, ok } from "node:assert/strict";
import { GaleraTrial } from "../guests/galera/trial";

const three = ["orders-1", "orders-2", "orders-3"];

describe("a Galera cluster whose authority and password are rotated, on real guests", function () {
  const trial = new GaleraTrial(this);

  it("is created, and written to", async () => {
    await trial.up();
    await trial.whole(three);
    await trial.write();
  });

  it("has its authority rotated by three changes under a client that verifies, though each is cut: nobody restarts before the former is dropped, and then it is nobody's", async () => {
    const [folder, former] = ["/etc/mysql/datastore", "-cert /root/former.pem -key /root/former.key"];
    const one = await trial.trust();
    await trial.cluster.guest("orders-1").look(`cp ${folder}/server.pem /root/former.pem; cp ${folder}/server.key /root/former.key`);
    const before = await trial.starts();
    await trial.want({ authorities: ["2"] });
    match(await trial.refused(["preview"]), /authorities: cannot begin with "2", which nobody trusts yet/);
    await trial.want({ authorities: ["1", "2"] });
    deepEqual(await trial.previewed(), [`configure ${three.join(" ")} (trusts authorities 1, 2)`, `verify ${three.join(" ")}`]);
    await trial.during("trust another authority, cut", () => trial.cutAndUp("configure", "kill -9 of the CLI", 300));
    const both = await trial.trust();
    ok(both.startsWith(one.trim()) && both.length > one.length);
    await trial.want({ authorities: ["2", "1"] });
    deepEqual(await trial.previewed(), [`configure ${three.join(" ")} (certificates by authority 2)`, `verify ${three.join(" ")}`]);
    await trial.during("another authority signs, cut", () => trial.cutAndUp("configure", "a lost SSH connection", 700));
    await trial.trust();
    deepEqual(await trial.starts(), before);
    await trial.want({ authorities: ["2"] });
    deepEqual(await trial.previewed(), [`configure ${three.join(" ")} (drops authority 1)`, ...three.map((name) => `restart ${name}`), `verify ${three.join(" ")}`]);
    await trial.during("drop the former authority, cut", () => trial.cutAndUp("configure", "Ctrl-C, twice", 300));
    const two = await trial.trust();
    await trial.whole(three);
    for (const name of three) {
      const address = trial.cluster.address(name);
      for (const end of [`-starttls mysql -connect ${address}:3306`, `-connect ${address}:4567`]) {
        match(await trial.handshake("orders-1", end, two, `-cert ${folder}/server.pem -key ${folder}/server.key`), /^Verification: OK$/m);
        match(await trial.handshake("orders-1", end, one, former), /^Verification error/m);
      }
      match(await trial.handshake("orders-1", `-connect ${address}:4567`, two, former), /alert unknown ca/);
    }
    await trial.nothingToDo();
  });

  it("changes its password while the client writes with the old one, though the run is killed: both work until the old one is ended, and no connection breaks", async () => {
    const [{ rootPassword: old }, fresh] = [await trial.outputs<{ rootPassword: string }>(), "rotated-pass-w0rd"];
    const before = await trial.starts();
    const letIn = () => Promise.all(three.map(async (name) => [await trial.letsIn(name, old), await trial.letsIn(name, fresh)]));
    await trial.want({ rootPassword: fresh, formerPasswords: [old] });
    deepEqual(await trial.previewed(), ["secure orders-1 (new password, 1 former works on)", `verify ${three.join(" ")}`]);
    await trial.during("rotate the password, killed", () => trial.cutAndUp("secure", "kill -9 of the CLI", 0), { within: 5 });
    deepEqual(await letIn(), three.map(() => [true, true]));
    const { stdout: state } = await trial.stack.pulumi(["stack", "export"]);
    for (const password of [old, fresh]) ok(!state.includes(password));
    trial.changeOver(fresh);
    await trial.want({ formerPasswords: [] });
    await trial.during("end the former password", () => trial.up(), { within: 5 });
    deepEqual(await letIn(), three.map(() => [false, true]));
    deepEqual(await trial.starts(), before);
    await trial.nothingToDo();
  });

  it("lost no acknowledged row in all that", () => trial.nothingLost());
});
