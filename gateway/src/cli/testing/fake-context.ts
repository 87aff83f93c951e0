/** A world for one command line: output kept as text, files in a map, a clock that runs ahead by itself. */
import { ManualClock } from "../../core/testing/manual-clock.js";
import { SeededRandom } from "../../core/testing/seeded-random.js";
import type { CliContext } from "../context.js";
import { nodeTransport } from "../http-transport.js";
import { runCli } from "../program.js";

/** Timers fire at once and time passes with them: a command that waits takes no real time. */
class EagerClock extends ManualClock {
  override after(afterMs: number, fn: () => void): () => void {
    let isCancelled = false;
    setImmediate(() => {
      if (isCancelled) return;
      this.advance(afterMs);
      fn();
    });
    return () => {
      isCancelled = true;
    };
  }
}

export interface FakeWorld {
  readonly files?: Record<string, string>;
  readonly env?: Record<string, string>;
  readonly stdin?: string;
  /** Lines typed at prompts; stdin and stdout are then a terminal. */
  readonly typed?: string[];
  readonly isTty?: boolean;
  readonly columns?: number;
  readonly overrides?: Partial<CliContext>;
}

export interface CliRun {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
  /** Files the command created. */
  readonly created: Record<string, string>;
  readonly context: CliContext;
}

export const NOW = new ManualClock().unixMs();

/** Run a command line in a made-up world. */
export async function cli(args: readonly string[], world: FakeWorld = {}): Promise<CliRun> {
  const output = { out: "", err: "" };
  const created: Record<string, string> = {};
  const context: CliContext = { ...fakeContext(world, output, created), ...world.overrides };
  const exitCode = await runCli(args, context);
  return { exitCode, ...output, created, context };
}

function fakeContext(
  world: FakeWorld,
  output: { out: string; err: string },
  created: Record<string, string>,
): CliContext {
  const typed = [...(world.typed ?? [])];
  const isTty = world.isTty ?? false;
  const stream = (key: "out" | "err") => ({
    write: (text: string) => {
      output[key] += text;
    },
    isTty,
    columns: world.columns ?? 160,
  });
  return {
    env: world.env ?? {},
    stdout: stream("out"),
    stderr: stream("err"),
    stdin: {
      isTty: world.typed !== undefined,
      readAll: async () => world.stdin ?? "",
      lines: () => linesOf(world.stdin ?? ""),
      promptHidden: async () => typed.shift() ?? "",
    },
    files: {
      cwd: "/site",
      hostname: "attic",
      repositoryDir: null,
      readFile: (path) => {
        const text = world.files?.[path];
        if (text === undefined || text === "EACCES") {
          const code = text ?? "ENOENT";
          throw Object.assign(new Error(`${code}: cannot open '${path}'`), { code });
        }
        return text;
      },
    },
    clock: new EagerClock(),
    random: new SeededRandom(),
    http: nodeTransport,
    serial: { open: () => Promise.reject(new Error("ENOENT: no such file")), list: () => Promise.resolve([]) },
    isAlive: () => true,
    createFile: (path, text) => {
      if (world.files?.[path] !== undefined) throw Object.assign(new Error("EEXIST: file exists"), { code: "EEXIST" });
      created[path] = text;
    },
    simulator: () => null,
    runNode: async () => 0,
    onInterrupt: () => () => {},
    daemon: () => Promise.reject(new Error("no daemon in this test")),
  };
}

async function* linesOf(text: string): AsyncGenerator<string> {
  yield* text.split("\n");
}
