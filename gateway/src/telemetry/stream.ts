/**
 * One device's numbers within one session: what was accepted, what is durable, and who hears of it.
 */
export interface StreamListener {
  /** Everything up to `seq` is durable [P-3]. Called once per commit that touched the stream. */
  acked(seq: number): void;
  /** Frames were taken back: send again from `expected` when told to go on. */
  refused(expected: number, reason: number, retryAfterMs: number): void;
  /** The store takes frames again. */
  resumed(window: number): void;
}

export interface StreamNumbers {
  /** Name of the device. */
  readonly device: string;
  readonly deviceKey: number;
  readonly epoch: number;
  /** The durable mark at the Hello [P-4]. */
  readonly mark: number;
  readonly window: number;
}

/** The numbers of one session's stream; only the intake changes them. */
export class Stream {
  readonly device: string;
  readonly deviceKey: number;
  readonly epoch: number;
  /** Unacked messages the device may have in flight. */
  readonly window: number;
  readonly listener: StreamListener;
  /** Highest number taken into memory. */
  accepted: number;
  /** Highest number on disk. */
  durable: number;
  /** Highest number the device is known to have given out. */
  announced: number;
  /** What the store was told of `announced`. */
  announcedStored: number;
  /** A new epoch that the device has not used yet: its first sign of use retires the older ones [P-6]. */
  unusedEpoch: boolean;
  /** A frame was left because the gather buffer was full: the device is to send again when there is room. */
  starved = false;
  /** The store refused: nothing is taken until it has space. */
  paused = false;
  /** The number of the batch that its latest entry was gathered in. */
  gatheredIn = 0;

  constructor(numbers: StreamNumbers, listener: StreamListener) {
    this.device = numbers.device;
    this.deviceKey = numbers.deviceKey;
    this.epoch = numbers.epoch;
    this.window = numbers.window;
    this.listener = listener;
    this.accepted = numbers.mark;
    this.durable = numbers.mark;
    this.announced = numbers.mark;
    this.announcedStored = numbers.mark;
    this.unusedEpoch = true;
  }
}
