import { kept as keptOf } from "../../authorities";
import { historiesOf, historyOf, newerThanCluster, runs, type Data, type Prepared, type Sight, type Sights } from "./sight";

/**
 * What a preview takes the members for: as last seen, and well where nothing is known. While a cluster runs, a member
 * that was starting or receiving its data is taken for well too: `up` looks for itself. One that never could be seen is
 * new, or has still to leave.
 */
export function recall(names: string[], seen: Record<string, Sight | undefined>, leaving: string[] = []): Record<string, Sight> {
  const ran = names.some((name) => seen[name] === undefined || runs(seen[name]));
  const now = names.map((name): [string, Sight] => {
    const sight = seen[name];
    if (sight?.is === "unreachable") return [name, ran && leaving.includes(name) ? well(undefined) : blank];
    return [name, !sight || (ran && comes(sight)) ? well(sight) : sight];
  });
  // More than are known are no stale count: a run that was killed let them in.
  const most = Math.max(0, ...names.flatMap((name) => (seen[name]?.is === "up" && runs(seen[name]) ? seen[name].size : [])));
  const size = most > names.length ? most : now.filter(([, sight]) => runs(sight)).length;
  const [uuid = "known"] = historiesOf(names.flatMap((name): Sights => (seen[name] && runs(seen[name]) ? [[name, seen[name]]] : [])));
  return Object.fromEntries(now.map(([name, sight]) => [name, runs(sight) ? { ...sight, size, uuid } : sight]));
}

/** Will be in the cluster by itself. One that is up outside of it had its time to. */
const comes = (sight: Sight) => sight.is === "starting" || (sight.is === "up" && sight.primary);

const well = (sight: Sight | undefined): Sight => {
  const { installed = true, mounted = true, configured = true, hasHadData = true, authorities, unloaded, remembers, unheld, tables, version, writtenBy } = (sight ?? {}) as Partial<Prepared>;
  const committed = sight?.is === "up" && sight.committed !== undefined ? { committed: sight.committed } : {};
  const { chosenOver } = (sight ?? {}) as Partial<Prepared>;
  return { is: "up", primary: true, state: "Synced", size: 0, uuid: "known", secured: true, current: (sight as { current?: boolean } | undefined)?.current !== false, ...committed, installed, mounted, configured, hasHadData, left: false, ...(authorities && { authorities }), ...(unloaded && { unloaded }), ...(remembers && { remembers }), ...(chosenOver && { chosenOver }),
    ...(unheld && { unheld }), ...(tables && { tables }), ...(version && { version }), ...(writtenBy && { writtenBy }) };
};

/** What is remembered: how far a cluster that runs has come is news at each look, and kept only where it forbids something. */
export function kept(seen: Record<string, Sight>): Record<string, Sight> {
  const sights = Object.entries(seen);
  if (newerThanCluster(sights.filter(([, sight]) => runs(sight)), sights).length > 0) return Object.fromEntries(sights.map(([name, sight]) => [name, keptOf(sight)]));
  return Object.fromEntries(sights.map(([name, { ...sight }]) => {
    if (sight.is === "up") {
      delete sight.committed;
      delete sight.written;
    }
    return [name, keptOf(sight)];
  }));
}

/** What is seen of a new server. */
export const blank: Sight = { is: "down", data: { is: "none" }, installed: false, mounted: false, configured: false, hasHadData: false, left: false };

/** What is seen of a member whose server was made again over its volume, if it is known what it held. What ran there was not closed. */
export function underNew(sight: Sight): Sight {
  if (!("installed" in sight)) return sight.is === "foreign" ? sight : blank;
  const uuid = historyOf(sight);
  if (sight.is !== "down" && uuid === undefined) return blank;
  const data: Data = sight.is === "down" ? sight.data : { is: "whole", uuid: uuid!, seqno: -1, safeToBootstrap: false };
  const writtenBy = sight.writtenBy ?? sight.version;
  return { is: "down", data, installed: false, mounted: false, configured: false, hasHadData: sight.hasHadData, left: sight.left, ...(sight.held && { held: true }), ...(writtenBy && { writtenBy }), ...(sight.tables && { tables: sight.tables }) };
}

/** What is seen of a cluster that was stopped in order: who was last to leave says so. */
export const stopped = (names: string[]): Record<string, Sight> => Object.fromEntries(names.map((name, index) =>
  [name, { is: "down", data: { is: "whole", uuid: "known", seqno: 0, safeToBootstrap: index === names.length - 1 }, installed: true, mounted: true, configured: true, hasHadData: true, left: false, held: true }]));
