import { datastore } from "../datastore";
import { observe } from "./observe";
import { options, type Options } from "./options";
import { needs, newcomers } from "./machine";
import { blank, kept, recall, underNew } from "./memory";
import { plan, type Do } from "./plan";
import { report } from "./report";
import type { Sight } from "./sight";
import { steps } from "./steps";

export const galera = datastore<Options, Sight, Do>({
  options,
  observe,
  newcomers,
  needs,
  report,
  unit: "mariadb",
  plan,
  recall,
  blank,
  steps,
  unreachable: (why) => ({ is: "unreachable", why }),
  unseen: (sight) => (sight.is === "unreachable" ? sight.why : undefined),
  underNew,
  kept,
  outdated: (sight) => ("configured" in sight ? { ...sight, configured: false } : sight),
});
