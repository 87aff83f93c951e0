/**
 * The dashboard's one store: the live feed and the API on one side, `state` and a few actions on the other.
 *
 *   live feed ──message──▶ applyMessage ──▶ state ──▶ parts of the page
 *   API ──devices, commands (after every gap in the feed)──▲
 */
import type { SessionView } from "../../../src/admin/api-schemas.js";
import { ApiError, api, type NewCommand } from "../api.js";
import { LiveConnection } from "../live/live-connection.js";
import { applyMessage, EMPTY, type LiveState, withCommands, withDevices, withPastRates } from "./live-state.js";
import { Observable } from "./observable.js";

/** At most this often are lists fetched again because the feed left something out or named an unknown device. */
const REFETCH_MS_MIN = 5000;
const COMMANDS_SHOWN = 50;

export const state = new Observable<LiveState>(EMPTY);
/** Browser time, every second: for ages. */
export const nowUnixMs = new Observable(Date.now());
/** Browser time of the next try to connect; 0 while none waits. */
export const retryAtUnixMs = new Observable(0);
/** Counts every (re)connection: what is polled or drawn from history is fetched again, so that nothing is missing. */
export const heals = new Observable(0);
/** Who is logged in, and whether a password exists; null until known. */
export const session = new Observable<SessionView | null>(null);

let fetchedUnixMs = 0;
let isFetching = false;

const connection = new LiveConnection(
  {
    open: (query) => new WebSocket(`${location.origin.replace(/^http/, "ws")}/api/v1/live${query}`),
    after: (ms, fn) => {
      const timer = setTimeout(fn, ms);
      return () => clearTimeout(timer);
    },
    random: Math.random,
    sessionHolds: async () => {
      try {
        await api.session();
        return true;
      } catch (error) {
        return !(error instanceof ApiError && error.status === 401);
      }
    },
  },
  {
    message: (message) => {
      state.update((was) => applyMessage(was, message, Date.now()));
      // Records are replayed after a break; presence and commands are not.
      if (message.type === "hello") {
        heals.update((count) => count + 1);
        void fetchLists();
      } else if (state.value.conflated && Date.now() - fetchedUnixMs > REFETCH_MS_MIN) {
        void fetchLists();
      }
      if (message.type === "status") noticeNewDevices(message.status.devices.total);
    },
    lost: (pauseMs) => {
      retryAtUnixMs.set(Date.now() + pauseMs);
      state.update((was) => ({ ...was, connection: "lost" }));
    },
    trying: () => retryAtUnixMs.set(0),
    loggedOut: leave,
  },
);

/** Start everything; called once by the entry point. */
export function start(): void {
  setInterval(() => nowUnixMs.set(Date.now()), 1000);
  addEventListener("online", tryNow);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") tryNow();
  });
  connection.connect();
  void refreshSession();
  void fetchPastRates();
}

/** Connect at once instead of waiting for the next try. */
export function tryNow(): void {
  connection.connect();
}

/** Send a command; it shows as pending at once and changes with the feed. Answers its id; rejects with ApiError. */
export async function sendCommand(device: string, command: NewCommand): Promise<string> {
  const { commandId } = await api.send(device, command, idempotencyKey());
  await refreshCommand(commandId);
  return commandId;
}

/** Not `randomUUID`: browsers have that only over https or on localhost. */
function idempotencyKey(): string {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (word) => word.toString(16).padStart(8, "0")).join("");
}

/** Fetch the list of devices again: one was added, renamed or forgotten. */
export async function refreshDevices(): Promise<void> {
  await fetchLists();
}

/** Ask again who is logged in. */
export async function refreshSession(): Promise<void> {
  session.set(await api.session().catch(() => session.value));
}

/** Cancel a command that waits. Rejects with ApiError. */
export async function cancelCommand(commandId: string): Promise<void> {
  const command = await api.cancel(commandId);
  state.update((was) => ({ ...was, commands: withCommands(was.commands, [command]) }));
}

/** End the session and go to the login page. */
export async function logOut(): Promise<void> {
  await api.logout().catch(() => {});
  leave();
}

function leave(): void {
  location.assign("/login");
}

async function refreshCommand(commandId: string): Promise<void> {
  const command = await api.command(commandId);
  state.update((was) => ({ ...was, commands: withCommands(was.commands, [command]) }));
}

function noticeNewDevices(total: number): void {
  const known = state.value.devices?.size ?? 0;
  if (known !== total && Date.now() - fetchedUnixMs > REFETCH_MS_MIN) void fetchLists();
}

/** Once; without them the line only begins with this page. */
async function fetchPastRates(): Promise<void> {
  const { acked } = await api.rates().catch(() => ({ acked: [] }));
  state.update((was) => withPastRates(was, acked));
}

async function fetchLists(): Promise<void> {
  if (isFetching) return;
  isFetching = true;
  fetchedUnixMs = Date.now();
  try {
    const [devices, commands] = await Promise.all([api.devices(), api.commands(COMMANDS_SHOWN)]);
    state.update((was) => withDevices({ ...was, commands: withCommands(was.commands, commands) }, devices));
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) leave();
  } finally {
    isFetching = false;
  }
}
