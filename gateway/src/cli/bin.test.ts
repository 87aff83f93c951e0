/** The program itself, as a process: `gateway/bin/tidegate.js` on the built code. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ADMIN_TOKEN, FakeApi } from "./testing/fake-api.js";

const BIN = fileURLToPath(new URL("../../bin/tidegate.js", import.meta.url));

let folder: string;
let api: FakeApi;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "tidegate-bin-"));
  api = await FakeApi.start();
});
afterAll(async () => {
  await api.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Ended {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

function tidegate(args: readonly string[], env: Record<string, string> = {}, stdin = ""): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { cwd: folder, env: { PATH: process.env["PATH"] ?? "", ...env } };
    const child = execFile(BIN, args, options, (error, out, err) => {
      resolve({ exitCode: typeof error?.code === "number" ? error.code : 0, out, err });
    });
    child.stdin?.end(stdin);
  });
}

describe("the program", () => {
  it("can be executed as it was committed", () => {
    expect(statSync(BIN).mode & 0o111).toBe(0o111);
  });

  it("prints its version, and fails in three lines with exit code 2 or 3", async () => {
    expect((await tidegate(["--version"])).out).toMatch(/^tidegate \d/);
    const usage = await tidegate(["nonsense"]);
    expect([usage.exitCode, usage.err.trim().split("\n").length]).toEqual([2, 3]);
    const config = join(folder, "elsewhere.yaml");
    writeFileSync(config, "gateway: { dataDir: ./none }\n");
    const none = await tidegate(["status", "--config", config]);
    expect(none.exitCode).toBe(3);
    expect(none.err).toBe(
      `error: E_UNREACHABLE: no running gateway was found\n  why: there is no ${folder}/none/gateway.json: no gateway runs on this data folder\n  do:  start one with \`tidegate run\`, or name it with --url\n`,
    );
  });

  it("speaks to a gateway, takes secrets from stdin, and ends by itself", async () => {
    api.on("GET /api/v1/devices", [200, { devices: [] }]).on("PUT /api/v1/password", [204, null]);
    const token = join(folder, "token");
    writeFileSync(token, ADMIN_TOKEN);
    const env = { TIDEGATE_URL: api.url, TIDEGATE_TOKEN_FILE: token };
    expect(JSON.parse((await tidegate(["device", "ls", "--json"], env)).out)).toEqual({ devices: [] });
    expect((await tidegate(["admin", "password"], env, "correct horse\n")).exitCode).toBe(0);
    expect(api.seen.at(-1)?.body).toEqual({ password: "correct horse" });
  });

  it("refuses a wrong configuration before it starts anything", async () => {
    writeFileSync(join(folder, "wrong.yaml"), "devices: { keepalve: 3s }\n");
    const { exitCode, err } = await tidegate(["run", "--config", "wrong.yaml"]);
    expect(exitCode).toBe(78);
    expect(err).toContain('wrong.yaml:1:12: devices.keepalve: unknown key; did you mean "keepalive"?');
  });
});
