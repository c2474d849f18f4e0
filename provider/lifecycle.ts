import { randomUUID } from "node:crypto";
import type { dynamic } from "@pulumi/pulumi";
import { changed, forecast, type Raw, type Wanted } from "./check";
import { byName } from "./datastores";
import type { Cluster } from "./datastores/datastore";
import { endWithEngine } from "./engine";
import { reason } from "./errors";
import { Guests } from "./guest/guests";
import { lease } from "./guest/lease";
import { inputs, outputs, parse, type Inputs, type Outputs } from "./inputs";
import { observe, reconcile } from "./reconcile";
import { names } from "./topology";
import { plain } from "./wire";

export { check, diff } from "./check";

/** Seconds a server may take to let a refresh in, which waits for no boot. */
const lookSeconds = 20;
export async function create(news: Raw): Promise<dynamic.CreateResult> {
  return { id: (news as Wanted).owner.cluster, outs: await converge(news, announced(news)) };
}

export async function update(_id: string, olds: Outputs, news: Raw): Promise<dynamic.UpdateResult> {
  const keys = changed(olds, news);
  // What may change without a look at the guests. Of a cluster that did not come up, access may be just what was wrong.
  const needless = olds.status === "ready" ? ["deletionProtection", "access"] : ["deletionProtection"];
  if (keys.length > 0 && keys.every((key) => needless.includes(key)))
    return { outs: plain({ ...olds, ...news }) };
  // Nothing was asked for, so the plan in the inputs is that of an earlier change: the preview said what was seen.
  const drifted = olds.status === "ready" && keys.length === 0;
  return { outs: await converge(news, drifted ? forecast(olds, news as Wanted, olds.seen) : announced(news), olds) };
}

/** The steps that the preview announced for this change. */
const announced = (news: Raw): string[] => Object.values((news as Pick<Inputs, "plan">).plan).flat();

/** Create and update are one: both look first, for neither the call's name nor an empty state proves that nothing exists. */
async function converge(raw: Raw, announcement: string[], olds?: Outputs): Promise<Raw> {
  endWithEngine();
  const news = parse(inputs, raw, "cluster");
  const it = byName(news.datastore);
  const [title = ""] = Object.keys(news.plan);
  const { guests, cluster } = reach(news, olds?.pins ?? {});
  const result = (status: Outputs["status"], seen: Record<string, unknown>, pins: Record<string, string>) =>
    plain({ ...raw, stateVersion: 1, status, known: names(news), seen, pins });
  try {
    // One that cannot be reached holds no lease: the planner sees it so, and says what that means.
    const members = (await Promise.allSettled(names(news).map(guests.reach))).flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
    const held = await lease(members, cluster.run, `${news.owner.project}/${news.owner.stack}: ${title}`);
    try {
      const seen = await reconcile(it, cluster, announcement, (line) => console.log(`[${news.owner.cluster}] ${line}`));
      return result("ready", seen, await guests.shown());
    } finally {
      await held.release();
    }
  } catch (error) {
    // Thrown with an id, Pulumi keeps these properties and calls update at the next `up`. It prints only `reasons`.
    const reasons = error instanceof AggregateError ? error.errors.map(reason) : [reason(error)];
    const seen = await observe(it, cluster);
    throw Object.assign(new Error(reasons.join("\n"), { cause: error }),
      { id: news.owner.cluster, reasons, properties: result("failed", seen, await guests.shown()) });
  } finally {
    await guests.close();
  }
}

function reach(news: Inputs, pins: Record<string, string>, seconds?: number) {
  const run = randomUUID();
  const guests = new Guests(news.members, pins, {
    run,
    seconds,
    access: news.access,
    secrets: [news.rootPassword, news.access.privateKey, news.authority.key],
    say: (member, line) => console.log(`[${news.owner.cluster}/${member}] ${line}`),
  });
  const options = parse(byName(news.datastore).options, news.options, "options");
  const cluster: Cluster<unknown> & { run: string } = {
    run, want: { owner: news.owner, members: news.members, options },
    rootPassword: news.rootPassword, authority: news.authority, guest: guests.reach,
  };
  return { guests, cluster };
}

/**
 * Serves `pulumi refresh`: what is seen now. It never throws, and a guest that cannot be reached changes
 * neither `status` nor what was seen of it.
 */
export async function read(id: string, props: Outputs): Promise<dynamic.ReadResult> {
  try {
    return { id, props: await look(parse(outputs, props, "state"), props) };
  } catch (error) {
    console.log(`[${id}] refresh could not look: ${reason(error)}`);
    return { id, props };
  }
}

async function look(olds: Outputs, props: Outputs): Promise<Raw> {
  const { guests, cluster } = reach(olds, olds.pins, lookSeconds);
  try {
    const seen = await observe(byName(olds.datastore), cluster);
    const reached = Object.entries(seen).filter(([, sight]) => (sight as { is: string }).is !== "unreachable");
    return plain({ ...props, seen: { ...olds.seen, ...Object.fromEntries(reached) } });
  } finally {
    await guests.close();
  }
}

/** Needs no guest: the servers go with it, and draining member after member would only take time. */
export async function remove(_id: string, props: Outputs): Promise<void> {
  if (props.deletionProtection)
    throw new Error(`${props.owner.cluster} is protected from deletion: set deletionProtection to false, run \`pulumi up\`, then destroy`);
}
