/** A serial wire in memory: the gateway's end is a channel, the board's end is written and read by the test. */
import { Duplex } from "node:stream";
import {
  type DownlinkBody,
  decodeDownlink,
  encodeStreamFrame,
  encodeUplink,
  StreamDecoder,
  type UplinkBody,
} from "@tidegate/proto";
import type { OpenSerial, SerialChannel } from "../serial-open.js";

/** One plugging-in of a board. */
export class MemoryWire implements SerialChannel {
  readonly stream: Duplex;
  /** Messages from the gateway, decoded. */
  readonly heard: DownlinkBody[] = [];
  /** Every byte from the gateway. */
  readonly bytes: number[] = [];
  isClosed = false;
  /** A board that takes nothing: writes stay in the gateway's queue. */
  isStuck = false;
  readonly #decoder = new StreamDecoder();

  constructor() {
    const stream = new Duplex({
      read: () => {},
      write: (chunk: Uint8Array, _encoding, done) => {
        if (this.isStuck) return;
        this.bytes.push(...chunk);
        for (const message of this.#decoder.push(chunk)) {
          const decoded = decodeDownlink(message);
          if (!decoded.ok || decoded.value === null) throw new Error("the gateway sent garbage");
          this.heard.push(decoded.value);
        }
        done();
      },
    });
    stream.on("close", () => {
      this.isClosed = true;
    });
    this.stream = stream;
  }

  close(): void {
    this.stream.destroy();
  }

  /** The cable is pulled. */
  pull(): Promise<void> {
    this.stream.destroy();
    return settle();
  }

  /** Bytes from the board, as they stand. */
  async feed(bytes: Uint8Array | string): Promise<void> {
    this.stream.push(typeof bytes === "string" ? Buffer.from(bytes) : bytes);
    await settle();
  }

  /** One message from the board. */
  say(body: UplinkBody, seq = 0): Promise<void> {
    return this.feed(encodeStreamFrame(encodeUplink({ seq, gap: 0, body })));
  }
}

/** Opens what the test has plugged in under a path, or fails as the test says. */
export class MemoryPorts {
  readonly wires: MemoryWire[] = [];
  /** Paths that were tried. */
  readonly tried: string[] = [];
  /** What a path answers: a failure, or nothing for a wire. */
  failure: (path: string) => string | null = () => null;

  readonly open: OpenSerial = async (path) => {
    this.tried.push(path);
    const failure = this.failure(path);
    if (failure !== null) throw new Error(failure);
    const wire = new MemoryWire();
    this.wires.push(wire);
    return wire;
  };

  /** The wire opened last. */
  get wire(): MemoryWire {
    const wire = this.wires.at(-1);
    if (wire === undefined) throw new Error("no wire was opened");
    return wire;
  }
}

/** Let streams and promises come to rest. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}
