/** A cluster drawn in Mermaid: clients reach each member, members reach each other. */
export function mermaid(cluster: string, members: string[], addresses: string[]): string {
  const node = (index: number) => `m${index + 1}`;
  return [
    "flowchart LR",
    `  clients([clients]) --> ${cluster.replace(/\W/g, "_")}`,
    `  subgraph ${cluster.replace(/\W/g, "_")} [${cluster}]`,
    ...members.map((name, index) => `    ${node(index)}[("${name}<br/>${addresses[index] ?? ""}")]`),
    ...members.flatMap((_, left) => members.slice(left + 1).map((__, right) => `    ${node(left)} <--> ${node(left + 1 + right)}`)),
    "  end",
  ].join("\n");
}
