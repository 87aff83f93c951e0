/**
 * The native demo as a real process against real peers: the `ws` library and the TypeScript codec on one side, the C
 * edition on the other, over TCP and over a byte stream.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { catalogHash, encodeCatalog, encodeStreamFrame, StreamDecoder } from "@tidegate/proto";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { WebSocketServer } from "ws";
import { requires } from "../../../scripts/testing/requires.mjs";
import { TinyGateway } from "./tiny-gateway.js";

const FOLDER = fileURLToPath(new URL("..", import.meta.url));
const DEMO = join(FOLDER, "build", "native-demo");

const withCompiler = requires("gcc", "make");

let folder = "";
let child: ChildProcess | undefined;
let close: () => void = () => {};

function start(...args: string[]): void {
  child = spawn(DEMO, ["--id", "demo-1", "--interval-ms", "50", ...args], {
    env: { ...process.env, TIDEGATE_TOKEN: "demo-token" },
    stdio: ["ignore", "ignore", "inherit"],
  });
}

/** Telemetry, catalog, a command and an orderly end: the whole conversation, whatever the link. */
async function converse(gateway: TinyGateway): Promise<void> {
  const hello = await gateway.next((u) => u.body?.kind === "hello");
  const catalog = await gateway.next((u) => u.body?.kind === "catalog");
  const third = await gateway.next((u) => u.body?.kind === "telemetry" && u.seq >= 3);
  expect(third.gap).toBe(0);
  if (hello.body?.kind !== "hello" || catalog.body?.kind !== "catalog") throw new Error("unreachable");
  expect(hello.body.hello).toMatchObject({
    deviceId: "demo-1",
    model: "native-demo",
    epoch: 0,
    maxRxBytes: expect.any(Number),
  });
  expect(catalog.body.catalog.signals.map((s) => s.key)).toEqual(["temperature", "count", "led"]);
  expect(catalog.body.catalog.signals[0]?.unit).toBe("°C");
  expect(catalogHash(encodeCatalog(catalog.body.catalog))).toBe(hello.body.hello.catalogHash);

  const args = new TextEncoder().encode('{"on":true}');
  const base = { name: "", args, deadlineUptimeMs: 0, atMostOnce: false };
  gateway.say({ kind: "command", command: { ...base, id: 1, code: 1 } });
  gateway.say({ kind: "command", command: { ...base, id: 2, code: 0, name: "echo" } });
  gateway.say({ kind: "command", command: { ...base, id: 3, code: 9 } });
  const update = (id: number) =>
    gateway.next((u) => u.body?.kind === "commandUpdate" && u.body.commandUpdate.id === id);
  expect((await update(1)).body).toMatchObject({ commandUpdate: { state: 3 } });
  const echo = await update(2);
  if (echo.body?.kind !== "commandUpdate") throw new Error("unreachable");
  expect(Buffer.from(echo.body.commandUpdate.result).toString()).toBe('{"on":true}');
  expect((await update(3)).body).toMatchObject({ commandUpdate: { state: 6 } });

  child?.kill("SIGTERM");
  const bye = await gateway.next((u) => u.body?.kind === "bye");
  expect(bye.body).toMatchObject({ bye: { reason: 1 } });
}

withCompiler.describe("the native demo of the C edition", () => {
  beforeAll(async () => {
    await promisify(execFile)("make", ["--no-print-directory", "demo"], {
      cwd: FOLDER,
      env: { ...process.env, MAKEFLAGS: "" },
    });
    folder = await mkdtemp(join(tmpdir(), "tidegate-c-"));
  }, 120_000);

  afterEach(() => {
    child?.kill("SIGKILL");
    close();
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  withCompiler.it("talks to the ws library with subprotocol, bearer token and masked binary frames", async () => {
    const gateway = new TinyGateway();
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1", path: "/v1/device", perMessageDeflate: false });
    close = () => {
      for (const socket of server.clients) socket.terminate();
      server.close();
    };
    const headers: Record<string, unknown>[] = [];
    server.on("connection", (socket, request) => {
      headers.push(request.headers);
      gateway.attach((message) => socket.send(message));
      socket.on("message", (bytes: Buffer, isBinary) => {
        expect(isBinary).toBe(true);
        gateway.hear(bytes);
      });
      socket.ping("are you there");
    });
    await new Promise((listening) => server.once("listening", listening));
    // A WebSocketServer listens with an AddressInfo, not a pipe name.
    start("--ws", "127.0.0.1", String((server.address() as AddressInfo).port));
    await converse(gateway);
    expect(headers[0]).toMatchObject({ authorization: "Bearer demo-token", "sec-websocket-protocol": "tidegate.v1" });
  });

  withCompiler.it("talks COBS and CRC-32 over a byte stream, and shows its token as proof", async () => {
    const gateway = new TinyGateway();
    const path = join(folder, "line");
    const open: Socket[] = [];
    const server = createServer((socket) => {
      const decoder = new StreamDecoder();
      open.push(socket);
      gateway.attach((message) => socket.write(encodeStreamFrame(message)));
      socket.on("error", () => {});
      socket.on("data", (chunk) => {
        for (const message of decoder.push(chunk)) gateway.hear(message);
      });
    });
    close = () => {
      for (const socket of open) socket.destroy();
      server.close();
    };
    await new Promise<void>((listening) => server.listen(path, listening));
    start("--serial", path);
    await converse(gateway);
    const hello = await gateway.next((u) => u.body?.kind === "hello");
    expect(hello.body?.kind === "hello" && Buffer.from(hello.body.hello.proof).toString()).toBe("demo-token");
  });
});
