/** What a gateway is given of the world: `main.ts` brings the real one, tests and simulations their own. */
import type { Clock, Ticker } from "../core/clock.js";
import type { GatewayError } from "../core/errors.js";
import type { Logger } from "../core/log.js";
import type { LogRing } from "../core/log-ring.js";
import type { Metrics } from "../core/metrics.js";
import type { Random } from "../core/random.js";

export interface GatewayWorld {
  readonly clock: Clock & Ticker;
  readonly random: Random;
  readonly log: Logger;
  /** What `log` wrote lately. */
  readonly logRing: LogRing;
  readonly metrics: Metrics;
  readonly version: string;
  /** The built dashboard. */
  readonly webDir: string;
  /** Run by a service manager: the admin token is for the gateway's group, too. */
  readonly isService?: boolean;
  /** The disk failed: stop without another word to devices; the process must end with the error's exit code. */
  readonly onFatal: (error: GatewayError) => void;
}
