/** The real world for the commands: this process's terminal, files and children. Edge room `cli`. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Environment } from "../config/env-overrides.js";
import { errnoOf } from "../config/locations.js";
import { SystemClock } from "../core/clock.js";
import { GatewayError } from "../core/errors.js";
import { packageDir } from "../core/package-dir.js";
import { SystemRandom } from "../core/random.js";
import { listSerial, openSerial } from "../southbound/serial-open.js";
import type { CliContext, Daemon, InputStream, OutputStream } from "./context.js";
import { nodeTransport } from "./http-transport.js";

const COLUMNS_DEFAULT = 120;

/** The context of this process. `daemon` loads the gateway's wiring. */
export function systemContext(daemon: () => Promise<Daemon>): CliContext {
  return {
    env: process.env,
    stdout: outputStream(process.stdout),
    stderr: outputStream(process.stderr),
    stdin: inputStream(),
    files: {
      readFile: (path) => readFileSync(path, "utf8"),
      cwd: process.cwd(),
      hostname: hostname(),
      repositoryDir: repositoryDir(),
    },
    clock: new SystemClock(),
    random: new SystemRandom(),
    http: nodeTransport,
    serial: { open: openSerial, list: listSerial },
    isAlive,
    createFile: (path, text) => writeFileSync(path, text, { flag: "wx" }),
    simulator,
    runNode,
    onInterrupt,
    daemon,
  };
}

function outputStream(stream: NodeJS.WriteStream): OutputStream {
  return {
    write: (text) => {
      stream.write(text);
    },
    isTty: stream.isTTY === true,
    columns: stream.columns ?? COLUMNS_DEFAULT,
  };
}

function inputStream(): InputStream {
  const lines = (): AsyncIterable<string> => createInterface({ input: process.stdin });
  return { isTty: process.stdin.isTTY === true, readAll, lines, promptHidden };
}

async function readAll(charsMax: number): Promise<string> {
  let text = "";
  for await (const chunk of process.stdin.setEncoding("utf8")) {
    text += String(chunk);
    if (text.length > charsMax) throw new GatewayError("E_BAD_REQUEST", `stdin holds more than ${charsMax} characters`);
  }
  return text;
}

function promptHidden(question: string): Promise<string> {
  process.stderr.write(question);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true });
  return new Promise((resolve, reject) => {
    // Also after Ctrl-C and at the end of the input: without an answer nothing must look as if it were done.
    lines.on("close", () => reject(new GatewayError("E_BAD_REQUEST", "interrupted", { fix: "run the command again" })));
    lines.on("SIGINT", () => lines.close());
    lines.question("", (answer) => {
      resolve(answer);
      lines.close();
      process.stderr.write("\n");
    });
  });
}

/** Root of the checkout this file was built in; null when the program was installed as a package. */
function repositoryDir(): string | null {
  const root = dirname(packageDir());
  return existsSync(`${root}/proto/PROTOCOL.md`) || existsSync(`${root}/proto/tidegate`) ? root : null;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) === "EPERM"; // another user's process
  }
}

function simulator(): string | null {
  try {
    const entry = import.meta.resolve("@tidegate/firmware-sim");
    const script = fileURLToPath(new URL("../bin/tidegate-sim.js", entry));
    return existsSync(script) ? script : null;
  } catch {
    return null;
  }
}

function runNode(script: string, args: readonly string[], env: Environment): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], { stdio: "inherit", env });
    // The terminal sends Ctrl-C to both; we wait for the child to end in order.
    const forget = onInterrupt(() => child.kill("SIGTERM"));
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      forget();
      resolve(code ?? (signal === "SIGINT" || signal === "SIGTERM" ? 0 : 1));
    });
  });
}

function onInterrupt(fn: () => void): () => void {
  process.on("SIGINT", fn);
  process.on("SIGTERM", fn);
  return () => {
    process.off("SIGINT", fn);
    process.off("SIGTERM", fn);
  };
}
