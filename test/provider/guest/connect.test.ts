import { deepEqual, equal, match, notEqual, ok, rejects, throws } from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { Guests } from "../../../provider/guest/guests";
import { connect, fingerprintsOf } from "../../../provider/guest/ssh";
import type { Access } from "../../../provider/inputs";
import { newKey, publicHalf, Reachable, Sshd } from "./sshd";

const host = "127.198.18.21";
const other = publicHalf(newKey()).line;

const fingerprintOf = (line: string): string => fingerprintsOf(line, "access.hostKeys")[0]!;

describe("connect", () => {
  const at = new Reachable(host);
  let mine: string;
  beforeEach(() => { mine = fingerprintOf(publicHalf(at.sshd.hostKey).line); });
  const seconds = async (call: Promise<unknown>) => {
    const began = Date.now();
    await call.catch(() => undefined);
    return (Date.now() - began) / 1000;
  };

  it("at first contact says which host key it trusts from now on", async () => {
    equal((await at.reach()).fingerprint, mine);
    deepEqual(at.said, [`db-1 shows the host key ${mine}; trusted on first use`]);
  });

  it("with its pin connects and says nothing", async () => {
    equal(await (await at.reach(mine)).guest.look("echo in"), "in\n");
    deepEqual(at.said, []);
  });

  it("with another pin stops at once, says both keys and what to do, and logs in nowhere", async () => {
    const call = at.reach(fingerprintOf(other));
    ok(await seconds(call) < 2);
    await rejects(call, { message: `db-1 (${host}) shows the host key ${mine}, expected ${fingerprintOf(other)}: another machine answers there, or its keys were made anew. If that is known, give the new key in access.hostKeys` });
    equal(at.sshd.commands.length, 0);
  });

  it("reads a key in PKCS#8 as any other, and stops at once at what is none, of which it shows nothing", async () => {
    const privateKey = createPrivateKey(at.session.access.privateKey).export({ type: "pkcs8", format: "pem" }) as string;
    equal(await (await at.reach(undefined, { access: { user: "root", privateKey } })).guest.look("echo in"), "in\n");
    const call = at.reach(undefined, { access: { user: "root", privateKey: privateKey.slice(0, 70) } });
    ok(await seconds(call) < 1);
    await rejects(call, { message: "access.privateKey must be an unencrypted private key in OpenSSH or PEM form: give what is in the key's file, whole" });
  });

  it("comes in by a former key where the present one is not let in yet, and says which it was", async () => {
    const stranger = { access: { user: "root", privateKey: newKey() } };
    const { guest, byFormer } = await at.reach(mine, { ...stranger, former: [newKey(), at.key] });
    deepEqual([await guest.look("echo in"), byFormer], ["in\n", true]);
    equal((await at.reach(mine, { former: [newKey()] })).byFormer, false);
    await rejects(at.reach(mine, { ...stranger, seconds: 1, former: [newKey()] }), /All configured authentication methods failed/);
  });

  it("waits for a guest that is still booting", async () => {
    await at.sshd.end();
    const call = at.reach();
    await new Promise((resolve) => setTimeout(resolve, 400));
    await at.listen();
    equal(await (await call).guest.look("echo up"), "up\n");
  });

  it("gives a guest that never answers its time, and says what it last saw", async () => {
    await rejects(connect({ name: "db-9", address: "127.198.18.99" }, { ...at.session, seconds: 1 }),
      { name: "TimedOut", message: "waited 1 s for SSH to db-9 (127.198.18.99); last seen: connect ECONNREFUSED 127.198.18.99:22. "
        + "May this machine reach port 22 there (access.allowedCidrs, routes), or is access.bastion needed? `openstack console log show` tells whether it booted" });
  });

  it("gives a guest that does not know the key its time: cloud-init may still bring it", async () => {
    await rejects(at.reach(undefined, { seconds: 1, access: { user: "root", privateKey: newKey() } }), {
      name: "TimedOut", message: `waited 1 s for SSH to db-1 (${host}); last seen: All configured authentication methods failed. `
        + "Is access.user the user that the image makes, and was the server made with the public half of access.privateKey?",
    });
    deepEqual(at.said, [], "a host that did not let us in is not yet trusted");
  });

  it("a public key in the form of ssh-keyscan is read, anything else refused", () => {
    equal(fingerprintOf(`${host} ${other} comment`), fingerprintOf(other));
    notEqual(fingerprintOf(other), mine);
    match(mine, /^SHA256:[A-Za-z0-9+/]{43}$/);
    throws(() => fingerprintOf("ssh-ed25519"), /access\.hostKeys: not a public host key; give it as ssh-keyscan prints it/);
  });

  it("what is no public key is not shown: it may be a private one", () => {
    throws(() => fingerprintsOf(at.key, "access.hostKeys.db-1"), { message: "access.hostKeys.db-1: not a public host key; give it as ssh-keyscan prints it" });
  });

  it("of the several lines that ssh-keyscan prints, each key counts", async () => {
    deepEqual(fingerprintsOf(`${host} ${other}\n${host} ${publicHalf(at.sshd.hostKey).line}\n`, "access.hostKeys"), [fingerprintOf(other), mine]);
  });

  describe("guests of a run", () => {
    const member = { name: "db-1", address: host, server: "server-1", volume: "volume-1" };
    const gone = { name: "db-2", address: "127.198.18.99", server: "server-2", volume: "volume-2" };
    const guests = (pins: Record<string, string> = {}, access: Partial<Access> = {}, members = [member, gone]) => new Guests(members, pins, { ...at.session, seconds: () => 1,
      access: { ...at.session.access, ...access }, say: (name, line) => { at.said.push(`${name}: ${line}`); } });

    it("are dialled once each, whoever asks", async () => {
      const all = guests();
      await Promise.all([all.reach("db-1"), all.reach("db-1"), all.reach("db-1").then((guest) => guest.look("true"))]);
      await all.reach("db-1");
      equal(at.sshd.connections.length, 1);
      await all.close();
    });

    it("that could not be reached are not dialled again, and hinder no other", async () => {
      const all = guests();
      const first = all.reach("db-2");
      await Promise.all([rejects(first, /db-2/), all.reach("db-1")]);
      ok(await seconds(all.reach("db-2")) < 0.5);
      await all.close();
    });

    it("are pinned by server: what they showed now, or before when not reached", async () => {
      const all = guests({ "server-2": "SHA256:before", "server-gone": "SHA256:gone" });
      await all.reach("db-1");
      deepEqual(await all.shown([member, gone]), { "server-1": mine, "server-2": "SHA256:before" });
      await all.close();
    });

    it("that show another key than before are refused; a new server starts anew; a given key beats both", async () => {
      for (const [pins, hostKeys, connects] of [
        [{ "server-1": fingerprintOf(other) }, undefined, false],
        [{ "server-0": fingerprintOf(other) }, undefined, true],
        [{ "server-1": fingerprintOf(other) }, { "db-1": publicHalf(at.sshd.hostKey).line }, true],
        [{}, { "db-1": other }, false],
      ] as const) {
        const all = guests({ ...pins }, { hostKeys });
        equal(await all.reach("db-1").then(() => true, () => false), connects, JSON.stringify([pins, hostKeys]));
        await all.close();
      }
    });

    describe("through a bastion", () => {
      let bastion: Sshd;
      let port: number;
      let shown: string;
      /** Two guests behind it. */
      const both = [member, { ...member, name: "db-3", server: "server-3" }];
      const jump = "127.198.18.1";
      beforeEach(async () => {
        bastion = new Sshd(at.box, at.key);
        bastion.forwardTo = { address: host, port: 22, family: "IPv4" };
        ({ port } = await bastion.listen(jump, 0));
        shown = fingerprintOf(publicHalf(bastion.hostKey).line);
      });
      afterEach(() => bastion?.end());
      const through = (pins: Record<string, string> = {}, hostKey?: string) => guests(pins, { bastion: { host: jump, user: "jump", port, hostKey } }, both);
      const reached = async (all: Guests) => {
        const results = await Promise.all(both.map(({ name }) => all.reach(name).then((guest) => guest.look("echo in"), (error: Error) => error.message)));
        await all.close();
        return results;
      };

      it("are reached by one connection to it, whose key is trusted on first use, said once, and pinned by its place", async () => {
        const all = through();
        deepEqual(await reached(all), ["in\n", "in\n"]);
        deepEqual([bastion.connections.length, bastion.forwarded, bastion.commands], [1, [`${host}:22`, `${host}:22`], []]);
        deepEqual([...at.said].sort(), [`bastion: bastion shows the host key ${shown}; trusted on first use`, ...both.map(({ name }) => `${name}: ${name} shows the host key ${mine}; trusted on first use`)]);
        deepEqual(await all.shown(both), { "server-1": mine, "server-3": mine, [`${jump}:${port}`]: shown });
      });

      it("are not reached when it shows another key than before, or than the given one, which says the argument", async () => {
        for (const all of [through({ [`${jump}:${port}`]: fingerprintOf(other) }), through({ [`${jump}:${port}`]: shown }, other)]) {
          const began = Date.now();
          const refusals = await reached(all);
          ok(Date.now() - began < 2000);
          for (const message of refusals)
            match(message, /^bastion \(127\.198\.18\.1\) shows the host key SHA256:.*, expected SHA256:.*another machine answers.*give the new key in access\.bastion\.hostKey$/);
        }
        deepEqual([bastion.forwarded, at.said], [[], []]);
      });

      it("are reached by its pin, by a given key whatever is pinned, and by the pin of another place not at all: it is trusted anew", async () => {
        const place = `${jump}:${port}`;
        for (const [all, trusts] of [[through({ [place]: shown }), false], [through({ [place]: fingerprintOf(other) }, publicHalf(bastion.hostKey).line), false], [through({ [`${jump}:1`]: fingerprintOf(other) }), true]] as const) {
          at.said = [];
          deepEqual(await reached(all), ["in\n", "in\n"]);
          equal(at.said.some((line) => line.startsWith("bastion: ")), trusts);
          equal((await all.shown(both))[place], shown);
        }
      });

      it("keep its pin in a run that could not reach it", async () => {
        await bastion.end();
        const all = through({ [`${jump}:${port}`]: shown });
        for (const message of await reached(all)) match(message, /^waited 1 s for SSH to bastion/);
        deepEqual(await all.shown(both), { [`${jump}:${port}`]: shown });
      });

      it("say what may keep them out where it is the bastion, and where it is behind it", async () => {
        const stranger = newKey();
        const silent = through({}, publicHalf(bastion.hostKey).line);
        await at.sshd.end();
        for (const message of await reached(silent)) match(message, /^waited 1 s for SSH to db-\d .* May the bastion reach port 22 there/);
        const keptOut = guests({}, { privateKey: stranger, bastion: { host: jump, user: "jump", port } }, both);
        for (const message of await reached(keptOut)) match(message, /^waited 1 s for SSH to bastion .* Is access\.bastion\.user right, and does that user let the public half of access\.privateKey in\?$/);
        await bastion.end();
        for (const message of await reached(through())) match(message, /^waited 1 s for SSH to bastion .* May this machine reach it, at access\.bastion\.host and access\.bastion\.port\?$/);
      });

      it("are checked by their own pins behind it", async () => {
        const [refusal, well] = await reached(through({ "server-1": fingerprintOf(other) }));
        match(refusal!, /^db-1 .* shows the host key .*give the new key in access\.hostKeys$/);
        equal(well, "in\n");
      });
    });
  });
});
