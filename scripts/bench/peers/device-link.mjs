// The connection of a benchmark's device, at the least cost: devices and gateway share the processor, and thousands of
// connections with a client for everybody's needs would measure that client.
//
//   TLS (one context for all, session resumed when there is one) ─▶ GET, written at once ─▶ 101 ─▶ frames
//
// It believes the 101 without checking the key, and masks with zeros: there is nobody between it and the server.

import { connect, createSecureContext } from "node:tls";
import { CONSTANT_SERVER_NAME, DEVICE_PATH } from "@tidegate/proto";

const HEAD_END = Buffer.from("\r\n\r\n");
/** RFC 6455 §5.2: final binary frame; the mask bit; where longer lengths begin; the opcode of a close. */
const [BINARY, MASKED, LENGTH_16, CLOSE] = [0x82, 0x80, 126, 0x08];
const OPCODE_BITS = 0x0f;
const NOTHING = Buffer.alloc(0);

/** For all devices of a process: reading the CA anew for each connection would cost more than the handshake. */
export const contextOf = (ca) => createSecureContext({ ca, minVersion: "TLSv1.3" });

/** One connection from now to its end. */
export class DeviceLink {
  #socket;
  #listener;
  #rest = NOTHING;
  #isOpen = false;

  /**
   * @param {{ port: number, secureContext: object, session?: Buffer, token: string, protocol: string | null }} to
   * @param {{ open?: () => void, message?: (bytes: Buffer) => void, refused?: (status: number, retryAfterMs: number) =>
   *   void, session?: (session: Buffer) => void, closed: (why: string) => void }} listener `closed` comes last, once
   */
  constructor({ port, secureContext, session, token, protocol }, listener) {
    this.#listener = listener;
    const options = { host: "127.0.0.1", port, servername: CONSTANT_SERVER_NAME, secureContext };
    this.#socket = connect(session === undefined ? options : { ...options, session });
    this.#socket.setNoDelay(true);
    let why = "the server closed the connection";
    this.#socket.on("error", (error) => {
      why = error.message;
    });
    this.#socket.on("close", () => listener.closed(why));
    this.#socket.on("data", (chunk) => this.#take(chunk));
    if (listener.session !== undefined) this.#socket.on("session", listener.session);
    const offered = protocol === null ? "" : `Sec-WebSocket-Protocol: ${protocol}\r\n`;
    this.#socket.write(
      `GET ${DEVICE_PATH} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n${offered}` +
        `Authorization: Bearer ${token}\r\n\r\n`,
    );
  }

  /** @param {Uint8Array} message up to 64 KiB − 1 */
  send(message) {
    const isLong = message.length >= LENGTH_16;
    const frame = Buffer.alloc((isLong ? 8 : 6) + message.length);
    frame[0] = BINARY;
    frame[1] = MASKED | (isLong ? LENGTH_16 : message.length);
    if (isLong) frame.writeUInt16BE(message.length, 2);
    frame.set(message, isLong ? 8 : 6);
    this.#socket.write(frame);
  }

  #take(chunk) {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    if (!this.#isOpen && !this.#head()) return;
    while (this.#frame());
  }

  /** @returns whether frames may follow */
  #head() {
    const end = this.#rest.indexOf(HEAD_END);
    if (end < 0) return false;
    const head = this.#rest.toString("latin1", 0, end);
    this.#rest = this.#rest.subarray(end + HEAD_END.length);
    const status = Number(head.slice(9, 12));
    this.#isOpen = status === 101;
    if (this.#isOpen) {
      this.#listener.open?.();
      return true;
    }
    this.#listener.refused?.(status, Number(/^retry-after: (\d+)/im.exec(head)?.[1] ?? 0) * 1_000);
    this.#socket.destroy();
    return false;
  }

  /** @returns whether there was a whole one */
  #frame() {
    const { length } = this.#rest;
    if (length < 2) return false;
    const isLong = this.#rest[1] === LENGTH_16;
    const start = isLong ? 4 : 2;
    if (length < start) return false;
    const end = start + (isLong ? this.#rest.readUInt16BE(2) : this.#rest[1]);
    if (length < end) return false;
    const payload = this.#rest.subarray(start, end);
    const isClose = (this.#rest[0] & OPCODE_BITS) === CLOSE;
    this.#rest = length === end ? NOTHING : this.#rest.subarray(end);
    if (isClose) this.#socket.destroy();
    else this.#listener.message?.(payload);
    return !isClose;
  }
}
