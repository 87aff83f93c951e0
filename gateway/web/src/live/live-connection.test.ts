/** The page's connection on a manual clock: it resumes, backs off, notices silence and never gives up. */
import { describe, expect, it } from "vitest";
import { ManualClock } from "../../../src/core/testing/manual-clock.js";
import { LiveConnection } from "./live-connection.js";

interface FakeSocket {
  onmessage: ((event: MessageEvent) => void) | null;
  onclose: ((event: CloseEvent) => void) | null;
  close(): void;
  query: string;
  closed: boolean;
}

function stage() {
  const clock = new ManualClock();
  const sockets: FakeSocket[] = [];
  const seen: string[] = [];
  const around = { holds: true, random: 0.5 };
  const connection = new LiveConnection(
    {
      open: (query) => {
        const socket: FakeSocket = {
          query,
          closed: false,
          onmessage: null,
          onclose: null,
          close: () => {
            socket.closed = true;
          },
        };
        sockets.push(socket);
        return socket as unknown as WebSocket; // only what the connection uses
      },
      after: (ms, fn) => clock.after(ms, fn),
      random: () => around.random,
      sessionHolds: async () => around.holds,
    },
    {
      message: (message) => seen.push(message.type),
      lost: (pauseMs) => seen.push(`lost ${pauseMs}`),
      trying: () => seen.push("trying"),
      loggedOut: () => seen.push("logged out"),
    },
  );
  const say = (message: object): void => sockets.at(-1)?.onmessage?.({ data: JSON.stringify(message) } as MessageEvent);
  const drop = (): void => sockets.at(-1)?.onclose?.({} as CloseEvent);
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms);
    for (let i = 0; i < 5; i++) await Promise.resolve();
  };
  const hello = (id: number, recovered: boolean, store = "s1"): void => say({ type: "hello", store, id, recovered });
  return { connection, sockets, seen, around, clock, say, drop, pass, hello };
}

describe("the page's connection", () => {
  it("comes back with its store and the last record it saw", async () => {
    const s = stage();
    s.connection.connect();
    expect(s.sockets[0]?.query).toBe("");
    s.hello(10, false);
    s.say({ type: "events", id: 12, events: [] });
    s.drop();
    await s.pass(250);
    expect(s.sockets[1]?.query).toBe("?after=12&store=s1");
    s.hello(15, true);
    s.drop();
    await s.pass(250);
    expect(s.sockets[2]?.query).toBe("?after=12&store=s1");
    s.hello(3, false, "s2");
    s.drop();
    await s.pass(250);
    expect(s.sockets[3]?.query).toBe("?after=3&store=s2");
  });

  it("waits longer after each failure, up to ten seconds, and starts over after a hello", async () => {
    const s = stage();
    s.around.random = 0.9999;
    s.connection.connect();
    for (let i = 0; i < 8; i++) {
      s.drop();
      await s.pass(10_000);
    }
    expect(s.seen.filter((line) => line.startsWith("lost"))).toEqual(
      [500, 1000, 2000, 4000, 7999, 9999, 9999, 9999].map((ms) => `lost ${ms}`),
    );
    s.hello(1, false);
    s.drop();
    expect(s.seen.at(-1)).toBe("lost 500");
  });

  it("takes twelve seconds of silence for a dead connection, and ignores what it says later", async () => {
    const s = stage();
    s.connection.connect();
    s.hello(1, false);
    await s.pass(11_000);
    s.say({ type: "beat", id: 1, unixMs: 0 });
    await s.pass(11_000);
    expect(s.seen).toEqual(["trying", "hello", "beat"]);
    await s.pass(1000);
    expect(s.seen.at(-1)).toBe("lost 250");
    expect(s.sockets[0]?.closed).toBe(true);
    s.say({ type: "beat", id: 1, unixMs: 0 });
    s.drop();
    expect(s.seen.at(-1)).toBe("lost 250");
  });

  it("tries at once when asked, and makes no second connection beside a living one", () => {
    const s = stage();
    s.connection.connect();
    s.connection.connect();
    expect(s.sockets).toHaveLength(1);
    s.drop();
    s.connection.connect();
    expect(s.sockets).toHaveLength(2);
    expect(s.clock.pending).toBe(1);
  });

  it("gives up only when the session ended", async () => {
    const s = stage();
    s.connection.connect();
    s.around.holds = false;
    s.drop();
    await s.pass(250);
    expect(s.seen.at(-1)).toBe("logged out");
    expect(s.clock.pending).toBe(0);
  });
});
