/** Every bound of the live feed, in one place; docs/live-feed.md lists them. All can be set, tests set small ones. */
export interface LiveLimits {
  /** Viewers of both doors together. */
  readonly viewersMax: number;
  /** Shortest time between two batches. */
  readonly tickMs: number;
  /** Shortest time between two looks while only sinks' states are followed. */
  readonly statesMs: number;
  /** Records read in one tick; what is behind more than ten ticks' worth is skipped. */
  readonly rowsPerTickMax: number;
  /** A message is closed once its events are this long. */
  readonly frameBytesMax: number;
  /** Above this much unsent, a viewer gets nothing more until it has drained. */
  readonly viewerBufferBytesMax: number;
  /** Replay: events kept, and their size as JSON text. */
  readonly replayEventsMax: number;
  readonly replayBytesMax: number;
  readonly signalsPerDeviceMax: number;
  readonly latestValuesMax: number;
  readonly beatMs: number;
  readonly statusMs: number;
}

export const LIVE_LIMITS: LiveLimits = {
  viewersMax: 1000,
  tickMs: 50,
  statesMs: 500,
  rowsPerTickMax: 1000,
  frameBytesMax: 256 * 1024,
  viewerBufferBytesMax: 64 * 1024,
  replayEventsMax: 1000,
  replayBytesMax: 8 * 1024 * 1024,
  signalsPerDeviceMax: 256,
  latestValuesMax: 200_000,
  beatMs: 15_000,
  statusMs: 2_000,
};
