import { withVersion } from "../../hops";
import { differing } from "../../wire";
import type { Change } from "../datastore";
import { needsRestart, variable } from "./live";
import type { Options } from "./options";
import type { Sight } from "./sight";

/** What is seen of a member once there are to be other members, all of whom its options name, other settings, or other passwords. */
export function outdated(sight: Sight, { passwords, ...change }: Change<Options>): Sight {
  const now = reconfigured(sight, change);
  return passwords === undefined || now.is !== "up" ? now : { ...now, secured: false, passwords };
}

function reconfigured(sight: Sight, { members, options }: Change<Options>): Sight {
  const settings = options ? changed(options.was, options.wanted) : [];
  if (!("configured" in sight)) return sight;
  const now = withVersion(sight, options?.was);
  if (!(members || settings.length > 0)) return now;
  const words = settings.map((key) => `${key} ${needsRestart(key) ? "at a restart" : "live"}`).join(", ");
  return { ...now, configured: false, ...(words !== "" && { settings: words }), ...(sight.is === "up" && { current: sight.current !== false && !settings.some(needsRestart) }) };
}

const byVariable = ({ configuration }: Options) => Object.fromEntries(Object.entries(configuration).map(([key, value]) => [variable(key), value]));

const changed = (was: Options, wanted: Options): string[] =>
  [...differing(byVariable(was), byVariable(wanted)).sort(), ...(["gcacheSize", "restartTrigger"] as const).filter((key) => was[key] !== wanted[key])];
