import { byName } from "../provider/datastores";
import { lease } from "../provider/guest/lease";
import type { Outputs } from "../provider/inputs";
import { clusterOf, reached } from "./stack";

/** What the database of a member answers its administrator. No run changes that member meanwhile. */
export async function client(clusters: Outputs[], member: string, words: string[], say: (line: string) => void): Promise<string> {
  const state = clusterOf(clusters, member);
  const { guests, cluster } = reached(state, say);
  try {
    const guest = await guests.reach(member);
    const held = await lease([guest], cluster.run, `${state.owner.project}/${state.owner.stack}: client ${member}`);
    try {
      return await byName(state.datastore).command(cluster, guest, words);
    } finally {
      await held.release();
    }
  } finally {
    await guests.close();
  }
}
