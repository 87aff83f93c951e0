/** A TCP proxy that cuts every connection through it after so many bytes: a network that breaks mid-packet. */
import { connect, createServer, type Server, type Socket } from "node:net";

export class TcpCutter {
  cuts = 0;
  port = 0;
  /** Bytes towards the broker after which a connection is cut; infinite: never. */
  cutAfterBytes = Number.POSITIVE_INFINITY;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(targetPort: number) {
    this.#server = createServer((near) => this.#serve(near, connect(targetPort, "127.0.0.1")));
  }

  listen(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.listen(0, "127.0.0.1", () => {
        const address = this.#server.address();
        this.port = typeof address === "object" && address !== null ? address.port : 0;
        resolve();
      });
    });
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #serve(near: Socket, far: Socket): void {
    let left = this.cutAfterBytes;
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    far.pipe(near);
    near.on("data", (chunk: Buffer) => {
      far.write(chunk.subarray(0, Math.min(chunk.length, left)));
      left -= chunk.length;
      if (left > 0) return;
      this.cuts += 1;
      near.resetAndDestroy();
      far.destroy();
    });
  }
}
