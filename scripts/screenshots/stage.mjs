// The scene of the pictures: one gateway with its broker, devices that have been there for a day, and their troubles.
//
//   greenhouse-1, greenhouse-2, pump-house   online, a value a second, a day of history with a gap in the night
//   weather-mast                             was here, lost some messages for want of room, and is away now
//   broker · archive                         one sink that keeps up, one that somebody paused
//   serial                                   a line with nobody's board on it: the port is not there

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Device } from "../../device-sdk/ts/dist/index.js";
import { freePort } from "../bench/harness/free-port.mjs";
import { Program, pause, until } from "../bench/harness/processes.mjs";
import { startMosquitto } from "../bench/peers/mosquitto.mjs";
import { inRoot } from "../workspace/report.mjs";

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** In the night before, when nobody looks. */
const SENSOR_OFF = { fromMs: 9.2 * 3_600_000, toMs: 8.3 * 3_600_000 };
/** The mast has room for so many messages, and says more than that before it is heard. */
const MAST_MESSAGES = 8;
const MAST_LINES = 60;

/** Everything that is in the pictures; `set` builds it, `strike` takes it down. */
export class Stage {
  #folder;
  #program = null;
  #devices = [];
  #timers = [];
  url = "";
  #token = "";

  constructor(folder) {
    this.#folder = folder;
  }

  async set() {
    const broker = await startMosquitto(this.#folder);
    const url = `mqtt://127.0.0.1:${broker.port}`;
    await this.start([
      { name: "broker", type: "mqtt", url },
      { name: "archive", type: "mqtt", url },
    ]);
    await this.ask("POST", "/api/v1/sinks/archive/pause");
    await this.#mast();
    for (const [i, [id, name]] of [
      ["greenhouse-1", "Greenhouse 1"],
      ["greenhouse-2", "Greenhouse 2"],
      ["pump-house", "Pump house"],
    ].entries()) {
      await this.#greenhouse(id, name, i);
    }
    await this.#commands();
    await pause(20_000); // a rate and its sparkline need some statuses
  }

  /** Start the gateway, again if need be: under the same ports. */
  async start(sinks) {
    this.configFile = join(this.#folder, "tidegate.yaml");
    if (sinks !== undefined) {
      const ports = await Promise.all([freePort(), freePort()]);
      const config = {
        version: 1,
        gateway: { id: "attic-pi", dataDir: "./data" },
        devices: { listen: `127.0.0.1:${ports[0]}` },
        admin: { listen: `127.0.0.1:${ports[1]}` },
        serial: [{ path: "/dev/serial/by-id/usb-Arduino_Mega_2560_8573-if00", baud: 115200 }],
        sinks,
      };
      writeFileSync(this.configFile, yamlOf(config));
    }
    const args = ["--disallow-code-generation-from-strings", inRoot("gateway/bin/tidegate.js"), "run"];
    const options = { cwd: this.#folder, hasChannel: true };
    this.#program = new Program(process.execPath, [...args, "--config", this.configFile], options);
    const ready = await this.#program.message();
    this.url = ready.dashboardUrl.replace(/\/$/, "");
    this.#token = readFileSync(ready.adminTokenFile, "utf8").trim();
  }

  /** End the gateway at once, as a power cut would. */
  async kill() {
    await this.#program.kill();
  }

  /** A link that logs a browser in. */
  async loginLink() {
    const { path } = await this.ask("POST", "/api/v1/login-codes");
    return `${this.url}${path}`;
  }

  async ask(method, path, body) {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw this.#program.failure(`${method} ${path} answered ${response.status}: ${text}`);
    return text === "" ? null : JSON.parse(text);
  }

  async strike() {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all(this.#devices.map((device) => device.stop()));
    await this.#program?.stop();
  }

  async #add(deviceId, name) {
    return await this.ask("POST", "/api/v1/devices", { deviceId, name });
  }

  async #greenhouse(id, name, index) {
    const { token, ca, url } = await this.#add(id, name);
    const device = new Device({ url, id, token, ca, model: "greenhouse-v2", firmware: "1.4.0" });
    this.#devices.push(device);
    const house = new House(device, index);
    const now = Date.now();
    for (let ageMs = DAY_MS; ageMs > 0; ageMs -= MINUTE_MS) {
      if (index !== 1 || ageMs > SENSOR_OFF.fromMs || ageMs < SENSOR_OFF.toMs) house.report(now - ageMs);
    }
    device.start();
    await device.flush();
    this.#timers.push(setInterval(() => house.report(Date.now()), 1000));
  }

  /** It reports more than it can hold before it is heard; then it is switched off. */
  async #mast() {
    const { token, ca, url } = await this.#add("weather-mast", "Weather mast");
    const outbox = { maxMessages: MAST_MESSAGES };
    const device = new Device({ url, id: "weather-mast", token, ca, model: "mast", firmware: "0.9.1", outbox });
    const wind = device.signal("wind", { unit: "m/s", name: "Wind", deviceClass: "wind_speed" });
    for (let i = 0; i < MAST_LINES; i++) device.log("notice", `gust ${i + 1}`);
    wind.report(7.4);
    device.start();
    await device.flush().catch(() => {}); // what was dropped is said, and that is what we want to see
    await pause(500);
    await device.stop();
  }

  async #commands() {
    const send = (device, name, args, ttlMs) =>
      this.ask("POST", `/api/v1/devices/${device}/commands`, { name, args, ...(ttlMs === undefined ? {} : { ttlMs }) });
    await send("greenhouse-1", "setpoint", { celsius: 18.5 });
    await send("greenhouse-1", "vent", { mode: "open" });
    await send("greenhouse-1", "valve", { open: true });
    await send("greenhouse-1", "pump", { on: true });
    await send("weather-mast", "reboot", null, 1000);
    await until("the pump ran", async () => {
      const { commands } = await this.ask("GET", "/api/v1/commands?device=greenhouse-1");
      return commands.every(({ state }) => ["succeeded", "failed"].includes(state));
    });
  }
}

/** What a greenhouse measures and obeys. */
class House {
  #index;
  #signals;
  #state = { setpoint: 16, pump: false, vent: "auto" };

  constructor(device, index) {
    this.#index = index;
    this.#signals = {
      temperature: device.signal("temperature", { unit: "°C", name: "Temperature", deviceClass: "temperature" }),
      humidity: device.signal("humidity", { unit: "%", name: "Humidity", deviceClass: "humidity", scale: -1 }),
      light: device.signal("light", { unit: "lx", name: "Light", deviceClass: "illuminance", scale: 0 }),
      door: device.signal("door", { type: "bool", kind: "state", name: "Door", deviceClass: "door" }),
      pump: device.signal("pump", { type: "bool", kind: "state", name: "Pump" }),
      setpoint: device.signal("setpoint", { unit: "°C", kind: "setpoint", name: "Setpoint", min: 5, max: 35 }),
      vent: device.signal("vent", { type: "enum", kind: "state", name: "Vent", options: ["closed", "auto", "open"] }),
    };
    const obey = (name, argsHint, run) => device.command(name, { idempotent: true, argsHint }, run);
    obey("pump", '{"on":true}', ({ on }) => this.#set("pump", on));
    obey("setpoint", '{"celsius":18.5}', ({ celsius }) => this.#set("setpoint", celsius));
    obey("vent", '{"mode":"auto"}', ({ mode }) => this.#set("vent", mode));
    obey("identify", "{}", () => device.log("info", "blinked three times"));
    obey("valve", '{"open":true}', () => {
      throw new Error("the valve is stuck");
    });
  }

  report(at) {
    const hour = ((at / 3_600_000) % 24) + this.#index * 0.7;
    const sun = Math.max(0, Math.sin(((hour - 6) / 12) * Math.PI));
    const shiver = Math.sin(at / 47_000 + this.#index) * 0.3 + Math.sin(at / 7_300) * 0.12;
    const celsius = 15 + this.#index * 1.5 + sun * 9 + shiver;
    const signals = this.#signals;
    signals.temperature.report(Math.round(celsius * 100) / 100, { at });
    signals.humidity.report(Math.round((88 - sun * 31 + shiver * 4) * 10) / 10, { at });
    signals.light.report(Math.round(sun * 42_000 + Math.abs(shiver) * 90), { at });
    const doorNow = Math.floor(at / (97 * MINUTE_MS) + this.#index) % 7 === 0;
    this.#change("door", doorNow, at);
    for (const name of ["pump", "setpoint", "vent"]) this.#change(name, this.#state[name], at);
  }

  #held = {};

  /** On change only, as such signals do. */
  #change(name, value, at) {
    if (this.#held[name] === value) return;
    this.#held[name] = value;
    this.#signals[name].report(value, { at });
  }

  #set(name, value) {
    this.#state[name] = value;
    this.#change(name, value, Date.now());
    return { [name]: value };
  }
}

/** Plain YAML of two levels, so that the settings page shows lines that people would have written. */
function yamlOf(config) {
  const line = (value) => (typeof value === "string" ? JSON.stringify(value) : String(value));
  const flow = (object) =>
    `{ ${Object.entries(object)
      .map(([key, value]) => `${key}: ${line(value)}`)
      .join(", ")} }`;
  return Object.entries(config)
    .map(([key, value]) => {
      if (Array.isArray(value)) return `${key}:\n${value.map((entry) => `  - ${flow(entry)}\n`).join("")}`;
      return `${key}: ${typeof value === "object" ? flow(value) : line(value)}\n`;
    })
    .join("");
}
