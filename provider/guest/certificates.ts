import { afterStep, bundle, each } from "../bundle";
import { isLeaf, newLeaf } from "../certificates";
import type { Authority } from "../inputs";
import type { Member } from "../topology";
import { eventually } from "./eventually";
import type { Guest } from "./guest";
import { sh } from "./shell";

/** Seconds for a server to show a certificate that it was told to read. */
const showSeconds = 60;

interface Place {
  folder: string;
  /** User and group of the server, which alone reads the key. */
  owner: string;
  /** User and group of what anybody may read. */
  shared?: string;
}

export const presentBundle = (guest: Guest, { folder }: Pick<Place, "folder">): Promise<string> => guest.look(sh`cat ${`${folder}/ca.pem`} 2>/dev/null || true`);

/**
 * Writes the certificates that a member has after a step: whom it trusts first, which the options file does not say until its server has taken all.
 * A certificate goes before its key is another: a cut between them must not leave two that do not belong together.
 */
export async function writeCertificates(guest: Guest, member: Member, wanted: Authority, what: string | undefined, { folder, owner, shared }: Place): Promise<{ authority: Authority; anew: boolean }> {
  const authority = afterStep(what, wanted, await presentBundle(guest, { folder }));
  await guest.write(`${folder}/ca.pem`, bundle(authority), { owner: shared });
  const present = await guest.look(sh`cat ${folder}/server.pem 2>/dev/null || true`);
  const anew = !(await isLeaf(present, authority, member.name, member.address));
  if (anew) {
    const leaf = await newLeaf(authority.key === "" ? wanted : authority, member.name, member.address);
    await guest.run(sh`rm -f ${folder}/server.pem`);
    await guest.write(`${folder}/server.key`, leaf.key, { mode: "600", owner });
    await guest.write(`${folder}/server.pem`, leaf.certificate, { owner: shared });
  }
  return { authority, anew };
}

/** Waits until a server shows at each of these ends, to who has a certificate of the cluster, one that the first of the authorities has signed. */
export async function showsCertificate(guest: Guest, authority: Authority, ends: string[], { folder }: Pick<Place, "folder">): Promise<void> {
  const [signer] = each(authority);
  for (const end of ends)
    await eventually(`${guest.name} to show its new certificate (${end})`, { seconds: showSeconds, every: 1000, say: guest.say }, async () => {
      const answer = await guest.look(`timeout 10 openssl s_client ${sh`${end.split(" ")} -cert ${folder}/server.pem -key ${folder}/server.key`} -verify_return_error -CAfile /dev/stdin 2>&1 || true`, signer!.certificate);
      return /^Verif(ication: OK|y return code: 0 )/m.test(answer) || (/(verify error|error|errno).*/i.exec(answer)?.[0] ?? "no certificate");
    });
}
