/**
 * The last log lines, kept in memory so that the dashboard can show them.
 *
 *   pino ──JSON line──▶ LogRing ──▶ standard output, pretty or not
 *                          └─ read ──▶ GET /api/v1/logs
 *
 * Lines come here behind the redaction: what never reaches standard output never reaches the ring. Bounded in lines
 * and in characters; what falls out is counted.
 */
import type { DestinationStream } from "pino";

/** Levels as pino numbers them. */
const LEVELS = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60 } as const;
/** A level that a line can have. */
export type LineLevel = keyof typeof LEVELS;

const LINES_MAX = 2000;
const CHARACTERS_MAX = 1024 * 1024;
/** A longer line is dropped from the ring (never from standard output): it would push out hundreds of others. */
const LINE_CHARACTERS_MAX = 16 * 1024;

/** One line as people read it. */
export interface LogLine {
  /** Rises by one a line, from 1, since the start of the process. */
  readonly id: number;
  readonly atUnixMs: number;
  readonly level: LineLevel;
  /** The constant sentence. */
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Which of the kept lines. */
export interface LogLineQuery {
  /** Only lines with a higher id. */
  readonly afterId: number;
  readonly levelMin: LineLevel;
  /** Only lines whose fact `device` is this one. */
  readonly device?: string | undefined;
  /** 1 … 2,000: the newest ones win. */
  readonly limit: number;
}

/** Lines that fit a query. */
export interface LogLines {
  /** Oldest first. */
  readonly lines: readonly LogLine[];
  /** Id of the newest line written so far; pass it as `afterId`. */
  readonly lastId: number;
  /** Lines since the start that are no longer kept. */
  readonly droppedCount: number;
}

/** Keeps the newest lines; a destination for `createLogger`. */
export class LogRing implements DestinationStream {
  readonly #lines: { readonly id: number; readonly text: string }[] = [];
  readonly #linesMax: number;
  readonly #charactersMax: number;
  #characters = 0;
  #lastId = 0;

  constructor(linesMax = LINES_MAX, charactersMax = CHARACTERS_MAX) {
    this.#linesMax = linesMax;
    this.#charactersMax = charactersMax;
  }

  /** Take one line of JSON. Never throws. */
  write(text: string): void {
    this.#lastId += 1;
    if (text.length > LINE_CHARACTERS_MAX) return;
    this.#lines.push({ id: this.#lastId, text });
    this.#characters += text.length;
    while (this.#lines.length > this.#linesMax || this.#characters > this.#charactersMax) {
      this.#characters -= this.#lines.shift()?.text.length ?? 0;
    }
  }

  /** The newest lines that fit. Parsed here, so that writing stays cheap. */
  read(query: LogLineQuery): LogLines {
    const found: LogLine[] = [];
    for (let i = this.#lines.length - 1; i >= 0 && found.length < query.limit; i--) {
      const held = this.#lines[i];
      if (held === undefined || held.id <= query.afterId) break;
      const line = parsed(held.id, held.text);
      if (line !== null && fits(line, query)) found.push(line);
    }
    return { lines: found.reverse(), lastId: this.#lastId, droppedCount: this.#lastId - this.#lines.length };
  }
}

function fits(line: LogLine, { levelMin, device }: LogLineQuery): boolean {
  return LEVELS[line.level] >= LEVELS[levelMin] && (device === undefined || line.facts["device"] === device);
}

function parsed(id: number, text: string): LogLine | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof json !== "object" || json === null) return null;
  const { level, time, msg, ...facts } = json as Record<string, unknown>; // an object, tested above
  const atUnixMs = typeof time === "string" ? Date.parse(time) : Number(time);
  return { id, atUnixMs, level: levelName(level), message: typeof msg === "string" ? msg : "", facts };
}

function levelName(level: unknown): LineLevel {
  const names: readonly LineLevel[] = ["fatal", "error", "warn", "info", "debug"];
  return names.find((name) => typeof level === "number" && level >= LEVELS[name]) ?? "trace";
}

/** Every line goes to the ring, and then on to `next`. */
export function through(ring: LogRing, next: DestinationStream): DestinationStream {
  return {
    write: (text) => {
      ring.write(text);
      next.write(text);
    },
  };
}
