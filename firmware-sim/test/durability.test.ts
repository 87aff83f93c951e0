/**
 * An ack means fsync: counted with strace on the real process, and proven to be a test that can fail by running the
 * same count on a copy of the gateway whose databases are opened with synchronous=NORMAL.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect } from "vitest";
import { requires } from "../../scripts/testing/requires.mjs";
import { until } from "../src/rehearse/child.js";
import { GatewayProcess, gatewayBin } from "../src/rehearse/gateway-process.js";
import { RawDevice } from "./raw-device.js";

const withStrace = requires("strace");
const MESSAGES = 100;
const dir = mkdtempSync(join(tmpdir(), "tidegate-fsync-"));

afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** fsyncs and fdatasyncs on the spool while 100 messages are sent one by one, each after the ack of the one before. */
async function syncsPer100(name: string, bin?: string): Promise<number> {
  const trace = join(dir, `${name}.trace`);
  const gateway = await GatewayProcess.start({
    dir: join(dir, name),
    wrapper: ["strace", "-f", "-y", "-qq", "-e", "trace=fsync,fdatasync", "-o", trace],
    ...(bin === undefined ? {} : { bin }),
  });
  try {
    const device = new RawDevice(await gateway.addDevice("one-by-one"));
    await device.greet();
    const ackOf = () => device.heard.filter((m) => m.kind === "ack").at(-1)?.ack.seq ?? 0;
    device.telemetry(1, 0);
    await until("the first ack", () => ackOf() === 1);
    const before = syncs(trace);
    for (let seq = 2; seq <= MESSAGES + 1; seq++) {
      device.telemetry(seq, seq);
      await until(`ack ${seq}`, () => ackOf() === seq);
    }
    const counted = syncs(trace) - before;
    device.end();
    return counted;
  } finally {
    await gateway.kill();
  }
}

const read = (path: string): string => readFileSync(path, "utf8");

const syncs = (trace: string): number => read(trace).match(/f(data)?sync\(.*spool\.db/g)?.length ?? 0;

/** A copy of the built gateway in which texts of the storage room are replaced. */
function mutant(changes: readonly (readonly [from: string, to: string])[]): string {
  const source = dirname(dirname(gatewayBin()));
  const copy = join(dir, "mutant", "gateway");
  mkdirSync(copy, { recursive: true });
  for (const part of ["bin", "dist", "package.json"]) cpSync(join(source, part), join(copy, part), { recursive: true });
  // What is changed are the compiled modules: the copy runs those.
  rmSync(join(copy, "dist", "app"), { recursive: true, force: true });
  const modules = fileURLToPath(new URL("../../node_modules", import.meta.url));
  symlinkSync(modules, join(dir, "mutant", "node_modules"));
  const storage = join(copy, "dist", "storage");
  for (const [from, to] of changes) {
    const hit = readdirSync(storage).find((file) => file.endsWith(".js") && read(join(storage, file)).includes(from));
    if (hit === undefined) throw new Error(`nothing in storage reads: ${from}`);
    writeFileSync(join(storage, hit), read(join(storage, hit)).replace(from, to));
  }
  return join(copy, "bin", "tidegate.js");
}

withStrace.describe("an ack", () => {
  let counted = 0;
  beforeAll(async () => {
    counted = await syncsPer100("full");
  }, 120_000);

  withStrace.it("costs at least one fsync on the spool: 100 single acked messages, 100 fsyncs", () => {
    expect(counted).toBeGreaterThanOrEqual(MESSAGES);
  });

  withStrace.it(
    "is counted by a test that fails when the databases are opened with synchronous=NORMAL",
    async () => {
      const bin = mutant([
        // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of the code that is replaced
        ["`synchronous = ${synchronous}`", '"synchronous = NORMAL"'],
        // The gateway reads the setting back and refuses to start on a weaker one: the mutant must blind that, too.
        ["level !== SYNCHRONOUS[synchronous]", "level !== 1"],
      ]);
      expect(await syncsPer100("normal", bin)).toBeLessThan(MESSAGES);
    },
    120_000,
  );
});
