import { datastore } from "../datastore";
import { observe } from "./observe";
import { options, type Options } from "./options";
import { plan, type Do, type Sight } from "./plan";
import { steps } from "./steps";

export const galera = datastore<Options, Sight, Do>({
  options,
  observe,
  plan,
  steps,
  unreachable: (why) => ({ is: "unreachable", why }),
  blank: { is: "down", data: { is: "none" }, installed: false, mounted: false, configured: false, hasHadData: false },
  healthy: (size) => ({ is: "up", primary: true, state: "Synced", size, uuid: "known", secured: true, installed: true, mounted: true, configured: true, hasHadData: true }),
});
