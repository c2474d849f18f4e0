import { datastore } from "../datastore";
import { outdated } from "./change";
import { command } from "./client";
import { needs, newcomers } from "./machine";
import { bereft, blank, kept, recall, stopped, underNew } from "./memory";
import { observe } from "./observe";
import { options, type Options } from "./options";
import { mayBeAway, plan, type Do } from "./plan";
import { report } from "./report";
import { stillNeeded } from "./rules";
import { shardOf, type Sight } from "./sight";
import { steps } from "./steps";

export const redis = datastore<Options, Sight, Do>({
  options,
  password: "password",
  observe,
  command,
  group: (member) => `${shardOf(member)}`,
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
  bereft,
  stillNeeded,
  kept,
  frozen: ["vendor", "persistence"],
  outdated,
});
