/** A TCP port on loopback that is free now; used where a process must come back under the same port. */
import { type AddressInfo, createServer } from "node:net";

/** Ask the kernel for one. It may be taken again before it is used, as with every such port. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo; // it listens on TCP
      server.close(() => resolve(port));
    });
  });
}
