/** How this world is set up, as far as the judge has to know: policies, and what the broker will not take. */
export interface WorldRules {
  /** The store drops, or the sink skips, when the operator's limits say so: what was to be told may be lost with it. */
  readonly isLossy: boolean;
  /** The sink delivers in the order of storing. */
  readonly isInOrder: boolean;
  /** The broker would not take the message of that id. */
  wasRefused(id: string): boolean;
}

/** Why numbers that were stored may be missing at the sink: the operator's own policy, and what the sink refuses. */
export const POLICY: ReadonlySet<string> = new Set(["dropped", "sinkHold", "quarantined"]);
