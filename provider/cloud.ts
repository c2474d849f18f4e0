import { eventually } from "./guest/eventually";
import { CloudFailed, type OpenStack } from "./openstack";
import { isSameKey } from "./keys";
import type { Place } from "./placement";

/** What Nova tells of a server. */
export interface Server extends Place {
  /** Nova's own word: ACTIVE, SHUTOFF, VERIFY_RESIZE, ERROR and so on. */
  status: string;
  /** What Nova is about to do with it. */
  task?: string;
  /** The flavor's name. */
  flavor: string;
  /** The image's id; undefined of a server that boots from a volume. */
  image?: string;
  /** The name of the key pair that it was made with. */
  keyPair?: string;
  fault?: string;
}

/** Nova is at nothing with it, and it is neither in an error nor in the middle of a resize or a rebuild. */
export const isSettled = ({ status, task }: Server): boolean => task === undefined && ["ACTIVE", "SHUTOFF"].includes(status);

/** The few acts on servers that Pulumi's resources would do on all of them at once. Each goes on from wherever an earlier run was cut. */
export interface Cloud {
  server(id: string): Promise<Server>;
  /** Gives a server another flavor, for which Nova stops it and starts it again. */
  resize(id: string, flavor: string, say: (line: string) => void): Promise<void>;
  /** Of an image's name. */
  imageId(name: string): Promise<string>;
  /** Gives a server a new disk, made of an image, and starts it: it lets in what its key pair is called now, not when it was made. Its volumes, ports and address stay. */
  rebuild(id: string, image: string, say: (line: string) => void): Promise<void>;
  /** Has a key pair of this name hold this public key: for servers that are made or rebuilt from now on. */
  giveKey(keyPair: string, publicKey: string): Promise<void>;
  /** The public host keys that a server's console told last, as cloud-init prints them; none where it tells none. */
  hostKeys(id: string): Promise<string[]>;
}

/** Seconds for Nova to stop a server, carry its disk to another host, or make it another, and start it. */
const actSeconds = 3600;

interface Told {
  server: { status: string; "OS-EXT-STS:task_state": string | null; flavor: { original_name: string }; image: { id: string } | ""; key_name?: string | null; hostId: string; "OS-EXT-AZ:availability_zone"?: string; fault?: { message: string } };
}

export const cloudOf = (openstack: OpenStack): Cloud => {
  const server = async (id: string): Promise<Server> => {
    const { server: told } = await openstack.ask("compute", `/servers/${id}`) as Told;
    return {
      status: told.status, task: told["OS-EXT-STS:task_state"] ?? undefined, flavor: told.flavor.original_name,
      image: told.image === "" ? undefined : told.image.id, keyPair: told.key_name ?? undefined, host: told.hostId, zone: told["OS-EXT-AZ:availability_zone"], fault: told.fault?.message,
    };
  };
  /** Whether it was asked for; not while Nova is about to do something else with the server. */
  const act = async (id: string, what: object, busy = [409]): Promise<boolean> => openstack.tell("compute", `/servers/${id}/action`, what).then(() => true, (error) => {
    if (error instanceof CloudFailed && busy.includes(error.code)) return false;
    throw error;
  });
  const flavorId = async (name: string): Promise<string> => {
    const { flavors } = await openstack.ask("compute", "/flavors") as { flavors: { id: string; name: string }[] };
    const found = flavors.find((each) => each.name === name);
    if (!found) throw new Error(`the cloud has no flavor ${JSON.stringify(name)} that this project may use; \`openstack flavor list\` shows what it has`);
    return found.id;
  };
  const imageId = async (name: string): Promise<string> => {
    const { images } = await openstack.ask("image", `/images?name=${encodeURIComponent(name)}&status=active`) as { images: { id: string }[] };
    if (images.length !== 1) throw new Error(`the cloud has ${images.length === 0 ? "no image" : "several images with the name"} ${JSON.stringify(name)}; \`openstack image list\` shows what it has`);
    return images[0]!.id;
  };
  /** Says what Nova is still at. A resize that waits for it is confirmed: the server was shut down in order, what it holds is on its volume, and to go back is another resize. */
  const untilSettled = (id: string) => {
    let confirmed = false;
    return async (now: Server): Promise<string | undefined> => {
      if (now.status === "ERROR") throw new Error(`Nova says that the server is in ERROR: ${now.fault ?? "and nothing of why"}. See \`openstack server show ${id}\` and \`openstack server event list ${id}\``);
      if (now.task !== undefined) return `it is ${now.status}, ${now.task}`;
      // Until it is done Nova says 400 to who asks again, and of the server no other word than before.
      confirmed = now.status === "VERIFY_RESIZE" && (confirmed || await act(id, { confirmResize: null }, [400, 409]));
      if (now.status === "VERIFY_RESIZE") return "it is being confirmed";
      return isSettled(now) ? undefined : `it is ${now.status}`;
    };
  };
  const started = async (now: Server, id: string): Promise<true | string> =>
    now.status === "ACTIVE" || ((await act(id, { "os-start": null })) ? "it is being started" : "it cannot be started yet");
  const hostKeys = async (id: string): Promise<string[]> => {
    const { output } = await openstack.tell("compute", `/servers/${id}/action`, { "os-getConsoleOutput": {} }) as { output: string };
    // Each boot prints them: the last ones count.
    const [, keys = ""] = /^[^]*-----BEGIN SSH HOST KEY KEYS-----([^]*?)-----END SSH HOST KEY KEYS-----/.exec(output) ?? [];
    return keys.split("\n").map((line) => /(?:ssh|ecdsa)-\S+ \S+/.exec(line)?.[0] ?? "").filter(Boolean);
  };
  return {
    server,
    async resize(id, flavor, say) {
      let asked = false;
      const busy = untilSettled(id);
      const flavorRef = await flavorId(flavor);
      await eventually(`Nova to resize the server to ${flavor}`, { seconds: actSeconds, every: 500, say }, async () => {
        const now = await server(id);
        const why = await busy(now);
        if (why !== undefined) return why;
        if (now.flavor !== flavor) {
          if (asked) throw new Error(`Nova gave up to resize the server to ${flavor}: mostly there is no host with room for it. See \`openstack server event list ${id}\``);
          asked = await act(id, { resize: { flavorRef } });
          return "it is asked for";
        }
        return started(now, id);
      });
    },
    imageId,
    async rebuild(id, image, say) {
      let asked = false;
      const busy = untilSettled(id);
      const imageRef = await imageId(image);
      await eventually(`Nova to rebuild the server with ${image}`, { seconds: actSeconds, every: 500, say }, async () => {
        const now = await server(id);
        const why = await busy(now);
        if (why !== undefined) return why;
        if (now.image !== imageRef) {
          if (asked) throw new Error(`Nova gave up to rebuild the server with ${image}. See \`openstack server event list ${id}\``);
          asked = await act(id, { rebuild: { imageRef, ...(now.keyPair !== undefined && { key_name: now.keyPair }) } });
          return "it is asked for";
        }
        return started(now, id);
      });
    },
    hostKeys,
    async giveKey(keyPair, publicKey) {
      const path = `/os-keypairs/${encodeURIComponent(keyPair)}`;
      const there = await openstack.ask("compute", path).catch((error) => {
        if (error instanceof CloudFailed && error.code === 404) return undefined;
        throw error;
      }) as { keypair: { public_key: string } } | undefined;
      if (there && isSameKey(there.keypair.public_key, publicKey)) return;
      // Nova changes none, and servers that are there keep what they were given.
      if (there) await openstack.drop("compute", path);
      await openstack.tell("compute", "/os-keypairs", { keypair: { name: keyPair, public_key: publicKey } });
    },
  };
};
