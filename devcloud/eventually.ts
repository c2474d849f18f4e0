import { setTimeout } from "node:timers/promises";

/** Tries until `check` gives a value; the error says what was waited for and how the last try failed. */
export async function eventually<T>(what: string, seconds: number, check: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (let last = ""; ; await setTimeout(200)) {
    try {
      const value = await check();
      if (value !== undefined) return value;
    } catch (error) {
      last = `: ${(error as Error).message}`;
    }
    if (Date.now() > deadline) throw new Error(`waited ${seconds} s for ${what}${last}`);
  }
}
