import { reason } from "../errors";
import type { Guest } from "./guest";

/** Whether one that was to answer nobody took its settings live; `told`: it was asked to. It may be silent again in the middle: then its restart gives them. */
export const tookSettings = (guest: Guest, told: Promise<boolean>): Promise<boolean> => told.then((took) => {
  guest.say(took ? "it answers again, and took its settings: it is not restarted" : "it answered for a moment alone, and was told nothing");
  return took;
}, (error) => {
  guest.say(`it answers now and then, and did not take its settings: ${reason(error)}`);
  return false;
});
