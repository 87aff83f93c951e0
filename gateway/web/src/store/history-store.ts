/**
 * Asking for history, politely: few questions at a time however many sparklines and charts want one, and an answer
 * that is asked for again within the minute is taken from memory.
 */
import { api, type HistoryRange, type HistoryView } from "../api.js";

const PARALLEL_MAX = 3;
const REMEMBERED_MAX = 300;

let running = 0;
const waiting: (() => void)[] = [];
const remembered = new Map<string, { readonly untilUnixMs: number; readonly answer: Promise<HistoryView> }>();

/** One signal over a range. Rejects with ApiError. */
export async function askHistory(device: string, signal: string, range: HistoryRange): Promise<HistoryView> {
  if (running >= PARALLEL_MAX) await new Promise<void>((resolve) => waiting.push(resolve));
  running += 1;
  try {
    return await api.history(device, signal, range);
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}

/** The last `spanMs` of a signal, at most `freshMs` old. Rejects with ApiError; a failure is not remembered. */
export function recentHistory(
  device: string,
  signal: string,
  span: { readonly spanMs: number; readonly pointsMax: number; readonly freshMs: number },
): Promise<HistoryView> {
  const key = `${device} ${signal} ${span.spanMs} ${span.pointsMax}`;
  const now = Date.now();
  const held = remembered.get(key);
  if (held !== undefined && held.untilUnixMs > now) return held.answer;
  const range = { fromUnixMs: now - span.spanMs, toUnixMs: now, pointsMax: span.pointsMax };
  const answer = askHistory(device, signal, range);
  answer.catch(() => remembered.delete(key));
  remembered.delete(key);
  remembered.set(key, { untilUnixMs: now + span.freshMs, answer });
  const oldest = remembered.keys().next().value;
  if (remembered.size > REMEMBERED_MAX && oldest !== undefined) remembered.delete(oldest);
  return answer;
}
