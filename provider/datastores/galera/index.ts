import { datastore } from "../datastore";
import { observe } from "./observe";
import { options, type Options } from "./options";
import { blank, kept, plan, recall, underNew, type Do, type Sight } from "./plan";
import { steps } from "./steps";

export const galera = datastore<Options, Sight, Do>({
  options,
  observe,
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
