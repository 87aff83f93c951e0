// One device, by hand: greets, and answers each command at once with its success.
//
//   POST ─▶ store ─▶ Command ─▶ this ─▶ CommandUpdate, seq n ─▶ store ─▶ Ack n ─▶ this: the round trip is over

import { CommandState, decodeDownlink, encodeUplink, SUBPROTOCOL } from "@tidegate/proto";
import { WebSocket } from "ws";
import { helloBytes, pongBytes } from "./hello.mjs";

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
      socket.once("open", () => socket.send(helloBytes(deviceId, { bootNonce: 9, maxRxBytes: 0 })));
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

  #answer(body, isUp) {
    if (body?.kind === "heartbeat") {
      this.#socket.send(pongBytes(body.heartbeat.ping, { nextSeq: this.#seq + 1, oldest: this.#seq + 1 }));
      isUp();
    } else if (body?.kind === "command") {
      this.#seq += 1;
      const done = { id: body.command.id, state: CommandState.SUCCEEDED, result: NO_BYTES, error: "" };
      const answer = { kind: "commandUpdate", commandUpdate: done };
      this.#socket.send(encodeUplink({ seq: this.#seq, gap: 0, body: answer }));
    } else if (body?.kind === "ack" && body.ack.seq === this.#seq) {
      this.#waiting.shift()?.();
    }
  }
}
