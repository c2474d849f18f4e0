import type { Guest } from "../../guest/guest";
import { sh } from "../../guest/shell";
import { mark } from "../../guest/volume";
import type { Member } from "../../topology";
import { dataPath as data, positionFile } from "./configuration";
import type { Galera } from "./gates";
import { letTell } from "./observe";

/** Where data go that no server is to use any more: they stay on their volume, and nothing deletes them. */
const asideOf = (why: "left" | "given-up" | "cut"): string => `${data}.${why}-${new Date().toISOString().slice(0, 19).replace(/\D/g, "")}`;

const words = { "left": "held when it left", "given-up": "held, and the cluster goes on without," };

/** What a member took along when it left, or what a person gave up for what another held. A cut in the middle is no loss of data. */
export async function setAside(guest: Guest, { want }: Galera, member: Member, why: keyof typeof words): Promise<void> {
  const aside = asideOf(why);
  await mark(guest, want.owner, member, { hasHadData: false, left: true });
  const moved = await guest.run(sh`[ ! -e ${data} ] || { mv -T ${data} ${aside}; echo moved; }`);
  await mark(guest, want.owner, member, { hasHadData: false, left: false });
  if (moved !== "") guest.say(`what ${member.name} ${words[why]} is kept in ${aside}`);
}

/** At each start MariaDB is asked for the position of what is there. Where it cannot open it, it never comes to ask for a transfer. */
export async function isUnreadable(guest: Guest): Promise<boolean> {
  if ((await guest.look(sh`[ ! -e ${data}/ibdata1 ] || echo yes`)) === "") return false;
  await letTell(guest);
  return (await guest.look(sh`[ -s ${positionFile} ] || echo unreadable`)) !== "";
}

/** The mark goes first: from an emptied volume that once had data no server starts. It comes back with the data. */
export async function setUnreadableAside(guest: Guest, { want }: Galera, member: Member): Promise<void> {
  const aside = asideOf("cut");
  await mark(guest, want.owner, member, { hasHadData: false, left: false });
  await guest.run(sh`mv -T ${data} ${aside}`);
  guest.say(`what a power cut left of a state transfer to ${member.name} is kept in ${aside}: MariaDB cannot open it, and where room is short it may go`);
}
