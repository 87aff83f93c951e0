// One device, by hand: greets, and answers each command at once with its success.
//
//   POST ─▶ store ─▶ Command ─▶ this ─▶ CommandUpdate, seq n ─▶ store ─▶ Ack n ─▶ this: the round trip is over

import { CommandState, decodeDownlink, encodeUplink, SUBPROTOCOL } from "@tidegate/proto";
import { WebSocket } from "ws";

const NO_BYTES = new Uint8Array(0);

/** A device that `connect`s and then resolves one promise of `roundTrip` per command. */
export class CommandedDevice {
  #socket;
  #seq = 0;
  #waiting = [];

  constructor(socket) {
    this.#socket = socket;
  }

  /** Connects over plain ws and resolves once commands may come. */
  static async connect(port, [deviceId, token]) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/v1/device`, [SUBPROTOCOL], {
      perMessageDeflate: false,
      headers: { authorization: `Bearer ${token}` },
    });
    const device = new CommandedDevice(socket);
    await new Promise((resolve, reject) => {
      socket.once("error", reject);
      socket.once("open", () => device.#greet(deviceId));
      socket.on("message", (bytes) => device.#answer(decodeDownlink(bytes).value, resolve));
    });
    return device;
  }

  /** Resolves when the answer to the next command is acknowledged. */
  roundTrip() {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  close() {
    this.#socket.terminate();
  }

  #greet(deviceId) {
    const hello = {
      ...{ protocol: 1, deviceId, bootNonce: 9, attempt: 1, epoch: 0, nextSeq: 1, oldest: 1, ackedSeq: 0, uptimeMs: 1 },
      ...{ maxRxBytes: 0, catalogHash: 0, firmware: "bench", model: "bench", sleepMs: 0, lastCommand: 0 },
      ...{ outboxFrames: 64, proof: NO_BYTES, closing: false },
    };
    this.#send(0, { kind: "hello", hello });
  }

  #answer(body, isUp) {
    if (body?.kind === "heartbeat") {
      const numbers = { nextSeq: this.#seq + 1, oldest: this.#seq + 1 };
      const uptimeMs = Math.round(performance.now());
      this.#send(0, { kind: "heartbeat", heartbeat: { uptimeMs, unixMs: 0, ping: body.heartbeat.ping, ...numbers } });
      isUp();
    } else if (body?.kind === "command") {
      this.#seq += 1;
      const done = { id: body.command.id, state: CommandState.SUCCEEDED, result: NO_BYTES, error: "" };
      this.#send(this.#seq, { kind: "commandUpdate", commandUpdate: done });
    } else if (body?.kind === "ack" && body.ack.seq === this.#seq) {
      this.#waiting.shift()?.();
    }
  }

  #send(seq, body) {
    this.#socket.send(encodeUplink({ seq, gap: 0, body }));
  }
}
