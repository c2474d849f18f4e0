import { admitting, dismissing } from "../keys";
import type { Guest } from "./guest";
import { sh } from "./shell";

/** Where sshd reads whom a user lets in, as Debian has it. */
async function authorized(guest: Guest, user: string): Promise<{ path: string; owner: string; text: string }> {
  const [home = "", group = "", ...lines] = (await guest.look(sh`
home=$(getent passwd ${user} | cut -d : -f 6); echo "$home"; id -gn ${user}
[ ! -e "$home/.ssh/authorized_keys" ] || cat "$home/.ssh/authorized_keys"`)).split("\n");
  return { path: `${home}/.ssh/authorized_keys`, owner: `${user}:${group}`, text: lines.join("\n") };
}

/** Lets a public key in beside those that the login user lets in. */
export async function admit(guest: Guest, user: string, key: string): Promise<void> {
  const { path, owner, text } = await authorized(guest, user);
  const wanted = admitting(text, key);
  if (wanted === text) return;
  await guest.run(sh`home=$(getent passwd ${user} | cut -d : -f 6); [ -d "$home/.ssh" ] || install -d -m 700 -o ${user} -g ${owner.split(":")[1]!} "$home/.ssh"`);
  await guest.write(path, wanted, { mode: "600", owner });
}

/** Takes former public keys out. Only for a guest that is reached by the present one. */
export async function dismiss(guest: Guest, user: string, former: string[], present: string): Promise<void> {
  const { path, owner, text } = await authorized(guest, user);
  const wanted = dismissing(text, former, present);
  if (wanted !== text) await guest.write(path, wanted, { mode: "600", owner });
}
