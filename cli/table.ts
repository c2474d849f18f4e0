import { stripVTControlCharacters } from "node:util";
import Table from "cli-table3";

/** A longer cell goes on in the next line. */
const widest = 50;
const noLines = Object.fromEntries(["top", "top-mid", "top-left", "top-right", "bottom", "bottom-mid", "bottom-left", "bottom-right", "left", "left-mid", "mid", "mid-mid", "right", "right-mid", "middle"].map((part) => [part, ""]));

/** Rows in columns under a head, with blanks between and no lines. */
export function table(head: string[], rows: (string | number)[][]): string {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => stripVTControlCharacters(String(row[column])).length)));
  const lines = new Table({
    head, chars: noLines, style: { head: [], border: [], "padding-left": 0, "padding-right": 2 },
    colWidths: widths.map((width) => Math.min(width, widest) + 2), wordWrap: true,
  });
  lines.push(...rows);
  return lines.toString().replace(/ +$/gm, "");
}
