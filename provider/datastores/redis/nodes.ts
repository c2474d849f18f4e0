import { read, written, joined } from "./slots";

/** A slot on its way to or from the node with this id. */
export interface OnItsWay {
  slot: number;
  peer: string;
  way: "out" | "in";
}

/** One line of `CLUSTER NODES` (Redis: CLUSTER NODES, Serialization format). */
export interface Node {
  id: string;
  /** Undefined where it is not known. */
  address?: string;
  flags: string[];
  /** Of a replica: its primary's id. */
  of?: string;
  epoch: number;
  /** The bus to it is up. */
  connected: boolean;
  /** As Redis writes them. */
  slots: string;
  /** Told by a node of itself alone. */
  open: OnItsWay[];
}

/** What a node says of all that it knows, itself among them. */
export const nodesOf = (text: string): Node[] => text.split("\n").filter((line) => line.trim() !== "").map((line) => {
  const [id = "", at = "", flags = "", of = "-", , , epoch = "0", link = "", ...slots] = line.trim().split(" ");
  // `address:port@bus,hostname`; an address of IPv6 has colons of its own.
  const address = /^(.*):\d+@\d+/.exec(at)?.[1];
  return {
    id, ...(address ? { address } : {}), flags: flags.split(","), ...(of === "-" ? {} : { of }), epoch: Number(epoch), connected: link === "connected",
    slots: written(joined(...slots.filter((each) => !each.startsWith("[")).map(read))),
    open: slots.flatMap((each): OnItsWay[] => {
      const [, slot, way, peer] = /^\[(\d+)-([<>])-([0-9a-f]+)\]$/.exec(each) ?? [];
      return slot === undefined ? [] : [{ slot: Number(slot), peer: peer!, way: way === ">" ? "out" : "in" }];
    }),
  };
});

export const isSelf = ({ flags }: Node): boolean => flags.includes("myself");
/** It is just being met: its id is not its own yet. */
export const isMet = ({ flags }: Node): boolean => flags.includes("handshake");
/** It is not just being met, and it is known where it is. */
export const isKnown = (node: Node): boolean => !isMet(node) && !node.flags.includes("noaddr");
/** Most primaries agree that it does not answer. */
export const hasFailed = ({ flags }: Node): boolean => flags.includes("fail") || flags.includes("noaddr");
/** Soon others say of it that it has failed, or it has no link yet: one whose server has just ended, and one that is just being met. */
export const isInDoubt = (node: Node): boolean => !hasFailed(node) && (node.flags.includes("fail?") || isMet(node) || !(node.connected || isSelf(node)));
/** Primaries that have failed, and whose slots somebody who follows them is about to take over, if anybody can. */
export const toBeSucceeded = (nodes: Node[]): Node[] =>
  nodes.filter((node) => hasFailed(node) && node.slots !== "" && nodes.some((other) => other.of === node.id && !hasFailed(other)));

/** Who owns which slots, as one text: nodes that say the same agree. */
export const signature = (nodes: Node[]): string =>
  nodes.filter(({ slots }) => slots !== "").map(({ id, slots }) => `${id}[${slots}]`).sort().join(" ");
