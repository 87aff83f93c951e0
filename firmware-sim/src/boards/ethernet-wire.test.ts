/** The way of a board on Ethernet: what its page says, and that it leads to the gateway. */
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SystemClock } from "@tidegate/device-sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeCertificate } from "../testing/certificate.js";
import { EthernetWire, type EthernetWireOptions } from "./ethernet-wire.js";

const IDENTITY = { id: "sim-ethernet-1", token: "t", seed: 7, intervalMs: 100 };
let dir = "";
let gateway: Server;
let url = "";
let wire: EthernetWire | null = null;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), "tidegate-wire-"));
  gateway = createServer((socket) => socket.on("error", () => {}).end("gateway here"));
  await new Promise<void>((listening) => gateway.listen(0, "127.0.0.1", listening));
  const address = gateway.address();
  url = `ws://127.0.0.1:${typeof address === "object" ? (address?.port ?? 0) : 0}/v1/device`;
});
afterEach(async () => {
  await wire?.close();
  wire = null;
  gateway.close();
  rmSync(dir, { recursive: true, force: true });
});

const options = (to: string, ca: string | null): EthernetWireOptions => ({
  ...{ uart: join(dir, "u"), url: to, clock: new SystemClock() },
  credential: { deviceId: IDENTITY.id, token: IDENTITY.token, url: to, ca },
});

describe("a board's Ethernet", () => {
  it("tells the board a port that leads to the gateway, as the emulator's network names it", async () => {
    let isTold = false;
    wire = new EthernetWire({ ...options(url, null), onOpen: () => (isTold = true) });
    await wire.open();
    expect([isTold, wire.isOpen]).toEqual([true, true]);
    const page = wire.page(IDENTITY);
    expect([...page.subarray(108, 112)]).toEqual([10, 0, 2, 2]);
    expect(page.readUInt16LE(114)).toBe(0);
    const heard = await new Promise<string>((resolve) => {
      connect(page.readUInt16LE(112), "127.0.0.1").once("data", (chunk) => resolve(chunk.toString()));
    });
    expect(heard).toBe("gateway here");
  });

  it("gives the board the CA to pin in DER, and other randomness at every boot", async () => {
    const { cert } = await makeCertificate();
    const der = new X509Certificate(cert).raw;
    wire = new EthernetWire(options(url.replace("ws:", "wss:"), cert));
    const [page, next] = [wire.page(IDENTITY), wire.page(IDENTITY)];
    expect(page.readUInt16LE(114)).toBe(der.length);
    expect(page.subarray(148)).toEqual(der);
    expect(page.subarray(116, 148)).not.toEqual(next.subarray(116, 148));
  });

  it("refuses wss without a CA of the gateway's own: the board has no others", () => {
    expect(() => new EthernetWire(options("wss://gateway.lan:8443/v1/device", null))).toThrow(/own CA/);
  });

  it("hears the board's console", async () => {
    wire = new EthernetWire(options(url, null));
    await wire.open();
    const board = connect(join(dir, "u"));
    board.write("online 5\n");
    await expect.poll(() => wire?.log.isOnline).toBe(true);
    board.destroy();
  });
});
