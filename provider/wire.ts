import { isDeepStrictEqual } from "node:util";
import { runtime, type dynamic } from "@pulumi/pulumi";

/** In a preview a value that is not known yet arrives as one magic string, whatever its type, at any depth. */
export const isUnknown = (value: unknown): boolean => value === runtime.unknownValue;

/** Whether any part of `value` is unknown yet: then no rule that touches it can be checked. */
export const hasUnknown = (value: unknown): boolean =>
  isUnknown(value) || (typeof value === "object" && value !== null && Object.values(value).some(hasUnknown));

/** The keys whose values are known and differ. */
export function differing(was: unknown, wanted: unknown): string[] {
  if (isUnknown(wanted)) return [];
  const [olds, news] = [was ?? {}, wanted ?? {}] as [Record<string, unknown>, Record<string, unknown>];
  return [...new Set([...Object.keys(olds), ...Object.keys(news)])]
    .filter((key) => !hasUnknown(news[key]) && !isDeepStrictEqual(olds[key], news[key]));
}

/** Marks a value that `check` made as secret: the provider sees plain values, so the engine cannot know. */
export const secret = <T>(value: T): T =>
  ({ [runtime.specialSigKey]: runtime.specialSecretSig, value }) as T;

/** A failure of `check`, for people. Of a property that is named the engine prints the value beside it, be it a password: so none is named. */
export const failure = ({ property, reason }: dynamic.CheckFailure): dynamic.CheckFailure => ({ property: "", reason: `${property}: ${reason}` });

/** Plain JSON: an `undefined` or a Date in a result fails the call after its work was done. */
export const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
