/**
 * `backfill: live-first`: after an outage the newest records go out at once, and the backlog beside them in its share.
 *
 *   cursor ──────── backlog ────────▶│ split             newest
 *      [ backlog pump, up to split ] │ [ live pump, from split on ]
 *                                    └── backlog done: one pump again, at the live one's place
 *
 * Order holds within each of the two; a device's newer readings may come before its older ones while there is a
 * backlog. The stored cursor is the backlog's: a crash sends again what had gone ahead, under the same ids. A backlog
 * that begins while there is another one is not split again.
 */
import type { RenderedSlice, SpoolReader } from "../model/spool.js";
import type { Publisher } from "./mqtt-connection.js";
import { Pump, type PumpDeps, type PumpOptions } from "./pump.js";

export interface LiveFirstOptions extends PumpOptions {
  /** Records behind that make a backlog; fewer are sent in order. */
  readonly backlogCountMin: number;
  /** Part of the messages that the backlog gets while both have some, in (0, 1). */
  readonly backlogShare: number;
  /** The newest record there is. */
  readonly lastRecordId: number;
}

/** A pump, as the lanes and the sink use it. */
export type SinkPump = Pick<
  Pump,
  | "cursor"
  | "inFlightCount"
  | "deliveredCount"
  | "quarantinedCount"
  | "isUnheard"
  | "isSuspicious"
  | "attach"
  | "detach"
  | "committed"
  | "sendNext"
>;

const NOTHING: RenderedSlice = {
  ...{ scannedToId: 0, more: false, count: 0, devices: [], topics: [], onlyFor: new Map(), responses: new Map() },
  ...{ ids: new Float64Array(0), kinds: new Uint8Array(0), epochs: new Uint32Array(0), seqs: new Uint32Array(0) },
  ...{
    deviceOf: new Uint32Array(0),
    topicOf: new Uint32Array(0),
    offsets: new Uint32Array(1),
    bytes: new Uint8Array(0),
  },
};

/** One per sink. */
export class LiveFirst implements SinkPump {
  /** The only pump, or the one of the backlog. */
  #main: Pump;
  #live: Pump | null = null;
  /** How far the main pump may go: to the split, while there is one. */
  #limit: Limit = { id: Number.POSITIVE_INFINITY };
  #liveLimit: Limit = { id: Number.POSITIVE_INFINITY };
  #lastRecordId: number;
  /** Counts of pumps that are done with. */
  #deliveredBefore = 0;
  #quarantinedBefore = 0;
  /** At 1 it is the backlog's turn. */
  #credit = 0;
  readonly #options: LiveFirstOptions;
  readonly #deps: PumpDeps;

  constructor(options: LiveFirstOptions, deps: PumpDeps) {
    this.#options = options;
    this.#deps = deps;
    this.#lastRecordId = options.lastRecordId;
    this.#main = new Pump(options, { ...deps, reader: limited(deps.reader, this.#limit) });
  }

  get cursor(): number {
    return this.#main.cursor;
  }

  get inFlightCount(): number {
    return this.#main.inFlightCount + (this.#live?.inFlightCount ?? 0);
  }

  get deliveredCount(): number {
    return this.#deliveredBefore + this.#main.deliveredCount + (this.#live?.deliveredCount ?? 0);
  }

  get quarantinedCount(): number {
    return this.#quarantinedBefore + this.#main.quarantinedCount + (this.#live?.quarantinedCount ?? 0);
  }

  get isUnheard(): boolean {
    return this.#main.isUnheard || this.#live?.isUnheard === true;
  }

  get isSuspicious(): boolean {
    return this.#main.isSuspicious || this.#live?.isSuspicious === true;
  }

  attach(publisher: Publisher): void {
    if (this.#live === null && this.#lastRecordId - this.#main.cursor >= this.#options.backlogCountMin) this.#split();
    this.#main.attach(publisher);
    this.#live?.attach(publisher);
  }

  detach(byBroker: boolean): void {
    this.#main.detach(byBroker);
    this.#live?.detach(byBroker);
  }

  committed(lastRecordId: number): void {
    this.#lastRecordId = Math.max(this.#lastRecordId, lastRecordId);
    (this.#live ?? this.#main).committed(lastRecordId);
  }

  sendNext(): boolean {
    this.#joinWhenDone();
    const live = this.#live;
    if (live === null) return this.#main.sendNext();
    if (this.isSuspicious) return this.#sendAlone(live);
    this.#credit += this.#options.backlogShare;
    const isBacklogsTurn = this.#credit >= 1;
    if (isBacklogsTurn) this.#credit -= 1;
    const [first, second] = isBacklogsTurn ? [this.#main, live] : [live, this.#main];
    return first.sendNext() || second.sendNext();
  }

  /** A broker that hangs up must be seen to do so on one message: never two of them in flight. */
  #sendAlone(live: Pump): boolean {
    if (live.inFlightCount > 0) return live.sendNext();
    return this.#main.sendNext() || (this.#main.inFlightCount === 0 && live.sendNext());
  }

  #split(): void {
    const splitAt = this.#lastRecordId;
    const { spool, passed, reader } = this.#deps;
    this.#limit.id = splitAt;
    this.#liveLimit = { id: Number.POSITIVE_INFINITY };
    this.#live = new Pump(
      { ...this.#options, cursor: splitAt },
      {
        ...this.#deps,
        reader: limited(reader, this.#liveLimit),
        spool: {
          quarantine: (...args) => spool.quarantine(...args),
          // Not before the backlog is done: the stored cursor stands for everything before it.
          saveCursor: (sink, recordId) => {
            if (this.#live === null) spool.saveCursor(sink, recordId);
          },
        },
        passed: (slice, index) => {
          if (this.#live === null) passed?.(slice, index);
        },
      },
    );
    this.#deps.log.info(
      { backlog: splitAt - this.#main.cursor, share: this.#options.backlogShare },
      "newest records first; the backlog goes beside them",
    );
  }

  #joinWhenDone(): void {
    const live = this.#live;
    if (live === null || this.#main.cursor < this.#limit.id || this.#main.inFlightCount > 0) return;
    this.#deliveredBefore += this.#main.deliveredCount;
    this.#quarantinedBefore += this.#main.quarantinedCount;
    this.#main.detach(false);
    this.#main = live;
    this.#live = null;
    this.#limit = this.#liveLimit;
    this.#deps.spool.saveCursor(this.#options.sink, live.cursor);
    this.#deps.log.info({ cursor: live.cursor }, "the backlog is done");
  }
}

interface Limit {
  id: number;
}

/** A reader that knows nothing behind the limit of the moment. */
function limited(reader: Pick<SpoolReader, "rendered">, limit: Limit): Pick<SpoolReader, "rendered"> {
  return {
    rendered: async (afterId, rowsMax) => {
      if (afterId >= limit.id) return { ...NOTHING, scannedToId: afterId };
      return upTo(await reader.rendered(afterId, rowsMax), limit.id);
    },
  };
}

/** The part of a slice up to an id; a view, nothing is copied. */
function upTo(slice: RenderedSlice, id: number): RenderedSlice {
  if (slice.scannedToId <= id) return slice;
  let count = slice.count;
  while (count > 0 && (slice.ids[count - 1] ?? 0) > id) count -= 1;
  return { ...slice, count, scannedToId: id, more: false };
}
