/**
 * What stands in for the history when `history.enabled` is false: every question is answered with the reason, in
 * words that a chart can show. No thread, no file; a history.db of earlier days stays where it is, untouched.
 */
import { GatewayError } from "../core/errors.js";

/** The history's doors, all closed. */
export const NO_HISTORY = {
  /** Errors: E_HISTORY_OFF, always. */
  read: (): Promise<never> =>
    Promise.reject(new GatewayError("E_HISTORY_OFF", "history.enabled is false in the configuration")),
  /** No thread. */
  heap: null,
  close: (): Promise<void> => Promise.resolve(),
};
