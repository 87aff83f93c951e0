/** The examples run: one on a file as the kernel writes it, one against a real echo service. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ECHO_SUBPROTOCOL } from "@tidegate/proto";
import { afterAll, expect, test } from "vitest";
import { WebSocketServer } from "ws";
import { echo } from "./echo-client.js";
import { readCelsius } from "./raspberry-pi-temperature.js";

const folder = mkdtempSync(join(tmpdir(), "tidegate-example-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the Pi's temperature is read from the thermal zone", async () => {
  const path = join(folder, "temp");
  writeFileSync(path, "48312\n");
  expect(await readCelsius(path)).toBe(48.312);
  writeFileSync(path, "nonsense");
  await expect(readCelsius(path)).rejects.toThrow(/no temperature/);
});

test("the echo client counts what comes back unchanged [P-36]", async () => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => ECHO_SUBPROTOCOL });
  await new Promise((resolve) => server.once("listening", resolve));
  let count = 0;
  server.on("connection", (socket) =>
    socket.on("message", (data) => socket.send(++count === 3 ? Buffer.from("changed") : data, { binary: true })),
  );
  const { port } = server.address() as AddressInfo; // listening on TCP
  const result = await echo({ url: `ws://127.0.0.1:${port}/` }, 5, 32);
  expect(result).toMatchObject({ sent: 5, same: 4, changed: 1 });
  server.close();
});

test("the echo client says why when nobody is there", async () => {
  await expect(echo({ url: "ws://127.0.0.1:9/" }, 1, 1)).rejects.toThrow(/ECONNREFUSED/);
});
