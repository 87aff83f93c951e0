/** `tidegate watch` on a live feed that flows, breaks and floods. */
import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EVENT_CHARS_MAX, serverEvents } from "./event-stream.js";
import { globMatcher } from "./glob.js";
import { ADMIN_TOKEN, FakeApi } from "./testing/fake-api.js";
import { type CliRun, cli, type FakeWorld } from "./testing/fake-context.js";

let api: FakeApi;

beforeEach(async () => {
  api = await FakeApi.start();
});
afterEach(() => api.stop());

const SSE = "GET /api/v1/live/sse";

function run(args: string[], world: FakeWorld = {}): Promise<CliRun> {
  return cli(["watch", ...args], {
    ...world,
    env: { TIDEGATE_URL: api.url, TIDEGATE_TOKEN_FILE: "/t" },
    files: { "/t": ADMIN_TOKEN },
  });
}

const reading = (signal: string, v: unknown, q = "good") => ({ signal, t: Date.UTC(2026, 0, 1, 12), v, q, unit: "°C" });
const events = (id: number, device: string, ...readings: unknown[]) => ({
  id,
  text: { type: "events", id, events: [{ id, device, kind: "data", readings }] },
});

function stream(response: ServerResponse, ...messages: { id: number; text: unknown }[]): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write("retry: 2000\n\n: comment\n\n");
  for (const { id, text } of messages) response.write(`id: s1:${id}\ndata: ${JSON.stringify(text)}\n\n`);
}

describe("watch", () => {
  it("shows what matches, one line each, and ends after --count", async () => {
    api.on(SSE, (_request, response) =>
      stream(
        response,
        { id: 1, text: { type: "hello", recovered: false } },
        { id: 1, text: { type: "beat", id: 1 } },
        events(2, "attic-7", reading("temperature", 21.4), reading("humidity", 50)),
        events(3, "cellar-1", reading("temperature", 9)),
        events(4, "attic-8", reading("temp\u001b[2J", null, "bad")),
        events(5, "attic-8", reading("temperature", 1)),
      ),
    );
    const { exitCode, out } = await run(["attic-*/temp*", "--count", "2"]);
    expect(exitCode).toBe(0);
    expect(out).toBe("12:00:00.000  attic-7/temperature  21.4 °C\n12:00:00.000  attic-8/temp·[2J  null °C  bad\n");
  });

  it("prints one JSON object per line with --json", async () => {
    api.on(SSE, (_request, response) => stream(response, events(2, "a", reading("x", 1), reading("y", "two"))));
    const { out } = await run(["*", "--json", "--count", "2"]);
    expect(
      out
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { device: "a", ...reading("x", 1) },
      { device: "a", ...reading("y", "two") },
    ]);
  });

  it("goes on where it stopped after a cut, and tells when readings were left out", async () => {
    api.on(
      SSE,
      (_request, response) => {
        stream(response, events(7, "a", reading("x", 1)));
        response.end();
      },
      (_request, response) => {
        response.socket?.destroy();
      },
      (_request, response) =>
        stream(
          response,
          {
            id: 9,
            text: { type: "latest", id: 9, conflated: true, devices: [{ device: "a", readings: [reading("x", 2)] }] },
          },
          events(10, "a", reading("x", 3)),
        ),
    );
    const { out, err } = await run(["--count", "3"]);
    expect(out.split("\n").map((line) => line.split("  ")[2])).toEqual(["1 °C", "2 °C", "3 °C", undefined]);
    expect(api.seen.map((r) => r.path)).toEqual([
      "/api/v1/live/sse",
      "/api/v1/live/sse?store=s1&after=7",
      "/api/v1/live/sse?store=s1&after=7",
    ]);
    expect(err).toContain("too many at once");
  });

  it("fails when it cannot connect at all, and ends in order when interrupted", async () => {
    await api.stop();
    expect((await run([])).exitCode).toBe(3);
    api = await FakeApi.start();
    let interrupt = (): void => {};
    api.on(SSE, (_request, response) => {
      stream(response, events(1, "a", reading("x", 1)));
      setImmediate(() => interrupt());
    });
    const onInterrupt = (fn: () => void) => {
      interrupt = fn;
      return () => {};
    };
    const { exitCode, err } = await run([], { overrides: { onInterrupt } });
    expect([exitCode, err]).toEqual([0, ""]);
  });
});

describe("a pattern", () => {
  it("matches device and signal apart", () => {
    const matches = (pattern: string, path: string) => {
      const [device = "", signal = ""] = path.split("/");
      return globMatcher(pattern)(device, signal);
    };
    expect(
      ["*", "attic-*", "attic-7/*", "*/temp*", "attic-?/temperature"].every((p) => matches(p, "attic-7/temperature")),
    ).toBe(true);
    expect(["attic", "*/hum*", "attic-7/", "Attic-7", "attic-??"].some((p) => matches(p, "attic-7/temperature"))).toBe(
      false,
    );
  });

  it("takes no time, however it is written", () => {
    expect(globMatcher(`${"*a".repeat(100)}b`)("a".repeat(5_000), "x")).toBe(false);
  });
});

describe("server-sent events", () => {
  const collect = async (...chunks: string[]) => {
    async function* bytes() {
      for (const chunk of chunks) yield new TextEncoder().encode(chunk);
    }
    const found: unknown[] = [];
    for await (const event of serverEvents(bytes())) found.push([event.id, event.data]);
    return found;
  };

  it("are put together whatever the chunks and line ends", async () => {
    const text = "id: 1\ndata: a\ndata: b\n\nevent: x\r\ndata:c\r\n\r\n: note\n\nid: 2\n\ndata: d\n\ndata: unfinished";
    const expected = [
      ["1", "a\nb"],
      ["1", "c"],
      ["2", "d"],
    ];
    expect(await collect(text)).toEqual(expected);
    expect(await collect(...text)).toEqual(expected);
  });

  it("without an end are refused", async () => {
    await expect(
      collect(...Array.from({ length: 20 }, () => "data: ".padEnd(EVENT_CHARS_MAX / 10, "x"))),
    ).rejects.toThrow(/no end/);
  });
});
