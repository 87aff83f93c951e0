/**
 * A hint for who speaks plain HTTP to the TLS port: a common mistake of a first firmware, and a silent one.
 *
 *   TCP ─▶ remembered ─▶ TLS agreed: forgotten
 *                  └───▶ "GET / HTTP/1.1" instead of TLS ─▶ 400 in plain text on the socket below, closed
 *
 * Nothing is served this way: no credential is read, and the answer is the same for everybody.
 */
import type { Server as HttpsServer } from "node:https";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";

const TEXT = "This port speaks TLS: write the address with wss:// (or https://), not ws:// or http://.\n";
const ANSWER = `HTTP/1.1 400 Bad Request\r
Connection: close\r
Content-Type: text/plain\r
Content-Length: ${TEXT.length}\r
\r
${TEXT}`;

/** OpenSSL's word for a request where a handshake should begin. */
const HTTP_INSTEAD = "ERR_SSL_HTTP_REQUEST";

/** A connection in its handshake. */
interface Guest {
  readonly socket: Socket;
  readonly forget: () => void;
}

/** Answer plain HTTP on a TLS server. Sockets are remembered for their handshake only. */
export function hintAtTls(server: HttpsServer): void {
  const shaking = new Map<string, Guest>();
  const nameOf = (socket: Socket): string => `${socket.remoteAddress}|${socket.remotePort}`;
  server.on("connection", (socket: Socket) => {
    const name = nameOf(socket);
    const forget = (): void => {
      if (shaking.get(name)?.socket === socket) shaking.delete(name);
    };
    shaking.set(name, { socket, forget });
    socket.on("close", forget);
  });
  server.on("secureConnection", (socket: TLSSocket) => {
    const guest = shaking.get(nameOf(socket));
    // Nothing of this may stay for as long as the connection does.
    guest?.socket.off("close", guest.forget);
    guest?.forget();
  });
  server.on("tlsClientError", (error: NodeJS.ErrnoException, socket: TLSSocket) => {
    if (error.code !== HTTP_INSTEAD) return;
    const below = shaking.get(nameOf(socket))?.socket;
    if (below === undefined || !below.writable) return;
    below.on("error", () => below.destroy());
    below.end(ANSWER);
  });
}
