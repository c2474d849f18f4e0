import type { Step } from "../../../../provider/plan";
import { shardOf, type Prepared, type Sight, type Up } from "../../../../provider/datastores/redis/sight";
import { count, evenly, joined, missing, parted, read, slotCount, written, type Slots } from "../../../../provider/datastores/redis/slots";

export type Seen = Record<string, Sight>;

/** The names of a cluster of so many shards, each with so many replicas. */
export const named = (shards: number, replicas: number): string[] =>
  Array.from({ length: shards }, (_, shard) => Array.from({ length: replicas + 1 }, (_, number) => `db-${shard + 1}-${number + 1}`)).flat();

const prepared = { installed: true, mounted: true, configured: true, secured: true, hasHadData: true, left: false };
export const blank: Sight = { is: "down", data: false, installed: false, mounted: false, configured: false, hasHadData: false, left: false };

const alone = (name: string, id = `id-of-${name}`): Sight => ({ is: "up", id, role: "primary", linked: false, slots: "", open: [], ok: false, knows: [id], failed: [], current: true, ...prepared, hasHadData: false });

/** A cluster that runs; `primary` says which of a shard's members is its primary. */
export function running(shards: number, replicas: number, primary: (shard: number) => number = () => 0): Seen {
  const names = named(shards, replicas);
  const dealt = evenly(shards);
  const knows = names.map((name) => `id-of-${name}`);
  return Object.fromEntries(names.map((name): [string, Sight] => {
    const shard = shardOf(name);
    const head = `db-${shard}-${(primary(shard) % (replicas + 1)) + 1}`;
    const self: Up = { ...(alone(name) as Up), ok: true, knows, hasHadData: true };
    return [name, name === head ? { ...self, slots: written(dealt[shard - 1]!) } : { ...self, role: "replica", of: `id-of-${head}`, linked: true }];
  }));
}

export const ups = (seen: Seen): [string, Up][] => Object.entries(seen).flatMap(([name, sight]) => (sight.is === "up" ? [[name, sight]] as [string, Up][] : []));
const inIt = (seen: Seen) => ups(seen).filter(([, { knows }]) => knows.length > 1);
const byId = (seen: Seen, id: string | undefined): Up | undefined => ups(seen).find(([, view]) => view.id === id)?.[1];

/** All that are in know each other. */
function meet(seen: Seen, names: string[]): void {
  const all = [...new Set([...inIt(seen), ...ups(seen).filter(([name]) => names.includes(name))].flatMap(([, { knows }]) => knows))];
  for (const [, view] of [...inIt(seen), ...ups(seen).filter(([name]) => names.includes(name))]) view.knows = [...all];
  const covered = missing(joined(...ups(seen).map(([, { slots }]) => read(slots)))).length === 0;
  for (const [, view] of inIt(seen)) view.ok = covered;
}

/** Follows who owns the slots of its shard; where nobody does, who came first. */
function follow(seen: Seen, name: string): void {
  const self = seen[name] as Up;
  const of = (holds: (view: Up) => boolean) => inIt(seen).find(([other, view]) => other !== name && shardOf(other) === shardOf(name) && view.role === "primary" && holds(view))?.[1];
  const primary = of(({ slots }) => slots !== "") ?? (self.role === "primary" && self.slots === "" ? of(() => true) : undefined);
  if (primary && self.slots === "") Object.assign(self, { role: "replica", of: primary.id, linked: true });
}

function give(seen: Seen, from: string, to: string, slots: Slots): void {
  const [giver, taker] = [seen[from] as Up, seen[to] as Up];
  giver.slots = written(without(read(giver.slots), slots));
  taker.slots = written(joined(read(taker.slots), slots));
  const moved = (open: Up["open"]) => open.filter(({ slot }) => !slots.some(([first, last]) => first <= slot && slot <= last));
  giver.open = moved(giver.open);
  taker.open = moved(taker.open);
}
export const without = (slots: Slots, others: Slots): Slots => missing(joined(missing(slots), others));

/** The version that is wanted, where that is another; else the one that was there. */
function install(self: Prepared, words: string | undefined): void {
  const version = / to (\S+)$/.exec(words ?? "")?.[1] ?? self.version ?? self.writtenBy;
  Object.assign(self, { installed: true, ...(version && { version }) });
  delete self.unheld;
}

const opened = (self: Prepared): void => void (self.version !== undefined && (self.writtenBy = self.version));

/** What is not on its volume is gone. */
function onNewDisk(sight: Sight): Sight {
  const { authorities: _, secured: __, version, unheld: ___, ...volume } = sight as Down;
  const { writtenBy = version } = volume;
  return { ...volume, ...(writtenBy && { writtenBy }), installed: false, mounted: false, configured: false };
}

/** What the guests show once `step` is done on `on`. `wanted` are the members of the whole plan. */
export function after(seen: Seen, step: Step, wanted: string[], on: string[] = step.on): Seen {
  const next = structuredClone(seen);
  const change = (some: object) => on.forEach((name) => Object.assign(next[name]!, some));
  switch (step.do) {
    case "install": on.forEach((name) => install(next[name] as Prepared, step.words)); break;
    case "mount": change({ mounted: true }); break;
    // With which options a silent server runs is seen to be as before, until it is started anew.
    case "configure": on.forEach((name) => Object.assign(next[name]!, { secured: true, ...(next[name]!.is !== "silent" && { configured: true }) })); break;
    case "secure": change({ secured: true }); break;
    case "clean": change({ hasHadData: false, id: undefined }); break;
    // One that read its data may answer before it comes to that.
    case "start": on.filter((name) => next[name]!.is !== "up").forEach((name) => { next[name] = { ...(next[name] as Down).was ?? alone(name, idOn(next[name] as Down)), ...marks(next[name]!), current: true } as Sight; opened(next[name] as Prepared); }); break;
    case "bootstrap": {
      const heads = [...new Set(wanted.map(shardOf))].map((shard) => wanted.find((name) => shardOf(name) === shard)!);
      meet(next, heads);
      evenly(heads.length).forEach((slots, index) => { (next[heads[index]!] as Up).slots = written(slots); });
      meet(next, heads);
      break;
    }
    case "join": on.forEach((name) => { meet(next, [name]); follow(next, name); }); break;
    case "move": give(next, on[0]!, step.to!, read(step.what!)); break;
    case "promote": on.forEach((name) => {
      const self = next[name] as Up;
      const old = byId(next, self.of);
      // Failing over to who is primary already is done.
      if (!old) return;
      Object.assign(self, { role: "primary", of: undefined, linked: false, slots: old.slots });
      for (const [, view] of ups(next)) if (view !== self && (view.id === old.id || view.of === old.id)) Object.assign(view, { role: "replica", of: self.id, linked: true, slots: "" });
    }); break;
    case "leave": on.forEach((name) => {
      const id = (next[name] as Up).id;
      for (const [, view] of ups(next)) view.knows = view.knows.filter((each) => each !== id);
      next[name] = { is: "down", data: true, id, ...prepared, ...marks(next[name]!), left: true };
    }); break;
    case "rebuild": return Object.entries(outage(next, on)).reduce<Seen>((all, [name, each]) => ({ ...all, [name]: on.includes(name) ? onNewDisk(each) : each }), {});
    case "resize": return step.what === "idle" ? next : after(seen, { ...step, do: "restart" }, wanted, on);
    // One that was to answer nobody and does is configured.
    case "restart": change({ configured: true });
      on.filter((name) => step.what !== "silent" || seen[name]!.is === "silent").forEach((name) => {
        const again = (next[name] as Silent).was ?? next[name]!;
        next[name] = Object.assign(again, { configured: true, current: true, linked: (again as Up).role === "replica" });
      }); break;
    case "hold": return on.reduce((now, name) => {
      const sight = now[name]!;
      const role = sight.is === "up" ? sight.role : ((sight as Down).was?.role ?? "primary");
      return { ...outage(now, [name]), [name]: { ...(outage(now, [name])[name] as Down), is: "down", held: role } };
    }, next);
    case "verify":
      for (const name of on) if (inIt(next).every(([other]) => other !== name)) throw new Error(`a verification of ${name} waits in vain`);
      change({ hasHadData: true, left: false });
      on.forEach((name) => delete (next[name] as { held?: string }).held);
      // Who left is known to nobody any more, though a cut came between one who forgot it and the next.
      ups(next).forEach(([, view]) => Object.assign(view, { open: [], linked: view.role === "replica", knows: view.knows.filter((id) => !leavers(next).includes(id)) }));
      break;
    default: throw new Error(`the model knows no step ${step.do}`);
  }
  return next;
}

const leavers = (seen: Seen): string[] => Object.values(seen).flatMap((sight) => (sight.is === "down" && sight.left && sight.id !== undefined ? [sight.id] : []));

/** Down with its data, as one that lost power: it comes back as it was. */
type Down = Extract<Sight, { is: "down" }> & { was?: Up };

/** With which identity a server starts, where one lies on its volume and it did not leave: else it takes a new one. */
const idOn = ({ id, left }: Down): string | undefined => (left ? undefined : id);

/** What the guests show once these have lost power, or run with the users of a run that was cut. */
export function outage(seen: Seen, on: string[], estranged = false): Seen {
  const next = structuredClone(seen);
  for (const [name, was] of ups(next).filter(([each]) => on.includes(each))) {
    const down: Down = { is: "down", data: true, id: was.id, ...prepared, ...marks(was), left: was.left, ...(was.held && { held: was.held }), ...(estranged && { estranged: true, configured: false }), was };
    next[name] = down;
  }
  return next;
}

type Silent = Extract<Sight, { is: "silent" }> & { was?: Up };

/** What the guests show of a cluster whose settings are to be others, once these answer nobody any more. */
export function silence(seen: Seen, on: string[]): Seen {
  const next = structuredClone(seen);
  for (const [name, was] of ups(next)) {
    was.configured = false;
    const silent: Silent = { is: "silent", why: "max number of clients reached", ...prepared, ...marks(was), left: was.left, was };
    if (on.includes(name)) next[name] = silent;
  }
  return next;
}

const marks = (sight: Sight) => {
  const { installed, mounted, configured, secured, hasHadData, version, writtenBy, unheld } = { ...prepared, ...sight } as Prepared;
  return { installed, mounted, configured, secured, hasHadData, ...(version && { version }), ...(writtenBy && { writtenBy }), ...(unheld && { unheld }) };
};

/** What the guests may show when `step` is cut, beside doing nothing and being done. */
export function during(seen: Seen, step: Step, wanted: string[]): Seen[] {
  const shown = (act: (next: Seen) => void): Seen => {
    const next = structuredClone(seen);
    act(next);
    return next;
  };
  const some = step.on.length > 1 && step.do !== "bootstrap" ? [after(seen, step, wanted, step.on.slice(0, 1))] : [];
  switch (step.do) {
    case "bootstrap": {
      const heads = [...new Set(wanted.map(shardOf))].map((shard) => wanted.find((name) => shardOf(name) === shard)!);
      return [
        shown((next) => meet(next, heads.slice(0, 2))),
        shown((next) => meet(next, heads)),
        shown((next) => { meet(next, heads); (next[heads[0]!] as Up).slots = written(evenly(heads.length)[0]!); }),
      ];
    }
    // All know it; it may have lost power before it wrote down that it knows them.
    case "join": return [...some, ...[false, true].map((forgot) => shown((next) => {
      const self = next[step.on[0]!] as Up;
      const { knows } = self;
      meet(next, step.on.slice(0, 1));
      if (forgot) Object.assign(self, { knows, ok: false });
    }))];
    case "move": {
      const slots = read(step.what!);
      const [half, rest] = parted(slots, Math.floor(count(slots) / 2));
      const cut = (outToo: boolean, inToo: boolean) => shown((next) => {
        if (count(half) > 0) give(next, step.on[0]!, step.to!, half);
        const [giver, taker] = [next[step.on[0]!] as Up, next[step.to!] as Up];
        const slot = rest[0]![0];
        if (inToo) taker.open = [...taker.open.filter((each) => each.slot !== slot), { slot, peer: step.on[0]!, way: "in" }];
        if (outToo) giver.open = [...giver.open.filter((each) => each.slot !== slot), { slot, peer: step.to!, way: "out" }];
      });
      return [cut(false, false), cut(false, true), cut(true, true)];
    }
    // Marked first, then stopped.
    case "hold": return [...some, shown((next) => Object.assign(next[step.on[0]!]!, { held: (next[step.on[0]!] as Partial<Up>).role ?? "primary" }))];
    case "leave": return [...some, shown((next) => {
      const { id } = next[step.on[0]!] as Up;
      const [first] = inIt(next).filter(([name]) => name !== step.on[0]);
      first![1].knows = first![1].knows.filter((each) => each !== id);
    })];
    default: return some;
  }
}

/** All slots are owned, each once. */
export const isCovered = (seen: Seen): boolean => {
  const all = ups(seen).map(([, { slots }]) => read(slots));
  return all.reduce((sum, slots) => sum + count(slots), 0) === slotCount && missing(joined(...all)).length === 0;
};
