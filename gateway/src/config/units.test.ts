/** Durations, sizes and addresses as people write them. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatListen, isHostOrAddress, isLoopback, isNetwork, parseListen } from "./addresses.js";
import { nearest } from "./suggest.js";
import { DURATION_MS_MAX, formatDuration, formatSize, parseDuration, parseSize, SIZE_BYTES_MAX } from "./units.js";

describe("durations and sizes", () => {
  it("are read with their unit", () => {
    expect(["250ms", "1s", "90m", "12h", "7d", "1.5s", "0ms"].map(parseDuration)).toEqual([
      250, 1000, 5_400_000, 43_200_000, 604_800_000, 1500, 0,
    ]);
    expect(["512B", "64KiB", "2GiB", "1.5MiB"].map(parseSize)).toEqual([512, 65_536, 2_147_483_648, 1_572_864]);
  });

  it("are refused without a unit, with a wrong one, negative or past the end", () => {
    for (const text of ["", "30", "s", "-1s", "1 year", "1S", "1e3s", "9999999d", "1s1s", "∞s"])
      expect(parseDuration(text)).toBeNull();
    for (const text of ["64", "64KB", "64kib", "-1B", "999999TiB"]) expect(parseSize(text)).toBeNull();
  });

  it("are written so that they are read back the same", () => {
    fc.assert(
      fc.property(fc.nat(DURATION_MS_MAX), (ms) => parseDuration(formatDuration(ms)) === ms),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(fc.nat(SIZE_BYTES_MAX), (bytes) => parseSize(formatSize(bytes)) === bytes),
      { numRuns: 300 },
    );
    expect([formatDuration(30_000), formatDuration(90_000), formatDuration(86_400_000)]).toEqual(["30s", "90s", "1d"]);
  });
});

describe("addresses", () => {
  it("of listeners are host and port", () => {
    for (const text of ["0.0.0.0:8443", "localhost:0", "[::1]:8080", "gate.lan:65535"]) {
      const listen = parseListen(text);
      expect(listen === null ? null : formatListen(listen)).toBe(text);
    }
    for (const text of [
      "",
      "8080",
      ":8080",
      "host",
      "host:",
      "host:65536",
      "::1:80",
      "[x]:1",
      "1.2.3:80",
      "127.0.0.300:1",
    ]) {
      expect(parseListen(text), text).toBeNull();
    }
  });

  it("are loopback only when nothing else reaches them", () => {
    expect(["127.0.0.1", "127.9.9.9", "localhost", "::1"].every(isLoopback)).toBe(true);
    expect(["0.0.0.0", "::", "10.0.0.1", "127.example.com", "localhost.lan"].some(isLoopback)).toBe(false);
  });

  it("and networks are recognised", () => {
    expect(["gate.lan", "*.lan", "10.0.0.1", "::1", "a_b"].every(isHostOrAddress)).toBe(true);
    expect(["", "a b", "-a", "1.2.3", "a..b", "http://x"].some(isHostOrAddress)).toBe(false);
    expect(["10.0.0.0/8", "::/0", "192.168.0.1"].every(isNetwork)).toBe(true);
    expect(["", "10.0.0.0/33", "x/8", "1.2.3.4/8/8", "1.2.3.4/"].some(isNetwork)).toBe(false);
  });
});

describe("did you mean", () => {
  const known = ["keepalive", "listen", "dataDir", "quota"];

  it("finds the near word and no far one", () => {
    expect(nearest("keepalve", known)).toBe("keepalive");
    expect(nearest("DATA_DIR", known)).toBe("dataDir");
    expect(nearest("colour", known)).toBeNull();
    expect(nearest("q", known)).toBeNull();
    expect(nearest("k".repeat(100_000), known)).toBeNull();
  });
});
