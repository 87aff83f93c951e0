/**
 * The temperature of a Raspberry Pi's processor, once a second, kept through outages and power cuts.
 *
 *   tidegate device add attic-pi --json > device.json
 *   node raspberry-pi-temperature.js device.json [another file with thousandths of a degree]
 *
 * The kernel gives thousandths of a degree as text: "48312\n" is 48.312 °C.
 */
import { realpathSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { Device } from "@tidegate/device-sdk";

export const THERMAL_ZONE = "/sys/class/thermal/thermal_zone0/temp";
const INTERVAL_MS = 1_000;

/** Read one temperature in °C. @throws Error when the file is not there or holds no number */
export async function readCelsius(path: string = THERMAL_ZONE): Promise<number> {
  const text = await readFile(path, "utf8");
  const milli = Number.parseInt(text, 10);
  if (Number.isNaN(milli)) throw new Error(`${path} holds ${JSON.stringify(text)}, no temperature`);
  return milli / 1_000;
}

/** What `tidegate device add` prints. */
interface Credentials {
  readonly deviceId: string;
  readonly token: string;
  readonly url: string;
  readonly ca: string;
}

async function main(credentialsPath: string, sensorPath: string): Promise<void> {
  console.log(`first reading: ${await readCelsius(sensorPath)} °C from ${sensorPath}`);
  const { deviceId, token, url, ca }: Credentials = JSON.parse(await readFile(credentialsPath, "utf8"));
  const device = new Device({ url, id: deviceId, token, ca, outbox: { path: "outbox.db" }, model: "Raspberry Pi" });
  const temperature = device.signal("cpu_temperature", {
    unit: "°C",
    deviceClass: "temperature",
    scale: -2,
    intervalMs: INTERVAL_MS,
  });
  device.on("online", () => console.log("online"));
  device.on("offline", ({ detail, retryInMs }) =>
    console.log(`offline: ${detail}${retryInMs > 0 ? `; again in ${retryInMs} ms` : ""}`),
  );
  device.on("refused", ({ detail, retryInMs }) =>
    console.error(`refused: ${detail}; check id and token; again in ${Math.round(retryInMs / 60_000)} min`),
  );
  device.on("error", (error) => console.error(error.message));
  device.start();

  const timer = setInterval(() => {
    readCelsius(sensorPath).then(
      (celsius) => temperature.report(celsius),
      (error: unknown) => device.log("error", String(error)),
    );
  }, INTERVAL_MS);
  const stop = (): void => {
    clearInterval(timer);
    void device.stop();
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
}

// Linked packages are started by another name than their own: the real paths are compared.
if (import.meta.url === pathToFileURL(realpathSync(process.argv[1] ?? ".")).href) {
  const path = process.argv[2];
  if (path === undefined) {
    console.error("usage: node raspberry-pi-temperature.js CREDENTIALS.json [SENSOR_FILE]");
    process.exitCode = 2;
  } else {
    await main(path, process.argv[3] ?? THERMAL_ZONE).catch((error: unknown) => {
      console.error(error instanceof Error ? error.message : String(error));
      process.exitCode = 1;
    });
  }
}
