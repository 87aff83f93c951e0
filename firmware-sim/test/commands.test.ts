/** Every state of the command machine, reached through API, gateway, wss and a device process. */
import { join } from "node:path";
import { CommandState } from "@tidegate/proto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Child, pause, until } from "../src/rehearse/child.js";
import type { Credential, GatewayProcess } from "../src/rehearse/gateway-process.js";
import { startGateway, startPuppet, type TestGateway } from "./bench-gateway.js";
import { RawDevice } from "./raw-device.js";

let bench: TestGateway;
let gateway: GatewayProcess;
const running: { end(): void | Promise<void> }[] = [];
let number = 0;

beforeAll(async () => {
  bench = await startGateway();
  gateway = bench.gateway;
});
afterEach(async () => {
  for (const thing of running.splice(0)) await thing.end();
});
afterAll(() => bench.end());

const newDevice = (): Promise<Credential> => gateway.addDevice(`actor-${++number}`);

async function puppet(credential: Credential, outbox?: string): Promise<Child> {
  const child = await startPuppet(credential, outbox);
  running.push({ end: () => child.kill() });
  return child;
}

function raw(credential: Credential): RawDevice {
  const device = new RawDevice(credential);
  running.push({ end: () => device.end() });
  return device;
}

async function send(device: string, name: string, body: object = {}, key?: string): Promise<string> {
  const headers = key === undefined ? {} : { "idempotency-key": key };
  const answer = await gateway.call("POST", `/api/v1/devices/${device}/commands`, { name, ...body }, headers);
  expect(answer.status, JSON.stringify(answer.body)).toBe(202);
  return answer.body.commandId;
}

const show = async (id: string) => (await gateway.call("GET", `/api/v1/commands/${id}`)).body;

async function reaches(id: string, state: string, timeoutMs = 15_000) {
  await until(`${id} is ${state}`, async () => (await show(id)).state === state, timeoutMs);
  return show(id);
}

describe("a command, end to end", () => {
  it("waits queued for a device that is away, and succeeds with its result when it comes", async () => {
    const credential = await newDevice();
    const id = await send(credential.deviceId, "add", { args: { a: 2, b: 3 } });
    expect((await show(id)).state).toBe("queued");
    await puppet(credential);
    expect((await reaches(id, "succeeded")).result).toEqual({ sum: 5 });
  });

  it("fails with the device's own words", async () => {
    const credential = await newDevice();
    await puppet(credential);
    const id = await send(credential.deviceId, "fail");
    expect((await reaches(id, "failed")).error).toContain("the valve is stuck");
  });

  it("fails when the device does not know it", async () => {
    const credential = await newDevice();
    await puppet(credential);
    const id = await send(credential.deviceId, "dance");
    expect((await reaches(id, "failed")).error).not.toBe("");
  });

  it("shows sent, received and started as they happen [P-19]", async () => {
    const credential = await newDevice();
    const device = raw(credential);
    await device.greet();
    const first = await send(credential.deviceId, "slow");
    const second = await send(credential.deviceId, "slow");
    await device.hears("command");
    const { command } = device.last("command");
    expect((await show(first)).state).toBe("sent");
    await pause(600);
    expect((await show(second)).state, "the next one waits until this one is received").toBe("queued");
    const nothing = new Uint8Array(0);
    const update = (state: CommandState) => ({
      kind: "commandUpdate" as const,
      commandUpdate: { id: command.id, state, result: nothing, error: "" },
    });
    device.say(update(CommandState.RECEIVED), 1);
    await reaches(first, "received");
    device.say(update(CommandState.STARTED), 2);
    await reaches(first, "started");
    await reaches(second, "sent");
  });

  it("ends expired when the device stays away past its ttl, and never runs late [P-16]", async () => {
    const credential = await newDevice();
    const id = await send(credential.deviceId, "add", { args: { a: 1, b: 1 }, ttlMs: 800 });
    expect((await reaches(id, "expired")).error).toContain("deadline");
    const device = await puppet(credential);
    await pause(1000);
    expect(device.words).not.toContain("ran add");
    expect((await show(id)).state).toBe("expired");
  });

  it("is refused by the device itself when its turn comes after the deadline [P-16]", async () => {
    const credential = await newDevice();
    const device = await puppet(credential);
    const slow = await send(credential.deviceId, "slowIdempotent");
    await reaches(slow, "started");
    const late = await send(credential.deviceId, "add", { args: { a: 1, b: 1 }, ttlMs: 1500 });
    await reaches(late, "received");
    const state = await until("the late one is over", async () =>
      ["expired", "unknown"].includes((await show(late)).state),
    ).then(() => show(late));
    expect(state.state).toMatch(/expired|unknown/);
    expect(device.words).not.toContain("ran add");
  }, 40_000);

  it("can be cancelled while it waits, and not after it was sent", async () => {
    const credential = await newDevice();
    const waiting = await send(credential.deviceId, "add");
    expect((await gateway.call("DELETE", `/api/v1/commands/${waiting}`)).body.state).toBe("cancelled");
    const device = raw(credential);
    await device.greet();
    const sent = await send(credential.deviceId, "add");
    await device.hears("command");
    const refused = await gateway.call("DELETE", `/api/v1/commands/${sent}`);
    expect(refused.status).toBe(409);
    expect(refused.body.error.code).toBe("E_COMMAND_STATE");
  });

  it("is unknown when the device dies between started and result, and is never run again [P-18]", async () => {
    const credential = await newDevice();
    const first = await puppet(credential);
    const id = await send(credential.deviceId, "slow", { delivery: "atMostOnce" });
    await reaches(id, "started");
    await first.kill();
    const second = await puppet(credential);
    expect((await reaches(id, "unknown")).error).not.toBeNull();
    await pause(500);
    expect(second.words).not.toContain("ran slow");
  });

  it("runs an idempotent command again when the device died while it ran it [P-18]", async () => {
    const credential = await newDevice();
    const first = await puppet(credential);
    const id = await send(credential.deviceId, "slowIdempotent", { delivery: "atLeastOnce" });
    await reaches(id, "started");
    await first.kill();
    const second = await puppet(credential);
    await until("it runs again", () => second.words.includes("ran slowIdempotent"));
    await reaches(id, "started");
  });

  it("is reported as interrupted by a device that remembers it [P-19]", async () => {
    const credential = await newDevice();
    const outbox = join(bench.dir, `${credential.deviceId}.outbox`);
    const first = await puppet(credential, outbox);
    const id = await send(credential.deviceId, "slow", { delivery: "atMostOnce" });
    await reaches(id, "started");
    await first.kill();
    const second = await puppet(credential, outbox);
    await reaches(id, "unknown");
    await pause(500);
    expect(second.words).not.toContain("ran slow");
  });

  it("is made once for a repeated Idempotency-Key, and refused for another request under it", async () => {
    const { deviceId } = await newDevice();
    const first = await send(deviceId, "add", { args: { a: 1, b: 2 } }, "key-1");
    expect(await send(deviceId, "add", { args: { a: 1, b: 2 } }, "key-1")).toBe(first);
    const listed = (await gateway.call("GET", `/api/v1/commands?device=${deviceId}`)).body.commands;
    expect(listed).toHaveLength(1);
    const other = await gateway.call(
      "POST",
      `/api/v1/devices/${deviceId}/commands`,
      { name: "add", args: { a: 9 } },
      { "idempotency-key": "key-1" },
    );
    expect(other.status).toBe(409);
    expect(other.body.error.code).toBe("E_IDEMPOTENCY_CONFLICT");
  });

  it("survives a killed gateway: queued stays queued and is delivered after the restart", async () => {
    const credential = await newDevice();
    const id = await send(credential.deviceId, "add", { args: { a: 20, b: 22 } });
    await gateway.kill();
    await gateway.start();
    await puppet(credential);
    expect((await reaches(id, "succeeded")).result).toEqual({ sum: 42 });
  });

  it("is void when the device's credential is withdrawn, and its session ends within a second", async () => {
    const credential = await newDevice();
    const device = raw(credential);
    await device.greet();
    const sent = await send(credential.deviceId, "add");
    const queued = await send(credential.deviceId, "add");
    await device.hears("command");
    const answer = await gateway.call("DELETE", `/api/v1/devices/${credential.deviceId}/credential`);
    expect(answer.status).toBeLessThan(300);
    await device.closes(1000);
    await reaches(queued, "cancelled");
    await reaches(sent, "unknown");
  });
});
