/** The bad line, over real sockets; its timers stand still until the test moves them. */
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ManualClock } from "../testing/manual-clock.js";
import { checkRelayable, LinkRelay } from "./relay.js";

interface Peer {
  readonly socket: Socket;
  text: string;
  end: "open" | "fin" | "reset";
  isClosed: boolean;
}

function watch(socket: Socket): Peer {
  const peer: Peer = { socket, text: "", end: "open", isClosed: false };
  socket.on("data", (bytes) => {
    peer.text += bytes.toString("utf8");
  });
  socket.on("end", () => {
    peer.end = "fin";
  });
  socket.on("error", () => {
    peer.end = "reset";
  });
  socket.on("close", () => {
    peer.isClosed = true;
  });
  return peer;
}

describe("link relay", () => {
  let server: Server;
  let relay: LinkRelay;
  const clock = new ManualClock();
  const gatewaySide: Peer[] = [];

  const open = async (bytesPerS: number | null = null): Promise<void> => {
    const address = server.address();
    const port = typeof address === "object" ? address?.port : 0;
    relay = await LinkRelay.listen(`wss://127.0.0.1:${port}/v1/device`, { clock, bytesPerS });
  };
  const dial = (): Peer => watch(connect(Number(new URL(relay.through("wss://gateway/x")).port), "127.0.0.1"));
  const pair = async (): Promise<{ device: Peer; gateway: Peer }> => {
    const count = gatewaySide.length;
    const device = dial();
    const gateway = await vi.waitFor(() => {
      const peer = gatewaySide[count];
      if (peer === undefined) throw new Error("not yet");
      return peer;
    });
    return { device, gateway };
  };
  /** Everything sent so far has arrived once this went the whole way on another connection. */
  const settle = async (): Promise<void> => {
    const other = await pair();
    other.device.socket.write("x");
    await vi.waitFor(() => expect(other.gateway.text).toBe("x"));
  };

  beforeEach(async () => {
    server = createServer({ allowHalfOpen: true }, (socket) => gatewaySide.push(watch(socket)));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterEach(async () => {
    await relay.close();
    for (const { socket } of gatewaySide.splice(0)) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
    expect(clock.timers).toBe(0);
  });

  it("keeps path and scheme of an address, and leads to itself", async () => {
    await open();
    expect(relay.through("wss://gateway.lan:8443/v1/device")).toMatch(/^wss:\/\/127\.0\.0\.1:\d+\/v1\/device$/);
  });

  it("passes bytes both ways in order, and passes on the end", async () => {
    await open();
    const { device, gateway } = await pair();
    device.socket.write("up");
    gateway.socket.write("down");
    await vi.waitFor(() => expect([gateway.text, device.text]).toEqual(["up", "down"]));
    device.socket.end();
    await vi.waitFor(() => expect(gateway.end).toBe("fin"));
    gateway.socket.end();
    await vi.waitFor(() => expect(device.isClosed).toBe(true));
  });

  it("passes a megabyte unharmed through its bounded queue", async () => {
    await open();
    const { device, gateway } = await pair();
    const text = Array.from({ length: 100_000 }, (_, i) => `${i};`).join("");
    device.socket.write(text);
    await vi.waitFor(() => expect(gateway.text.length).toBe(text.length), { timeout: 10_000 });
    expect(gateway.text).toBe(text);
  });

  it("drop-link resets both ends, and turns the device away until the time is over", async () => {
    await open();
    const { device, gateway } = await pair();
    expect(relay.dropLink(5_000)).toBe(true);
    await vi.waitFor(() => expect([device.isClosed, gateway.isClosed]).toEqual([true, true]));
    const tooEarly = dial();
    await vi.waitFor(() => expect(tooEarly.isClosed).toBe(true));
    expect(gatewaySide).toHaveLength(1);
    expect(relay.dropLink(0)).toBe(false);
    clock.advance(5_000);
    await pair();
  });

  it("half-open lets nothing pass and tells nobody, also not that the device went", async () => {
    await open();
    const { device, gateway } = await pair();
    expect(relay.halfOpen(60_000, false)).toBe(true);
    device.socket.write("lost");
    gateway.socket.write("lost");
    device.socket.destroy();
    await settle();
    expect(gateway).toMatchObject({ text: "", end: "open", isClosed: false });
    expect(device.text).toBe("");
    clock.advance(60_000);
    await vi.waitFor(() => expect(gateway.isClosed).toBe(true));
    expect(gateway.text).toBe("");
  });

  it("half-open may deliver late what the line held, after the device has a new connection", async () => {
    await open();
    const { device, gateway } = await pair();
    relay.halfOpen(60_000, true);
    device.socket.write("late");
    await settle();
    expect(gateway.text).toBe("");
    clock.advance(60_000);
    await vi.waitFor(() => expect(gateway.text).toBe("late"));
  });

  it("turns a connection away when too many frozen ones are kept, and counts it", async () => {
    await open();
    for (let i = 0; i < 16; i++) await pair();
    relay.halfOpen(60_000, false);
    const oneTooMany = dial();
    await vi.waitFor(() => expect(oneTooMany.isClosed).toBe(true));
    expect(relay.refused).toBe(1);
  });

  it("slow-link passes so many bytes per second", async () => {
    await open(2_000);
    const { device, gateway } = await pair();
    device.socket.write("a".repeat(1_000));
    await vi.waitFor(() => expect(gateway.text.length).toBe(100));
    clock.advance(100);
    await vi.waitFor(() => expect(gateway.text.length).toBe(300));
    clock.advance(1_000);
    await vi.waitFor(() => expect(gateway.text.length).toBe(1_000));
    device.socket.end();
    clock.advance(1_000);
    await vi.waitFor(() => expect(gateway.end).toBe("fin"));
  });

  it("is refused for a device that checks the name of the certificate", async () => {
    await open();
    expect(() => checkRelayable("wss://gateway.lan/v1/device", null)).toThrow(/own CA/);
    checkRelayable("wss://gateway.lan/v1/device", "PEM");
    checkRelayable("ws://127.0.0.1/v1/device", null);
  });
});
