import { styleText } from "node:util";
import { fullness, type ClusterStatus, type MemberStatus } from "./status";
import { table } from "./table";

type Style = Parameters<typeof styleText>[0];

/** What guests say may hold what a terminal obeys. */
export const harmless = (words: string): string => words.replace(/\p{Cc}+/gu, " ");

/** A cluster as people read it: one line a member, and under it what is wrong, each with the command to go on with. */
export function text({ name, datastore, well, underWay, members, wrong }: ClusterStatus, colours: boolean): string {
  const paint = (style: Style, words: string) => (colours ? styleText(style, harmless(words), { validateStream: false }) : harmless(words));
  const sick = new Set(wrong.map(({ member }) => member));
  const row = (member: MemberStatus) => [
    `${member.name}${member.leaving ? " (leaves)" : ""}`, paint(sick.has(member.name) ? "red" : "green", member.role), harmless(member.state), member.lag?.words ?? "",
    member.disk ? fullness(member.disk) : "", member.version ?? "", member.address,
  ];
  return [
    paint("bold", `${name} (${datastore}, ${members.length} ${members.length === 1 ? "member" : "members"})`),
    table(["member", "role", "state", "lag", "disk", "version", "address"].map((word) => paint("dim", word)), members.map(row)),
    "",
    ...(underWay === null ? [] : [paint("yellow", `a run is changing it: ${underWay}`)]),
    ...(well ? [paint("green", "all well")] : wrong.flatMap(({ what, next }) => [`${paint("red", "✗")} ${harmless(what)}`, ...(next === null ? [] : [`  ${paint("bold", next)}`])])),
  ].join("\n");
}
