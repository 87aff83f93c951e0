/**
 * The rules of the device's side of a session, as a pure function: `step(state, event, world) → state + effects`.
 *
 * It owns when to open, greet, speak, wait and give up. It does not own the messages (that is the outbox, which it
 * sees as marks), nor the clock, the link or the disk. States and the picture are in `client-state.ts`; the scenarios
 * in `proto/vectors/scenarios` run against this edition and the C edition alike.
 */
import {
  BACKOFF_MS_MAX,
  BACKOFF_MS_MIN,
  type Bye,
  DEFAULT_KEEPALIVE_MS,
  type DownlinkBody,
  HELLO_TIMEOUT_MS,
  type Nack,
  NEVER_RECHECK_MS,
  RETRY_ADVICE,
  Reason,
  reasonName,
  SILENCE_KEEPALIVES,
  type Welcome,
} from "@tidegate/proto";
import { backoffMs } from "./backoff.js";
import { giveUp, waits } from "./client-ending.js";
import type {
  ClientEffect,
  ClientEvent,
  ClientLimits,
  ClientState,
  OnlinePhase,
  Step,
  Surroundings,
} from "./client-state.js";
import type { LinkClosed } from "./links/link.js";

/** Waits of a client, in ms, unless it is given others. */
export const CLIENT_LIMITS: ClientLimits = {
  backoffBaseMs: BACKOFF_MS_MIN,
  backoffCapMs: BACKOFF_MS_MAX,
  stableAfterMs: 30_000,
  openTimeoutMs: 30_000,
  greetingTimeoutMs: HELLO_TIMEOUT_MS,
  helloRetryMsMax: 8_000,
  recheckMs: NEVER_RECHECK_MS,
  keepaliveMsMin: 1_000,
  keepaliveMsMax: 3_600_000,
  keepaliveMsDefault: DEFAULT_KEEPALIVE_MS,
  windowMax: 4_096,
  nackEchoMs: 1_000,
};

/** A device speaks at least this often within a keepalive, so that one lost heartbeat is not silence. */
const HEARTBEATS_PER_KEEPALIVE = 2;

/** Before `start`, and after `stop`. */
export const IDLE: ClientState = { phase: { name: "idle" }, attempt: 0, failures: 0 };

/** The one door: every change to a session comes through here. Unexpected events change nothing. */
export function step(state: ClientState, event: ClientEvent, world: Surroundings): Step {
  switch (event.type) {
    case "start":
      return state.phase.name === "idle" || state.phase.name === "stopped" ? open(state, world) : stay(state);
    case "stop":
      return stop(state);
    case "linkOpened":
      return state.phase.name === "connecting" ? greet(state, world, world.nowMs, 1) : stay(state);
    case "linkClosed":
      return hasLink(state) ? linkClosed(state, event.closed, world) : stay(state);
    case "downlink":
      return downlink(state, event.body, world);
    case "badFrame":
      return hasLink(state) ? badFrame(state, event.detail, world) : stay(state);
    case "epochNotSaved":
      return state.phase.name === "online"
        ? giveUp(state, world, { leave: "atOnce", detail: event.detail })
        : stay(state);
    case "tick":
      return tick(state, world);
  }
}

/** When `step` wants a tick at the latest, in ms of `world.nowMs`; Infinity: only when something happens. */
export function nextTickMs(state: ClientState, world: Surroundings): number {
  const { phase } = state;
  const { limits, traffic, link } = world;
  switch (phase.name) {
    case "connecting":
      return phase.sinceMs + limits.openTimeoutMs;
    case "greeting":
      return Math.min(phase.retryAtMs, phase.sinceMs + limits.greetingTimeoutMs);
    case "online":
      return Math.min(
        traffic.heardAtMs + phase.keepaliveMs * SILENCE_KEEPALIVES,
        traffic.sentAtMs + phase.keepaliveMs / HEARTBEATS_PER_KEEPALIVE,
        state.failures > 0 ? phase.sinceMs + limits.stableAfterMs : Number.POSITIVE_INFINITY,
        phase.holdUntilMs > world.nowMs ? phase.holdUntilMs : Number.POSITIVE_INFINITY,
        repeatAtMs(phase, world, link.retransmitMs),
      );
    case "waiting":
    case "refused":
      return phase.untilMs;
    case "idle":
    case "stopped":
      return Number.POSITIVE_INFINITY;
  }
}

/** How many reliable messages may be in flight now; 0: none may go out. */
export function sendWindow(state: ClientState, nowMs: number): number {
  const { phase } = state;
  return phase.name === "online" && nowMs >= phase.holdUntilMs ? phase.window : 0;
}

function tick(state: ClientState, world: Surroundings): Step {
  const { phase } = state;
  const { nowMs, limits } = world;
  switch (phase.name) {
    case "connecting":
      if (nowMs < phase.sinceMs + limits.openTimeoutMs) return stay(state);
      return giveUp(state, world, { leave: "atOnce", detail: `no connection within ${limits.openTimeoutMs} ms` });
    case "greeting":
      if (nowMs >= phase.sinceMs + limits.greetingTimeoutMs) {
        return giveUp(state, world, { leave: "atOnce", detail: `no welcome within ${limits.greetingTimeoutMs} ms` });
      }
      return nowMs >= phase.retryAtMs ? greet(state, world, phase.sinceMs, phase.hellos + 1) : stay(state);
    case "online":
      return onlineTick(state, phase, world);
    case "waiting":
    case "refused":
      return nowMs >= phase.untilMs ? open(state, world) : stay(state);
    case "idle":
    case "stopped":
      return stay(state);
  }
}

function onlineTick(state: ClientState, phase: OnlinePhase, world: Surroundings): Step {
  const { nowMs, traffic, marks, limits, link } = world;
  // Sums as in `nextTickMs`: a difference may round to just below what was waited for, and tick again at once.
  if (nowMs >= traffic.heardAtMs + phase.keepaliveMs * SILENCE_KEEPALIVES) {
    const detail = `the gateway was silent for ${phase.keepaliveMs * SILENCE_KEEPALIVES} ms`;
    return giveUp(state, world, { leave: "atOnce", advice: "now", detail });
  }
  if (marks.closing && marks.held === 0) {
    // The last word of the drained epoch says what was evicted at its end; then a new one is asked for at once.
    const effects: ClientEffect[] = [
      { do: "heartbeat", ping: 0 },
      { do: "closeLink", reason: Reason.UNSPECIFIED },
      { do: "rotate" },
    ];
    return { state: { ...state, phase: { name: "waiting", untilMs: nowMs } }, effects };
  }
  const effects: ClientEffect[] = [];
  let next = phase;
  if (nowMs >= traffic.sentAtMs + phase.keepaliveMs / HEARTBEATS_PER_KEEPALIVE) {
    effects.push({ do: "heartbeat", ping: 0 });
  }
  if (nowMs >= repeatAtMs(phase, world, link.retransmitMs)) {
    effects.push({ do: "repeatUnacked" });
    next = { ...phase, repeatedAtMs: nowMs };
  }
  const isStable = nowMs >= phase.sinceMs + limits.stableAfterMs;
  return { state: { ...state, phase: next, failures: isStable ? 0 : state.failures }, effects };
}

/** When the unacked tail is sent again on a link that loses frames [P-11]; Infinity on one that does not. */
function repeatAtMs(phase: OnlinePhase, world: Surroundings, retransmitMs: number): number {
  if (retransmitMs === 0 || world.marks.inFlight === 0) return Number.POSITIVE_INFINITY;
  return Math.max(world.traffic.progressAtMs, phase.repeatedAtMs) + retransmitMs;
}

function open(state: ClientState, world: Surroundings): Step {
  return { state: { ...state, phase: { name: "connecting", sinceMs: world.nowMs } }, effects: [{ do: "openLink" }] };
}

/** Send a Hello with a new attempt number, so that late answers to earlier ones are told apart [P-5]. */
function greet(state: ClientState, world: Surroundings, sinceMs: number, hellos: number): Step {
  const attempt = state.attempt + 1;
  const waitMs = Math.min(world.limits.helloRetryMsMax, world.link.helloRetryMs * 2 ** (hellos - 1));
  const phase = { name: "greeting", sinceMs, hellos, retryAtMs: world.nowMs + waitMs } as const;
  return { state: { ...state, phase, attempt }, effects: [{ do: "hello", attempt }] };
}

function downlink(state: ClientState, body: DownlinkBody, world: Surroundings): Step {
  const { phase } = state;
  if (phase.name !== "greeting" && phase.name !== "online") return stay(state);
  if (body.kind === "bye") return bye(state, body.bye, world);
  if (phase.name === "greeting") return body.kind === "welcome" ? welcome(state, body.welcome, world) : stay(state);
  switch (body.kind) {
    case "ack":
      return { state, effects: [{ do: "release", seq: body.ack.seq }] };
    case "nack":
      return nack(state, phase, body.nack, world);
    case "heartbeat":
      if (body.heartbeat.ping === 0) return stay(state);
      return { state, effects: [{ do: "heartbeat", ping: body.heartbeat.ping }] };
    case "flow": {
      const window = Math.min(body.flow.window, world.limits.windowMax);
      return { state: { ...state, phase: { ...phase, window } }, effects: [] };
    }
    case "command":
      return { state, effects: [{ do: "command", command: body.command }] };
    case "sayHello":
      return greet(state, world, world.nowMs, 1);
    case "welcome":
      return stay(state); // the answer to the latest Hello was taken already
  }
}

function welcome(state: ClientState, answer: Welcome, world: Surroundings): Step {
  const isLatest = answer.attempt === state.attempt && answer.bootNonce === world.bootNonce;
  if (!isLatest || answer.epoch === 0) return stay(state);
  const { limits, link, marks, nowMs } = world;
  // The gateway has numbers of this epoch that this device never sent: a copy of its memory did [P-7].
  if (answer.epoch === marks.epoch && !marks.closing && answer.ackedSeq > marks.ackableSeq) {
    const again = greet(state, world, nowMs, 1);
    return { state: again.state, effects: [{ do: "leaveEpoch" }, ...again.effects] };
  }
  const keepaliveMs = answer.keepaliveMs === 0 ? limits.keepaliveMsDefault : answer.keepaliveMs;
  const phase: OnlinePhase = {
    name: "online",
    sinceMs: nowMs,
    keepaliveMs: Math.min(Math.max(keepaliveMs, limits.keepaliveMsMin), limits.keepaliveMsMax),
    window: Math.min(answer.window, limits.windowMax),
    messageBytesMax: Math.min(answer.maxUplinkBytes || link.messageBytesMax, link.messageBytesMax),
    holdUntilMs: nowMs,
    nacked: { expected: 0, atMs: nowMs },
    repeatedAtMs: nowMs,
  };
  const effects: ClientEffect[] = [{ do: "adopt", epoch: answer.epoch, ackedSeq: answer.ackedSeq }];
  if (answer.wantCatalog) effects.push({ do: "offerCatalog" });
  // The first frame under the epoch makes it count [P-6], announces what is held [P-12] and lets commands come [P-15].
  effects.push({ do: "heartbeat", ping: 0 });
  effects.push({ do: "announce", news: { kind: "online", epoch: answer.epoch, gatewayUnixMs: answer.unixMs } });
  return { state: { ...state, phase }, effects };
}

/** Send again from `expected`: at once when a number was missed, after a pause when the gateway cannot take more. */
function nack(state: ClientState, phase: OnlinePhase, said: Nack, world: Surroundings): Step {
  const { limits, nowMs, unit } = world;
  const isAtOnce = RETRY_ADVICE[said.reason] === "now" && said.retryAfterMs === 0;
  if (isAtOnce && isEcho(phase, said, world)) return stay(state);
  const waitMs = isAtOnce ? 0 : backoffMs(0, said.retryAfterMs, unit, waits(limits));
  const next = { ...phase, holdUntilMs: nowMs + waitMs, nacked: { expected: said.expected, atMs: nowMs } };
  return { state: { ...state, phase: next }, effects: [{ do: "rewind", seq: said.expected }] };
}

/**
 * Frames that were under way when the first Nack came may each bring another. Obeying them all would send the whole
 * window once for each. On a link that keeps the order the first is enough.
 */
function isEcho(phase: OnlinePhase, said: Nack, world: Surroundings): boolean {
  return said.expected === phase.nacked.expected && world.nowMs - phase.nacked.atMs < world.limits.nackEchoMs;
}

function badFrame(state: ClientState, detail: string, world: Surroundings): Step {
  const end = giveUp(state, world, {
    detail: `the gateway sent a frame that is no message (${detail})`,
    leave: Reason.MALFORMED,
  });
  return { state: end.state, effects: [{ do: "bye", reason: Reason.MALFORMED }, ...end.effects] };
}

function bye(state: ClientState, said: Bye, world: Surroundings): Step {
  const detail = `the gateway said ${reasonName(said.reason)}${said.detail && `: ${said.detail}`}`;
  const advice = RETRY_ADVICE[said.reason];
  return giveUp(state, world, { leave: Reason.UNSPECIFIED, advice, detail, retryAfterMs: said.retryAfterMs });
}

function linkClosed(state: ClientState, closed: LinkClosed, world: Surroundings): Step {
  const { kind, reason, detail, retryAfterMs } = closed;
  const advice = kind === "refused" ? "never" : RETRY_ADVICE[reason];
  const end = giveUp(state, world, { leave: "gone", advice, detail, retryAfterMs });
  if (kind !== "untrusted") return end;
  return { state: end.state, effects: [{ do: "announce", news: { kind: "untrusted", detail } }, ...end.effects] };
}

function stop(state: ClientState): Step {
  const stopped = { ...state, phase: { name: "stopped" } } as const;
  switch (state.phase.name) {
    case "online":
      return {
        state: stopped,
        effects: [
          { do: "heartbeat", ping: 0 },
          { do: "bye", reason: Reason.SHUTDOWN },
          { do: "closeLink", reason: Reason.SHUTDOWN },
          { do: "announce", news: { kind: "offline", detail: "stopped", retryInMs: 0 } },
        ],
      };
    case "connecting":
    case "greeting":
      return { state: stopped, effects: [{ do: "abortLink" }] };
    default:
      return { state: stopped, effects: [] };
  }
}

function hasLink(state: ClientState): boolean {
  const { name } = state.phase;
  return name === "connecting" || name === "greeting" || name === "online";
}

function stay(state: ClientState): Step {
  return { state, effects: [] };
}
