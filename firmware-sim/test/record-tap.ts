/**
 * A TCP relay on the loopback that measures TLS records as they pass, without being able to read them.
 *
 *   | type 1 | version 2 | length 2 | length bytes |        RFC 5246, section 6.2.1
 */
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

const HEAD_BYTES = 5;
/** The type of records that carry what the application said. */
const APPLICATION_DATA = 23;

/** Cuts one direction of one connection into records. */
class RecordMeter {
  readonly #note: (type: number, bytes: number) => void;
  #head: number[] = [];
  #leftBytes = 0;

  constructor(note: (type: number, bytes: number) => void) {
    this.#note = note;
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#leftBytes > 0) {
        const bytes = Math.min(this.#leftBytes, chunk.length - at);
        this.#leftBytes -= bytes;
        at += bytes;
        continue;
      }
      this.#head.push(chunk[at] ?? 0);
      at += 1;
      if (this.#head.length < HEAD_BYTES) continue;
      const [type = 0, , , high = 0, low = 0] = this.#head;
      this.#leftBytes = high * 256 + low;
      this.#note(type, this.#leftBytes);
      this.#head = [];
    }
  }
}

/** What passed in one direction; bytes are those of records on the wire, without their heads. */
export interface Records {
  largestBytes: number;
  applicationRecords: number;
}

export class RecordTap {
  readonly fromGateway: Records = { largestBytes: 0, applicationRecords: 0 };
  readonly fromDevice: Records = { largestBytes: 0, applicationRecords: 0 };
  connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(gatewayPort: number) {
    this.#server = createServer({ noDelay: true }, (device) => {
      this.connections += 1;
      const gateway = connect({ port: gatewayPort, host: "127.0.0.1", noDelay: true });
      this.#join(device, gateway, this.fromDevice);
      this.#join(gateway, device, this.fromGateway);
    });
  }

  #join(from: Socket, to: Socket, records: Records): void {
    const meter = new RecordMeter((type, bytes) => {
      records.largestBytes = Math.max(records.largestBytes, bytes);
      if (type === APPLICATION_DATA) records.applicationRecords += 1;
    });
    this.#sockets.add(from);
    from.on("data", (chunk: Buffer) => {
      meter.push(chunk);
      to.write(chunk);
    });
    from.on("error", () => {});
    from.on("close", () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }

  static async listen(gatewayPort: number): Promise<RecordTap> {
    const tap = new RecordTap(gatewayPort);
    await new Promise<void>((resolve, reject) => {
      tap.#server.once("error", reject);
      tap.#server.listen(0, "127.0.0.1", resolve);
    });
    return tap;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port; // a TCP server's address is never a path
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}
