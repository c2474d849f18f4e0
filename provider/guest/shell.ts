const quote = (value: string) => (/^[\w./:@%=,+-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`);

/** A shell command in which every interpolated value is one quoted word; an array is that many words. */
export function sh(text: TemplateStringsArray, ...values: (string | number | string[])[]): string {
  // Of a part with an escape that it does not know, such as that of a digit, JavaScript makes undefined, and a command of that.
  if ((text as readonly (string | undefined)[]).includes(undefined)) throw new Error(`a backslash in a command is written twice: ${text.raw.join("…")}`);
  return String.raw({ raw: text }, ...values.map((value) => [value].flat().map((word) => quote(String(word))).join(" ")));
}

/** The `key=value` lines of a command's output. */
export const assignments = (output: string): Record<string, string | undefined> =>
  Object.fromEntries(output.split("\n").filter((line) => line.includes("=")).map((line) => line.trim().split(/=(.*)/s).slice(0, 2)));
