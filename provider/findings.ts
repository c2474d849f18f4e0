import { ofAll, ofNewcomers, type Complaint, type Machine, type Severity } from "./demands";

export interface Finding extends Omit<Complaint, "grave"> {
  severity: Severity;
}

/** All that is wrong with the machines, the errors first. What is wrong with several in the same way is one finding. */
export function findings(machines: Machine[]): Finding[] {
  // Those that run are what a newcomer has to be like.
  const first = machines.find(({ newcomer }) => !newcomer) ?? machines[0];
  const same = new Map<string, { finding: Finding; names: string[] }>();
  for (const demand of [...ofNewcomers, ...ofAll]) {
    for (const machine of machines.filter(({ newcomer }) => newcomer || ofAll.includes(demand))) {
      const complaint = demand(machine, machines.filter((each) => each !== machine), machine === first ? undefined : first);
      if (!complaint) continue;
      const { grave, ...rest } = complaint;
      const finding: Finding = { severity: grave && mayHold(machine) ? "error" : "warning", ...rest };
      const key = JSON.stringify(finding);
      same.set(key, { finding, names: [...same.get(key)?.names ?? [], machine.name] });
    }
  }
  const all = [...same.values()].map(({ finding, names }) => ({ ...finding, saw: `${names.join(", ")}: ${finding.saw}` }));
  return [...all.filter(({ severity }) => severity === "error"), ...all.filter(({ severity }) => severity === "warning")];
}

/** What we began to change is gone on with: the step that fails says why. */
const mayHold = ({ newcomer, sight }: Machine): boolean => newcomer === "error" && !sight.begun;
