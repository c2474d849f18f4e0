import { createHash, X509Certificate } from "node:crypto";
import { ofAnotherRun, type Certified } from "./authorities";
import type { Authority } from "./inputs";

/** Each of them, in the order of their names: the first signs, and all are trusted. */
export const each = ({ trusted = [], ...signer }: Authority): Authority[] => [signer, ...trusted];

/** Of these the first signs. */
export const ofThese = ([signer, ...trusted]: Authority[]): Authority => ({ ...signer!, ...(trusted.length > 0 && { trusted }) });

/** What members verify each other by, and clients verify members. */
export const bundle = ({ certificate, trusted = [] }: Pick<Authority, "certificate" | "trusted">): string =>
  [certificate, ...trusted.map((other) => other.certificate)].map((text, index, all) => (index < all.length - 1 ? `${text.trimEnd()}\n` : text)).join("");

/** The certificates in a bundle. */
export const certificatesIn = (text: string): string[] => text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];

export const isSame = (some: string, other: string): boolean => some.trim() === other.trim();

/** The name under which an authority was made; one that a run has made which was cut may have the name of one that is wanted. */
function nameOf(pem: string, names: string[]): string {
  const [, name = "1"] = /^CN=\S+ authority(?: (\S+))?$/m.exec(new X509Certificate(pem).subject) ?? [];
  return names.includes(name) ? ofAnotherRun(name) : name;
}

/** What a guest tells of a member's certificates: its bundle, and the sum of that which its server has taken as the options file says. */
export function certified(names: string[], authority: Authority, { bundle: text = "", record, dropped = "" }: { bundle?: string; record?: string; dropped?: string }): Certified {
  if (text === "") return {};
  const known = each(authority);
  const named = (pem: string): string => names[known.findIndex(({ certificate }) => isSame(certificate, pem))] ?? nameOf(pem, names);
  const trusted = known.map(({ certificate }) => sumOf(certificate));
  return {
    authorities: certificatesIn(text).map(named),
    ...(record !== sha256(text) && { unloaded: true as const }),
    ...(dropped.split(" ").some((sum) => sum !== "" && !trusted.includes(sum)) && { remembers: true as const }),
  };
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
export const sumOf = (certificate: string): string => sha256(certificate.trim());

/**
 * The authorities that a member has after a step, of those in its bundle and those that are wanted. Of one that is no part of this run
 * the key is not known: it signs nothing, and is kept for as long as others may show its certificates.
 */
export function afterStep(what: string | undefined, wanted: Authority, present: string): Authority {
  if (what !== "trust" && what !== "sign") return wanted;
  const known = each(wanted);
  const has = (those: Authority[], pem: string) => those.find(({ certificate }) => isSame(certificate, pem));
  const there = certificatesIn(present).map((pem) => has(known, pem) ?? { certificate: `${pem}\n`, key: "" });
  const [first, second] = what === "trust" ? [there, known] : [known.slice(0, 1), [...there, ...known]];
  return ofThese(second.reduce((all, one) => (has(all, one.certificate) ? all : [...all, one]), first));
}
