/** A device as a process of its own, over real TLS: it reports, obeys, and ends by itself after `stop`. */
import { spawn } from "node:child_process";
import { CONSTANT_SERVER_NAME } from "@tidegate/proto";
import { expect, test, vi } from "vitest";
import { makeCa } from "./testing/certificates.js";
import { tinyGateway } from "./testing/tiny-gateway.js";

const PROGRAM = `
  import { Device } from ${JSON.stringify(new URL("../dist/index.js", import.meta.url).href)};
  const { url, ca } = JSON.parse(process.env.TEST_DEVICE);
  const device = new Device({ url, ca, id: "greenhouse-7", token: "secret", flushIntervalMs: 100 });
  const temperature = device.signal("temperature", { unit: "°C" });
  device.command("quit", { idempotent: true }, async ({ after }) => {
    temperature.report(after);
    setTimeout(() => void device.stop(), 20);
    return { ok: true };
  });
  device.on("error", (error) => console.error(error.message));
  device.start();
  temperature.report(21.5);
  await device.flush(5000);
  console.log("flushed");
`;

test("reports, flushes, runs a command, stops, and the process ends without being told", async () => {
  const ca = await makeCa("site CA");
  const gateway = await tinyGateway(await ca.issue(CONSTANT_SERVER_NAME));
  const child = spawn(process.execPath, ["--input-type=module", "--eval", PROGRAM], {
    env: { ...process.env, TEST_DEVICE: JSON.stringify({ url: gateway.url, ca: ca.pem }) },
  });
  let out = "";
  child.stdout.on("data", (text) => {
    out += text;
  });
  child.stderr.on("data", (text) => {
    out += text;
  });
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  try {
    await vi.waitFor(() => expect(out).toBe("flushed\n"), { timeout: 15_000 });
    const args = Buffer.from(JSON.stringify({ after: 22.5 }));
    gateway.say({
      kind: "command",
      command: { id: 1, code: 1, name: "", args, deadlineUptimeMs: 0, atMostOnce: false },
    });
    expect(await exited).toBe(0);
    const kinds = gateway.received.map(({ body }) => body?.kind);
    expect(kinds.slice(0, 4)).toEqual(["hello", "heartbeat", "catalog", "telemetry"]);
    expect(kinds.filter((kind) => kind === "commandUpdate")).toHaveLength(3);
    expect(kinds.filter((kind) => kind === "telemetry")).toHaveLength(2);
    expect(kinds.at(-1)).toBe("bye");
    expect(out).toBe("flushed\n");
  } finally {
    child.kill("SIGKILL");
    gateway.close();
  }
}, 30_000);
