import { equal } from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Compares with a stored text. With GOLDEN=1 it is rewritten, and its diff is reviewed as behaviour. */
export function golden(file: string, actual: string): void {
  if (process.env.GOLDEN) writeFileSync(file, actual);
  equal(actual, readFileSync(file, "utf8"));
}

/**
 * One test for each `.plan` file of a folder; the file's name is the test's name. Above `---` are the questions,
 * `key: words`; below it is the answer, which `answer` gives line by line.
 */
export function goldens(folder: string, answer: (question: Record<string, string[]>) => string[]): void {
  for (const file of plansIn(folder)) {
    it(file.replace(/\.plan$/, "").replaceAll("-", " "), () => {
      const [question = ""] = readFileSync(join(folder, file), "utf8").split("---\n");
      golden(join(folder, file), `${question}---\n${answer(read(question)).map((line) => `${line}\n`).join("")}`);
    });
  }
}

/** The answers of a folder's goldens, as lines. */
export const answersIn = (folder: string): string[] =>
  plansIn(folder).flatMap((file) => readFileSync(join(folder, file), "utf8").split("---\n")[1]!.trim().split("\n"));

const plansIn = (folder: string) => readdirSync(folder).filter((file) => file.endsWith(".plan")).sort();

/** The words `name=what`, as what of whom. */
export const pairs = (words: string[] = []): Record<string, string> => Object.fromEntries(words.map((word) => word.split("=") as [string, string]));

const read = (question: string): Record<string, string[]> =>
  Object.fromEntries(question.trim().split("\n").map((line) => {
    const [key = "", ...words] = line.split(/\s+/);
    return [key.replace(/:$/, ""), words];
  }));
