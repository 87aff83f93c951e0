/**
 * The device's catalog: what it measures and obeys, made from its declarations, encoded once at start.
 *
 * Ids and codes are given in the order of declaration from 1, so the same program always has the same catalog and the
 * gateway asks for it only once [P-26] [P-27].
 */
import { type CommandSpec, MESSAGE_BYTES_MAX, type Signal, splitCatalog } from "@tidegate/proto";
import { encodeBody, HEAD_BYTES_MAX } from "./frame-head.js";

/** A catalog as it travels; the gateway asks for it when it does not know its hash [P-18]. */
export interface EncodedCatalog {
  /** 0: the device declares nothing. */
  readonly hash: number;
  /** The bodies to send, in order. */
  readonly parts: readonly Uint8Array[];
}

/** @throws RangeError when a declaration is over a limit of the protocol */
export function buildCatalog(
  signals: readonly Signal[],
  commands: readonly CommandSpec[],
  messageBytesMax = MESSAGE_BYTES_MAX,
): EncodedCatalog {
  if (signals.length === 0 && commands.length === 0) return { hash: 0, parts: [] };
  const whole = { hash: 0, part: 0, parts: 0, signals: [...signals], commands: [...commands] };
  const parts = splitCatalog(whole, messageBytesMax - HEAD_BYTES_MAX);
  const bodies = parts.map((catalog) => encodeBody({ kind: "catalog", catalog }));
  return { hash: parts[0]?.hash ?? 0, parts: bodies };
}
