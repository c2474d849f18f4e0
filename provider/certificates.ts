import { createPrivateKey, KeyObject, randomBytes, webcrypto } from "node:crypto";
import type { Authority } from "./inputs";

/** Loaded when something is signed or looked at: a preview with nothing to do would wait for it in vain. */
async function signer(): Promise<typeof import("@peculiar/x509")> {
  await import("reflect-metadata");
  return import("@peculiar/x509");
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const day = 24 * 60 * 60 * 1000;
const lifetime = 10 * 365 * day;
/** A leaf that ends sooner than this is made anew at the next run. */
const renewBefore = 365 * day;

const pair = () => webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]) as Promise<webcrypto.CryptoKeyPair>;
const serialNumber = () => `00${randomBytes(15).toString("hex")}`;
const span = () => ({ notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + lifetime) });

const exportKey = (key: webcrypto.CryptoKey) => KeyObject.from(key).export({ type: "pkcs8", format: "pem" }) as string;
const importKey = (text: string) =>
  webcrypto.subtle.importKey("pkcs8", createPrivateKey(text).export({ type: "pkcs8", format: "der" }), algorithm, true, ["sign"]) as Promise<webcrypto.CryptoKey>;

/** A certificate authority for one cluster, by one of its names. Its key stays in the state, encrypted; guests get leaves only. */
export async function newAuthority(cluster: string, name = "1"): Promise<Authority> {
  const x509 = await signer();
  const keys = await pair();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(), name: `CN=${cluster} authority${name === "1" ? "" : ` ${name}`}`, ...span(), signingAlgorithm: algorithm, keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: certificate.toString("pem"), key: exportKey(keys.privateKey) };
}

/** A member's certificate, for both ends of a connection: members are servers and clients of each other. */
export async function newLeaf(authority: Authority, name: string, address: string) {
  const x509 = await signer();
  const issuer = new x509.X509Certificate(authority.certificate);
  const keys = await pair();
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(), subject: `CN=${name}`, issuer: issuer.subject, ...span(),
    signingKey: await importKey(authority.key), publicKey: keys.publicKey, signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      new x509.SubjectAlternativeNameExtension([
        { type: "dns", value: name }, { type: "dns", value: "localhost" },
        { type: "ip", value: address }, { type: "ip", value: "127.0.0.1" },
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return { certificate: certificate.toString("pem"), key: exportKey(keys.privateKey) };
}

/** Whether `certificate` is a leaf of `authority` for this member that stays valid for a year. */
export async function isLeaf(certificate: string, authority: Authority, name: string, address: string): Promise<boolean> {
  const x509 = await signer();
  try {
    const leaf = new x509.X509Certificate(certificate);
    const issuer = new x509.X509Certificate(authority.certificate);
    const names = leaf.getExtension(x509.SubjectAlternativeNameExtension)?.names.items.map(({ value }) => value) ?? [];
    return names.includes(name) && names.includes(address)
      && leaf.notAfter.getTime() - Date.now() > renewBefore
      && await leaf.verify({ publicKey: issuer.publicKey, signatureOnly: true });
  } catch {
    return false;
  }
}
