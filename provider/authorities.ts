import { Refused } from "./errors";
import { together, type Step } from "./plan";

/** The authorities of a cluster that names none. */
export const only = ["1"];

/** Why a cluster that exists cannot go from some authorities to others in one step: each step leaves members and clients time to trust who signs next. */
export function wrongStep(was: string[], wanted: string[]): string | undefined {
  const [[signs], [signer]] = [was as [string], wanted as [string]];
  const list = (names: string[]) => JSON.stringify(names);
  if (!was.includes(signer)) return `cannot begin with "${signer}", which nobody trusts yet: members and clients would refuse its certificates. Trust it first, ${list([...was, signer])}, and let it sign with the next change`;
  if (!wanted.includes(signs)) return `cannot drop "${signs}", which signs until now, in the same change: let "${signer}" sign first, ${list([signer, ...was.filter((name) => name !== signer)])}, and drop it with the next change`;
  return undefined;
}

/** What is seen of a member's certificates. Left out where there are none yet. */
export interface Certified {
  /** The authorities that it trusts, by name; the first has signed its own certificate. */
  authorities?: string[];
  /** That is in its files: whether its server has taken it a cut left open. */
  unloaded?: true;
  /** Its server goes on to trust one that was dropped, until it is started anew. */
  remembers?: true;
}

type Sights = [name: string, sight: object & Certified & { is: string; hasHadData?: boolean }][];

/** One that a run has made which was cut before any success knew it: it has signed nothing, and its key is gone. */
export const ofAnotherRun = (name: string): string => `${name} of another run`;

/** Whether it trusts one that was dropped. */
export const drops = (wanted: string[], { authorities = [] }: Certified): boolean => authorities.some((name) => ![...wanted, ...wanted.map(ofAnotherRun)].includes(name));
const isSettled = (wanted: string[], { authorities, unloaded }: Certified): boolean => authorities === undefined || (!unloaded && authorities.join() === wanted.join());

/** Whether certificates of members are to be others. */
export const rotates = (wanted: string[], seen: Record<string, unknown>): boolean => Object.values(seen).some((sight) => !isSettled(wanted, sight as Certified));

/**
 * Pure: how members come to the wanted authorities, the rest of their configuration with the last step. At each moment whose certificate a member
 * may meet it trusts: all trust who is to sign before the first has its certificate, and all have that before any drops another. Of a cluster
 * that was never verified nobody is a client, so it takes the last step alone.
 */
export function configures(wanted: string[], sights: Sights, on: (holds: (sight: { configured: boolean } & Certified) => boolean) => string[], settings: string | undefined, evidence: string): Step<"configure">[] {
  const all = sights.some(([, { hasHadData }]) => hasHadData) ? sights.flatMap(([name, { is, authorities, unloaded }]) => (authorities ? [{ name, is, authorities, unloaded }] : [])) : [];
  const unsettled = all.filter((each) => !isSettled(wanted, each));
  if (unsettled.length > 0 && sights.some(([, { is }]) => is === "silent" || is === "starting"))
    throw new Refused("certificates change only while every server that runs answers", evidence, "wait for those that start; mend or restart the server of one that runs and does not answer; then run `pulumi up` again");
  const [signer = ""] = wanted;
  const others = [...new Set(all.flatMap(({ authorities }) => authorities.filter((name) => !wanted.includes(name))))];
  const namesOf = (those: typeof all) => those.map(({ name }) => name);
  const isSigned = ({ authorities: [first] }: { authorities: string[] }) => first === signer;
  const lacks = ({ authorities }: { authorities: string[] }) => !wanted.every((name) => authorities.includes(name));
  const trust = all.every(isSigned) ? [] : all.filter((each) => each.unloaded || lacks(each));
  const sign = others.length === 0 ? [] : all.filter((each) => each.unloaded || !isSigned(each));
  const last = [
    ...(settings === undefined ? [] : [settings]),
    ...(trust.length === 0 && all.some(lacks) ? [trusts(wanted)] : []),
    ...(sign.length === 0 && !all.every(isSigned) ? [signs(signer)] : []),
    ...(others.length > 0 ? [`drops authority ${others.join(", ")}`] : []),
  ];
  return [
    ...stage("trust", namesOf(trust), trusts(wanted)),
    ...stage("sign", namesOf(sign), signs(signer)),
    ...together("configure" as const, on((sight) => !sight.configured || !isSettled(wanted, sight)))
      .map((step) => ({ ...step, ...(others.length > 0 && { what: "drop" }), ...(last.length > 0 && { words: last.join(", ") }) })),
  ];
}

const stage = (what: string, on: string[], words: string): Step<"configure">[] => together("configure" as const, on).map((step) => ({ ...step, what, words }));
const trusts = (wanted: string[]) => (wanted.length === 1 ? `trusts authority ${wanted[0]}` : `trusts authorities ${wanted.join(", ")}`);
const signs = (signer: string) => `certificates by authority ${signer}`;

/** What is remembered of a member that has the certificates of a cluster which names no authority: as little as before there were names. */
export function kept<Sight extends object>(sight: Sight): Sight {
  const { authorities, unloaded, configured } = sight as Certified & { configured?: boolean };
  if (!configured || unloaded || authorities?.join() !== only.join()) return sight;
  const { authorities: _, ...rest } = sight as Certified;
  return rest as Sight;
}

/** What a preview takes it for again; where nothing is remembered, for what was wanted then. */
export function recalled<Sight extends object>(sight: Sight, memory: object | undefined, was: string[]): Sight {
  if ((sight as Certified).authorities !== undefined || !(sight as { configured?: boolean }).configured) return sight;
  return { ...sight, authorities: memory !== undefined && "configured" in memory ? only : was };
}
