/** `tidegate doctor` on set-ups that real programs have broken: a broker's users, a certificate for another place. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, vi } from "vitest";
import { requires } from "../../../../scripts/testing/requires.mjs";

const BIN = fileURLToPath(new URL("../../../bin/tidegate.js", import.meta.url));
const LOCAL = "gateway: { dataDir: ./data }\nadmin: { listen: 127.0.0.1:0 }\n";
const withBroker = requires("mosquitto", "mosquitto_passwd");
const withOpenssl = requires("openssl");

let folder = "";
let broker: ChildProcess | undefined;
let gateway: ChildProcess | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidegate-set-up-"));
});
afterEach(() => {
  for (const child of [broker, gateway]) child?.kill("SIGKILL");
  [broker, gateway] = [undefined, undefined];
  rmSync(folder, { recursive: true, force: true });
});

const env: NodeJS.ProcessEnv = { PATH: process.env["PATH"], NO_COLOR: "1" };
const configure = (yaml: string): void => writeFileSync(join(folder, "site.yaml"), yaml);

/** What a person reads, and the exit code. */
function doctor(): { status: number | null; stdout: string } {
  return spawnSync(process.execPath, [BIN, "doctor", "-c", "site.yaml"], { cwd: folder, env, encoding: "utf8" });
}

/** Only the gateway logs in at the broker; the doctor asks it how that went. */
async function startGateway(): Promise<void> {
  const stdio = ["ignore", "ignore", "inherit", "ipc"] as const;
  const child = spawn(process.execPath, [BIN, "run", "-c", "site.yaml"], { cwd: folder, env, stdio: [...stdio] });
  gateway = child;
  await new Promise<void>((resolve, reject) => {
    child.once("message", () => resolve());
    child.once("exit", (code) => reject(new Error(`the gateway ended with ${code}`)));
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

function answers(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve();
    });
    socket.on("error", reject);
  });
}

withBroker.describe("a broker that knows another password", () => {
  withBroker.it(
    "is told apart from one that is away, with the setting to look at",
    async () => {
      const port = await freePort();
      const users = join(folder, "users");
      execFileSync(withBroker.path("mosquitto_passwd"), ["-c", "-b", users, "tidegate", "right"], { stdio: "ignore" });
      const user = process.getuid?.() === 0 ? "user root\n" : "";
      const config = `${user}listener ${port} 127.0.0.1\nallow_anonymous false\npassword_file ${users}\n`;
      writeFileSync(join(folder, "mosquitto.conf"), config);
      broker = spawn(withBroker.path("mosquitto"), ["-c", join(folder, "mosquitto.conf")], { stdio: "ignore" });
      await vi.waitFor(() => answers(port), { timeout: 10_000, interval: 50 });
      writeFileSync(join(folder, "pass"), "wrong\n", { mode: 0o600 });
      const sink = `{ name: broker, type: mqtt, url: "mqtt://127.0.0.1:${port}", username: tidegate, passwordFile: ./pass }`;
      configure(`${LOCAL}devices: { listen: 127.0.0.1:0 }\nsinks: [ ${sink} ]\n`);
      await startGateway();
      const { status, stdout } = doctor();
      expect(status).toBe(1);
      expect(stdout).toMatch(/✗ sink broker .*does not let this user in/);
      expect(stdout).toMatch(/passwordFile/);
      expect(stdout).not.toContain("wrong\n");
    },
    60_000,
  );
});

withOpenssl.describe("a certificate for another place", () => {
  withOpenssl.it(
    "is found before a device finds it, with the names it lacks",
    () => {
      const [cert, key] = [join(folder, "d.crt"), join(folder, "d.key")];
      const form = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "400"];
      const subject = ["-subj", "/CN=elsewhere", "-addext", "subjectAltName=DNS:elsewhere.example"];
      const files = ["-keyout", key, "-out", cert];
      execFileSync(withOpenssl.path("openssl"), ["req", ...form, ...subject, ...files], { stdio: "ignore" });
      const devices = `{ listen: 127.0.0.1:0, names: [greenhouse.lan], tls: { cert: ${cert}, key: ${key}, ca: ${cert} } }`;
      configure(`${LOCAL}devices: ${devices}\n`);
      const { stdout } = doctor();
      const line = stdout.split("\n").find((text) => text.includes("certificate")) ?? "";
      expect(line).toMatch(/^\s*(?:warn|fail|!|✗|⚠)/i);
      expect(stdout).toContain("greenhouse.lan");
    },
    60_000,
  );
});
