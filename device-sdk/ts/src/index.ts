/** The device SDK as an application sees it. Names are listed one by one; everything else is inside. */
export type { ClientLimits } from "./client-state.js";
export { type Clock, SystemClock } from "./clock.js";
export type { CommandContext } from "./command-runner.js";
export type { CommandOptions } from "./declarations.js";
export { Device, type LogLevel, type Signal } from "./device.js";
export type { DeviceEvents, DeviceState, DeviceStats } from "./device-events.js";
export { BATCHING, type Batching, type DeviceOptions, type OutboxOptions } from "./device-options.js";
export { DeviceError, type DeviceErrorCode, ERROR_CODES } from "./errors.js";
export type { Connect, Link, LinkClosed, LinkEvents, LinkTraits } from "./links/link.js";
export { type SerialLinkOptions, type SerialPortHandle, serialConnect } from "./links/serial-link.js";
export { type WsLinkOptions, wsConnect } from "./links/ws-link.js";
export type { OpenOutbox, OutboxDisk } from "./outbox-file.js";
export { type Random, SystemRandom } from "./random.js";
export type { Quality, SignalKind, SignalOptions, SignalType, ValueTypes } from "./signal.js";
