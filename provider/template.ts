import ejs from "ejs";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** How a value is written in one kind of file. */
export type Escape = (value: unknown) => string;

/** A value in a MariaDB option file: quoted, so that `#`, `;` and blanks stay part of it. */
export const cnf: Escape = (value) => `"${String(value).replace(/[\\"]/g, "\\$&").replace(/\n/g, "\\n")}"`;

/** A value in a Redis configuration file, quoted as its `CONFIG REWRITE` does. */
export const conf: Escape = (value) => `"${String(value).replace(/[^ !#-[\]-\uffff]/g, (letter) => (letter === "\\" || letter === "\"" ? `\\${letter}` : `\\x${letter.charCodeAt(0).toString(16).padStart(2, "0")}`))}"`;

/** A value that may hold nothing a unit file or a hosts file could read as syntax. */
export const word: Escape = (value) => {
  const text = String(value);
  if (!/^[\w./:@%=,+-]+$/.test(text)) throw new Error(`not a plain word: ${JSON.stringify(text)}`);
  return text;
};

/** Renders a template that lies beside the caller. EJS alone would escape as HTML. */
export const render = (folder: string, file: string, escape: Escape, data: object): string =>
  ejs.render(readFileSync(join(folder, "templates", `${file}.ejs`), "utf8"), data, { escape });
