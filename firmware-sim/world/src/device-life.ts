/** One life of a device's process, whichever edition of the SDK it runs; the world boots, asks and kills it. */
export interface DeviceLife {
  /** The epoch it sends under now; 0: none yet. */
  readonly epoch: number;
  /** Online, and everything it had is at the gateway. */
  readonly isDrained: boolean;
  /** For the story of a device that does not come to rest. */
  readonly facts: string;
  /** The application reports nothing more; what it has is still sent. */
  stopReporting(): void;
  /** The power is gone. */
  kill(): void;
}
