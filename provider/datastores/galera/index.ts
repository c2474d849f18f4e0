import { datastore } from "../datastore";
import { outdated } from "./change";
import { observe } from "./observe";
import { options, type Options } from "./options";
import { needs, newcomers } from "./machine";
import { blank, kept, recall, stopped, underNew } from "./memory";
import { mayBeAway, plan, type Do } from "./plan";
import { report } from "./report";
import type { Sight } from "./sight";
import { command } from "./sql";
import { steps } from "./steps";

export const galera = datastore<Options, Sight, Do>({
  options,
  password: "rootPassword",
  observe,
  command,
  group: () => "all",
  mayBeAway,
  newcomers,
  needs,
  report,
  plan,
  recall,
  stopped,
  blank,
  steps,
  unreachable: (why) => ({ is: "unreachable", why }),
  unseen: (sight) => (sight.is === "unreachable" ? sight.why : undefined),
  underNew,
  // Each has all data.
  bereft: (others) => others,
  // Any of them takes writes.
  stillNeeded: () => undefined,
  kept,
  frozen: ["vendor"],
  outdated,
});
