import { withVersion } from "../../hops";
import type { Change } from "../datastore";
import { changes, header, isCurrent } from "./configuration";
import type { Options } from "./options";
import type { Sight } from "./sight";

/** What is seen of a member once there are to be other settings or passwords. It knows no other member by its options. */
export function outdated(sight: Sight, { options, passwords }: Change<Options>): Sight {
  if (!("configured" in sight)) return sight;
  const others = options && changes(options.was, options.wanted) !== "" ? options : undefined;
  return {
    ...withVersion(sight, options?.was),
    ...(others && { configured: false, settings: changes(others.was, others.wanted), ...(sight.is === "up" && { current: sight.current && isCurrent(others.wanted, header(others.was)) }) }),
    // What is not installed has no users yet: it is configured with all of them.
    ...(passwords !== undefined && sight.installed && { secured: false, passwords }),
  };
}
