/**
 * What a device of the C edition holds its link by: bytes go in and out, whatever carries them.
 *
 *   C device ══ bytes ══ ByteLink ─┬─ frames ── a connection of the network (the framing is taken off and put on here)
 *                                  └─ bytes ─── a serial wire
 */
import type { Connect } from "@tidegate/device-sdk";
import { encodeStreamFrame, SERIAL_MESSAGE_BYTES_MAX, StreamDecoder } from "@tidegate/proto";
import type { SerialWire } from "./serial-wire.js";

/** One port of a board; see tg_port.h. */
export interface ByteLink {
  open(): number;
  send(bytes: Uint8Array): number;
  recv(max: number): Uint8Array | null;
  close(): void;
}

/** Bytes that arrived and were not taken yet. */
class Inbox {
  #chunks: Uint8Array[] = [];

  push(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
  }

  clear(): void {
    this.#chunks = [];
  }

  take(max: number): Uint8Array {
    const first = this.#chunks[0];
    if (first === undefined) return new Uint8Array(0);
    if (first.length <= max) {
      this.#chunks.shift();
      return first;
    }
    this.#chunks[0] = first.subarray(max);
    return first.subarray(0, max);
  }
}

/** @param arrived called when the board should look: bytes, an opened link, or its end. */
export function wireLink(wire: SerialWire, arrived: () => void): ByteLink {
  const inbox = new Inbox();
  const hears = (bytes: Uint8Array): void => {
    inbox.push(bytes);
    arrived();
  };
  return {
    open: () => {
      inbox.clear();
      wire.plugBoard(hears);
      return 1;
    },
    send: (bytes) => {
      wire.toGateway(bytes);
      return bytes.length;
    },
    recv: (max) => inbox.take(max),
    close: () => wire.plugBoard(null),
  };
}

/** A link of the network under a device that speaks in bytes. */
export function networkLink(connect: Connect, arrived: () => void): ByteLink {
  const inbox = new Inbox();
  let decoder = new StreamDecoder(SERIAL_MESSAGE_BYTES_MAX);
  let link: ReturnType<Connect> | null = null;
  let state: "none" | "opening" | "open" | "dead" = "none";
  const start = (): void => {
    state = "opening";
    inbox.clear();
    decoder = new StreamDecoder(SERIAL_MESSAGE_BYTES_MAX);
    const mine = connect({
      opened: () => {
        if (link !== mine) return;
        state = "open";
        arrived();
      },
      frame: (message) => {
        if (link !== mine) return;
        inbox.push(encodeStreamFrame(message));
        arrived();
      },
      writable: () => {},
      closed: () => {
        if (link !== mine) return;
        state = "dead";
        arrived();
      },
    });
    link = mine;
  };
  return {
    open: () => {
      if (state === "none") start();
      if (state === "dead") {
        state = "none";
        return -1;
      }
      return state === "open" ? 1 : 0;
    },
    send: (bytes) => {
      if (state !== "open") return -1;
      for (const message of decoder.push(bytes)) link?.send(message);
      return bytes.length;
    },
    recv: (max) => {
      const taken = inbox.take(max);
      return taken.length === 0 && state !== "open" ? null : taken;
    },
    close: () => {
      if (state === "open" || state === "opening") link?.close(1000);
      link = null;
      state = "none";
    },
  };
}
