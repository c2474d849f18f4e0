import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { bundle, certificatesIn, each, ofThese } from "../../../provider/bundle";
import { newAuthority, newLeaf } from "../../../provider/certificates";
import { showsCertificate, writeCertificates } from "../../../provider/guest/certificates";
import type { Guest } from "../../../provider/guest/guest";
import type { Authority } from "../../../provider/inputs";
import { fast } from "../clock";
import { member } from "../cluster";

const self = member("db-1");
const place = { folder: "/etc/db", owner: "db:db" };

describe("a member's certificates", () => {
  let one: Authority, two: Authority, lost: Authority;
  before(async () => { [one, two, lost] = await Promise.all([newAuthority("db"), newAuthority("db", "2"), newAuthority("db", "2")]); });

  /** A guest with these files; it tells in which order they were changed. */
  const guestWith = (files: Record<string, string>, answers: string[] = []) => {
    const changed: string[] = [];
    const guest: Guest = {
      name: "db-1", say: () => undefined,
      look: async (command) => (command.includes("s_client") ? answers.shift() ?? "" : files[/\w+\.pem/.exec(command)![0]] ?? ""),
      run: async (command) => { changed.push(command); delete files[/\w+\.pem$/.exec(command)![0]]; return ""; },
      write: async (path, text, { mode = "644" } = {}) => { const name = path.split("/").at(-1)!; files[name] = text; changed.push(`${name} ${mode}`); return true; },
    };
    return { guest, files, changed };
  };
  const signedBy = (files: Record<string, string>, authority: Authority) => new X509Certificate(files["server.pem"]!).verify(new X509Certificate(authority.certificate).publicKey);
  const had = async (authority: Authority) => {
    const leaf = await newLeaf(authority, self.name, self.address);
    return { "ca.pem": bundle(authority), "server.pem": leaf.certificate, "server.key": leaf.key };
  };

  it("are written whom it trusts first, and never a certificate beside a key that is not its own", async () => {
    const { guest, files, changed } = guestWith(await had(one));
    const { authority, anew } = await writeCertificates(guest, self, ofThese([two, one]), "sign", place);
    deepEqual([changed, anew], [["ca.pem 644", "rm -f /etc/db/server.pem", "server.key 600", "server.pem 644"], true]);
    deepEqual([each(authority), certificatesIn(files["ca.pem"]!).length], [[two, one], 2]);
    ok(signedBy(files, two) && new X509Certificate(files["server.pem"]!).checkPrivateKey((await import("node:crypto")).createPrivateKey(files["server.key"]!)));
  });

  it("stay as they are where it comes to trust another", async () => {
    const { guest, files, changed } = guestWith(await had(one));
    const { authority, anew } = await writeCertificates(guest, self, ofThese([two, one]), "trust", place);
    deepEqual([changed, anew, each(authority)], [["ca.pem 644"], false, [one, two]]);
    ok(signedBy(files, one));
  });

  it("are verified by an authority that this run does not know until all have others", async () => {
    const { guest, files } = guestWith(await had(lost));
    const [first, second] = each((await writeCertificates(guest, self, two, "trust", place)).authority);
    deepEqual([first!.key, first!.certificate.trim(), second], ["", lost.certificate.trim(), two]);
    ok(signedBy(files, lost));
    deepEqual(each((await writeCertificates(guest, self, two, "sign", place)).authority).map(({ key }) => key !== ""), [true, false]);
    ok(signedBy(files, two));
    deepEqual(each((await writeCertificates(guest, self, two, "drop", place)).authority), [two]);
    equal(files["ca.pem"], two.certificate);
  });

  it("are waited for until the server shows them, and no longer than that is any use", () => fast(async () => {
    const wrong = "verify error:num=19:self-signed certificate in certificate chain\nVerification error: self-signed certificate in certificate chain\n";
    const shows = (...answers: string[]) => showsCertificate(guestWith({}, answers).guest, one, ["-connect 198.18.0.11:1"], place);
    await shows(wrong, wrong, "Verification: OK\n");
    await rejects(shows(...Array.from({ length: 100 }, () => wrong)), (error: Error) => {
      match(error.message, /^waited 60 s for db-1 to show its new certificate \(-connect 198\.18\.0\.11:1\); last seen: verify error:num=19/);
      return true;
    });
  }));
});
