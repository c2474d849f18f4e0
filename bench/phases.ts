import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { newAuthority } from "../provider/certificates";
import { galera } from "../provider/datastores/galera";
import { lease } from "../provider/guest/lease";
import { names } from "../provider/topology";
import { reach } from "../provider/reach";
import { reconcile } from "../provider/reconcile";
import { newKey, publicHalf } from "../test/provider/guest/sshd";
import { table } from "./measure";
import { installationTakes } from "./simulated";

const sizes = [3, 10, 50];
/** What goes side by side. */
const parallel = ["install", "mount", "configure"];
const owner = { project: "bench", stack: "bench", cluster: "shop1" };

/** What a run does on all new members at once, over real SSH to guests that are simulated, with the time that a real one takes. */
export async function phases(): Promise<string> {
  const rows: (string | number)[][] = [];
  // The first is to warm up.
  await live(3);
  for (const size of sizes) {
    const { marks, logins } = await live(size);
    console.error(`${size} guests: ${marks.all!.toFixed(1)} s`);
    rows.push([`${size}`, ...headings.map((heading) => marks[heading]!), [...new Set(logins)].join(", "), marks.all! / Number(rows[0]?.[headings.length] ?? marks.all!)]);
  }
  return `### The phases that go side by side, on simulated guests (an installation takes ${installationTakes / 1000} s)\n\n${table(["guests", ...headings.map((each) => `${each}, seconds`), "logins to a guest", "of the time for 3"], rows)}`;
}

const headings = ["login", "lease", "look and preflight", ...parallel, "look again", "all"];

async function live(size: number): Promise<{ marks: Record<string, number>; logins: number[] }> {
  const privateKey = newKey();
  const members = Array.from({ length: size }, (_, index) => ({ name: `shop1-${index + 1}`, address: `127.18.0.${index + 1}`, server: `server-${index}`, volume: `volume-${index}` }));
  const guests = fork(join(__dirname, "simulated.ts"), [members.map(({ address }) => address).join(), publicHalf(privateKey).wire.toString("base64")], { execArgv: ["-r", "ts-node/register/transpile-only"] });
  try {
    await once(guests, "message");
    const marks = await run(members, privateKey);
    const answer = once(guests, "message");
    guests.send("logins");
    return { marks, logins: (await answer)[0] as number[] };
  } finally {
    guests.kill();
  }
}

async function run(members: { name: string; address: string; server: string; volume: string }[], privateKey: string): Promise<Record<string, number>> {
  const marks: Record<string, number> = {};
  let last = Date.now();
  const began = last;
  const mark = (what: string) => {
    marks[what] = (Date.now() - last) / 1000;
    last = Date.now();
  };
  const authority = await newAuthority("shop1");
  const { guests, cluster } = reach({
    datastore: "galera", owner, members, options: { vendor: "mariadb", configuration: {} }, servers: {}, access: { user: "debian", privateKey }, rootPassword: "not-a-secret", authority,
    deletionProtection: false, plan: {},
  }, { leaving: [], pins: {}, say: () => undefined });
  try {
    mark("the authority");
    const all = await Promise.all(names(cluster.want).map(guests.reach));
    mark("login");
    const held = await lease(all, cluster.run, "bench");
    mark("lease");
    const plan: typeof galera.plan = (want, seen) => galera.plan(want, seen).filter((step) => parallel.includes(step.do));
    await reconcile({ ...galera, plan } as never, cluster, [], (line) => {
      const [, step] = /^step \d+\/\d+ (\w+) .*: done in /.exec(line) ?? [];
      if (step) mark(step);
      else if (line.startsWith("step 1/")) mark("look and preflight");
    });
    mark("look again");
    await held.release();
    marks.all = (Date.now() - began) / 1000;
    return marks;
  } finally {
    await guests.close();
  }
}
