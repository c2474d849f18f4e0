import { eventually } from "../../guest/eventually";
import { assignments, sh } from "../../guest/shell";
import { addressOf, loginsOf, programText } from "./client";
import { folder } from "./configuration";
import { agreed, dataSeconds, everyone, saidBy } from "./gates";
import { isSelf } from "./nodes";
import type { Step } from "./prepare";
import { count, read } from "./slots";

const unit = "datastores-move";

/** Moves slots from this member to another. The work runs in a unit of its own, which a lost connection does not cut; the next run finds it. */
export const move: Step = async (cluster, member, { to, what = "" }) => {
  const guest = await cluster.guest(member.name);
  const running = async () => ["active", "activating"].includes((await guest.look(sh`systemctl is-active ${unit} || true`)).trim());
  if (!(await running())) {
    const said = await saidBy(cluster, everyone(cluster));
    const others = [...said].filter(([name, { nodes }]) => ![member.name, to].includes(name) && nodes.length > 1 && nodes.find(isSelf)!.of === undefined).map(([name]) => addressOf(cluster, name));
    const input = JSON.stringify({ host: member.address, logins: loginsOf(cluster.authority), move: { to: addressOf(cluster, to!), others, slots: read(what) } });
    const file = `/run/${unit}.json`;
    await guest.write(file, input, { mode: "600" });
    await guest.write(`${folder}/redis.py`, programText());
    await guest.run(sh`systemctl reset-failed ${unit} 2>/dev/null || true
systemd-run --quiet --no-block --unit=${unit} --description="Move of slots" --service-type=oneshot -p ${`StandardInput=file:${file}`} -p ${`ExecStopPost=/bin/rm -f ${file}`} python3 ${`${folder}/redis.py`}`);
  }
  await eventually(`${count(read(what))} slots to move from ${member.name} to ${to}`, { seconds: dataSeconds, every: 250, say: guest.say }, async () =>
    (await running()) ? (await guest.look(sh`journalctl -q -o cat -n 1 -u ${unit}`)).trim() || "begun" : true);
  const { Result } = assignments(await guest.look(sh`systemctl show -p Result ${unit}`));
  if (Result !== "success") throw new Error(`the move from ${member.name} to ${to} failed: ${(await guest.look(sh`journalctl -q -o cat -n 5 -u ${unit} | grep -v '^${unit}' || true`)).trim().split("\n").join(" | ")}. Run \`pulumi up\` again: it goes on from where it is`);
  await agreed(cluster, everyone(cluster), guest);
};
