/**
 * The dashboard's one store: the live feed and the API on one side, `state` and a few actions on the other.
 *
 *   live feed ──message──▶ applyMessage ──▶ state ──▶ parts of the page
 *   API ──devices, commands (after every gap in the feed)──▲
 */
import { ApiError, api, type NewCommand } from "../api.js";
import { LiveConnection } from "../live/live-connection.js";
import { applyMessage, EMPTY, type LiveState, withCommands, withDevices } from "./live-state.js";
import { Observable } from "./observable.js";

/** At most this often are lists fetched again because the feed left something out or named an unknown device. */
const REFETCH_MS_MIN = 5000;
const COMMANDS_SHOWN = 50;

export const state = new Observable<LiveState>(EMPTY);
/** Browser time, every second: for ages. */
export const nowUnixMs = new Observable(Date.now());
/** Browser time of the next try to connect; 0 while none waits. */
export const retryAtUnixMs = new Observable(0);

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
      if (message.type === "hello") void fetchLists();
      else if (state.value.conflated && Date.now() - fetchedUnixMs > REFETCH_MS_MIN) {
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
}

/** Connect at once instead of waiting for the next try. */
export function tryNow(): void {
  connection.connect();
}

/** Send a command; it shows as pending at once and changes with the feed. Rejects with ApiError. */
export async function sendCommand(device: string, command: NewCommand): Promise<void> {
  const { commandId } = await api.send(device, command, crypto.randomUUID());
  await refreshCommand(commandId);
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
