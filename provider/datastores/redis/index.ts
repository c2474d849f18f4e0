import { datastore } from "../datastore";
import { changes, header, isCurrent } from "./configuration";
import { needs, newcomers } from "./machine";
import { blank, kept, recall, underNew } from "./memory";
import { observe } from "./observe";
import { options, type Options } from "./options";
import { plan, type Do } from "./plan";
import { report } from "./report";
import type { Sight } from "./sight";
import { steps } from "./steps";

export const redis = datastore<Options, Sight, Do>({
  options,
  password: "password",
  observe,
  newcomers,
  needs,
  report,
  plan,
  recall,
  blank,
  steps,
  unreachable: (why) => ({ is: "unreachable", why }),
  unseen: (sight) => (sight.is === "unreachable" ? sight.why : undefined),
  underNew,
  kept,
  frozen: ["vendor", "version", "persistence"],
  // A member knows no other by its options.
  outdated: (sight, { options: change }) => {
    if (!change || !("configured" in sight) || JSON.stringify(change.was) === JSON.stringify(change.wanted)) return sight;
    return { ...sight, configured: false, settings: changes(change.was, change.wanted), ...(sight.is === "up" && { current: sight.current && isCurrent(change.wanted, header(change.was)) }) };
  },
});
