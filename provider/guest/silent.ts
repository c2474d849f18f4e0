import { reason } from "../errors";
import type { Guest } from "./guest";

/** Whether one that was to answer nobody took its settings live. It may be silent again in the middle: then its restart gives them. */
export const tookSettings = (guest: Guest, configured: Promise<void>): Promise<boolean> => configured.then(() => {
  guest.say("it answers again, and took its settings: it is not restarted");
  return true;
}, (error) => {
  guest.say(`it answers now and then, and did not take its settings: ${reason(error)}`);
  return false;
});
