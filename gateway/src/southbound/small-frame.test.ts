/** Frames made by hand, read by an independent receiver. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { SMALL_MESSAGE_BYTES_MAX, smallFrame } from "./small-frame.js";

it("is one binary frame with a header of two bytes, and a copy of the message", () => {
  const message = new Uint8Array([1, 2, 3]);
  const frame = smallFrame(message);
  message[0] = 9;
  expect([...frame]).toEqual([0x82, 3, 1, 2, 3]);
});

it("is read by ws, in order with the frames that ws itself sends on the same socket", async () => {
  const server = createServer();
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  const sizes = Array.from({ length: 300 }, (_, i) => i);
  server.on("upgrade", (request, socket: Duplex, head: Buffer) =>
    sockets.handleUpgrade(request, socket, head, (ws) => {
      for (const size of sizes) {
        const message = new Uint8Array(size).fill(size & 0xff);
        if (size <= SMALL_MESSAGE_BYTES_MAX && size % 2 === 0) socket.write(smallFrame(message));
        else ws.send(message);
      }
      ws.close(1000);
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // a listening TCP server has one
  const client = new WebSocket(`ws://127.0.0.1:${port}`);
  const got: number[] = [];
  client.on("message", (data: Buffer, isBinary) => {
    if (isBinary && data.every((byte) => byte === (data.length & 0xff))) got.push(data.length);
  });
  const code = await new Promise<number>((resolve) => client.on("close", resolve));
  server.close();
  expect(code).toBe(1000);
  expect(got).toEqual(sizes);
});
