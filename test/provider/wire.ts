import { deepEqual } from "node:assert/strict";
import { runtime } from "@pulumi/pulumi";
import fc from "fast-check";
import { Struct } from "google-protobuf/google/protobuf/struct_pb.js";

/* eslint-disable @typescript-eslint/no-explicit-any -- what passes the wire has no type */
/** What the engine hands back of what `check` returned: secret objects become their values. */
export const unwrapped = (value: any): any =>
  Array.isArray(value) ? value.map(unwrapped)
    : typeof value !== "object" || value === null ? value
      : value[runtime.specialSigKey] === runtime.specialSecretSig ? value.value
        : Object.fromEntries(Object.entries(value).map(([key, part]) => [key, unwrapped(part)]));

/** Goes to the engine and back unchanged: an `undefined` or a Date would fail there, after the work was done. */
export const survivesTheWire = (value: object): void =>
  deepEqual(Struct.deserializeBinary(Struct.fromJavaScript(value as any).serializeBinary()).toJavaScript(), value);

const paths = (value: unknown): string[][] =>
  typeof value !== "object" || value === null ? [[]] : [[], ...Object.entries(value).flatMap(([key, part]) => paths(part).map((path) => [key, ...path]))];

/** `document` with the magic string for one or more of its parts, at any depth; those named stay known. */
export const withUnknown = (document: object, known: string[]): fc.Arbitrary<object> =>
  fc.subarray(paths(document).filter(([top]) => top !== undefined && !known.includes(top)), { minLength: 1, maxLength: 3 }).map((chosen) => {
    const copy: any = structuredClone(document);
    for (const path of chosen) {
      const owner = path.slice(0, -1).reduce((part, key) => (typeof part === "object" ? part[key] : part), copy);
      if (typeof owner === "object") owner[path.at(-1)!] = runtime.unknownValue;
    }
    return copy;
  });
