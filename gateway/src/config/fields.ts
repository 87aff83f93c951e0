/**
 * The kinds of value a setting can have, each a zod codec: text from the file → what the gateway computes with, and
 * back for `config show`. Edge room `config`; `schema.ts` puts them together.
 */
import * as z from "zod";
import { formatListen, isHostOrAddress, isNetwork, type Listen, parseListen } from "./addresses.js";
import { formatDuration, formatSize, parseDuration, parseSize } from "./units.js";

/** A list in the configuration is never longer than this: it is written by hand. */
export const LIST_MAX = 256;

const TEXT_MAX = 4096;

/** Only with a zone: the gateway's own may not be the reader's. */
const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/;

const described = (expectation: string) => ({ error: () => `expected ${expectation}` });

/** A kind of amount: what to write, how it is read and written. */
interface AmountKind {
  readonly expectation: string;
  readonly parse: (text: string) => number | null;
  readonly format: (value: number) => string;
}

const DURATION: AmountKind = {
  expectation: "a duration such as 250ms, 30s or 7d",
  parse: parseDuration,
  format: formatDuration,
};

const SIZE: AmountKind = { expectation: "a size such as 64KiB or 2GiB", parse: parseSize, format: formatSize };

/** A duration between two written ones; parsed to ms. */
export function duration(min: string, max: string, meaning: string) {
  return amount(DURATION, [min, max], meaning);
}

/** A size between two written ones; parsed to bytes. */
export function size(min: string, max: string, meaning: string) {
  return amount(SIZE, [min, max], meaning);
}

function amount({ expectation, parse, format }: AmountKind, [min, max]: [string, string], meaning: string) {
  const atLeast = parse(min) ?? 0;
  const atMost = parse(max) ?? 0;
  return z
    .codec(z.string(described(expectation)), z.number(), {
      decode(text, payload) {
        const value = parse(text);
        if (value !== null && value >= atLeast && value <= atMost) return value;
        const message = value === null ? `expected ${expectation}` : `must lie between ${min} and ${max}`;
        payload.issues.push({ code: "custom", message, input: text });
        return z.NEVER;
      },
      encode: format,
    })
    .meta({ description: meaning, range: `${min} … ${max}` });
}

/** `auto`, or a duration between two written ones. */
export function durationOrAuto(min: string, max: string, meaning: string) {
  const fixed = duration(min, max, meaning);
  return z
    .codec(z.string(described("auto, or a duration such as 250ms or 1s")), z.union([z.literal("auto"), z.number()]), {
      decode(text, payload) {
        if (text === "auto") return "auto" as const;
        const parsed = fixed.safeDecode(text);
        if (parsed.success) return parsed.data;
        const message =
          parsed.error.issues[0]?.message.replace("expected a", "expected auto, or a") ?? "not a duration";
        payload.issues.push({ code: "custom", message, input: text });
        return z.NEVER;
      },
      encode: (value) => (value === "auto" ? "auto" : formatDuration(value)),
    })
    .meta({ description: meaning, range: `auto, or ${min} … ${max}` });
}

/** `host:port`. */
export function listen(meaning: string) {
  return z
    .codec(z.string(described("host:port, such as 127.0.0.1:8080")), z.custom<Listen>(), {
      decode(text, payload) {
        const parsed = parseListen(text);
        if (parsed !== null) return parsed;
        payload.issues.push({ code: "custom", message: "expected host:port, such as 127.0.0.1:8080", input: text });
        return z.NEVER;
      },
      encode: formatListen,
    })
    .meta({ description: meaning, range: "host:port, port 0 … 65535" });
}

/** `oldest`, `now`, or a time; parsed to Unix ms. */
export function startPoint(meaning: string) {
  const expectation = "oldest, now, or a time with its zone such as 2026-01-31T12:00:00Z";
  return z
    .codec(z.string(described(expectation)), z.union([z.literal("oldest"), z.literal("now"), z.number()]), {
      decode(text, payload) {
        if (text === "oldest" || text === "now") return text;
        const unixMs = ISO_TIME.test(text) ? Date.parse(text) : Number.NaN;
        if (!Number.isNaN(unixMs)) return unixMs;
        payload.issues.push({ code: "custom", message: `expected ${expectation}`, input: text });
        return z.NEVER;
      },
      encode: (value) => (typeof value === "number" ? new Date(value).toISOString() : value),
    })
    .meta({ description: meaning, range: "oldest, now, or a time such as 2026-01-31T12:00:00Z" });
}

/** A whole number in a range. */
export function count(min: number, max: number, meaning: string) {
  const message = `expected a whole number from ${min} to ${max}`;
  return z
    .number({ error: message })
    .int({ error: message })
    .min(min, { error: message })
    .max(max, { error: message })
    .meta({ description: meaning, range: `${min} … ${max}` });
}

/** One of a few words. */
export function choice<const W extends readonly [string, ...string[]]>(words: W, meaning: string) {
  return z
    .enum(words, { error: `expected one of ${words.join(", ")}` })
    .meta({ description: meaning, range: words.join(", ") });
}

/** true or false. */
export function flag(meaning: string) {
  return z.boolean({ error: "expected true or false" }).meta({ description: meaning, range: "true, false" });
}

/** Text that is not empty. */
export function text(meaning: string, longest = TEXT_MAX) {
  return z
    .string(described("a text"))
    .min(1, { error: "must not be empty" })
    .max(longest, { error: `must not be longer than ${longest} characters` })
    .meta({ description: meaning, range: `text, up to ${longest} characters` });
}

/** A path to a file or folder; made absolute by `load.ts`, relative to the configuration file. */
export function path(meaning: string) {
  return text(meaning).meta({ description: meaning, range: "path", isPath: true });
}

/** Host names and addresses a certificate shall carry. */
export function hostNames(meaning: string) {
  return z
    .array(
      z.string(described("a host name or an address")).refine(isHostOrAddress, { error: "is no host name or address" }),
    )
    .max(LIST_MAX, { error: `must not have more than ${LIST_MAX} entries` })
    .meta({ description: meaning, range: "host names, addresses" });
}

/** Networks a reverse proxy may connect from. */
export function networks(meaning: string) {
  return z
    .array(
      z
        .string(described("a network such as 10.0.0.0/8"))
        .refine(isNetwork, { error: "is no network such as 10.0.0.0/8" }),
    )
    .max(LIST_MAX, { error: `must not have more than ${LIST_MAX} entries` })
    .meta({ description: meaning, range: "networks" });
}
