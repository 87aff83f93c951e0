/**
 * A command: a small durable contract with a device. What it is, its states, and the store it lives in.
 *
 *   queued ──▶ sent ──▶ received ──▶ started ──▶ succeeded | failed
 *     │          │          │            │
 *     │          └──────────┴────────────┴──▶ unknown (may still become final)   expired (said by the device)
 *     └──▶ expired | cancelled (never transmitted)
 *
 * A command whose device can take it at once is made as `sent`: one commit instead of two.
 *
 * Every transition is durable before it is visible. `command-machine.ts` holds the rules [P-15] … [P-20].
 */
export const COMMAND_STATES = [
  "queued",
  "sent",
  "received",
  "started",
  "succeeded",
  "failed",
  "expired",
  "cancelled",
  "unknown",
] as const;
/** Longest `args` of a command as JSON text [P-33], in bytes: leaves room for the rest of a message of 64 KiB. */
export const ARGS_BYTES_MAX = 32 * 1024;
/** Seven days: a command older than that was meant for another situation. */
export const TTL_MS_MAX = 7 * 86_400_000;
/** Longest idempotency key; the shortest has one character. */
export const IDEMPOTENCY_KEY_CHARS_MAX = 128;
/** One of `COMMAND_STATES`. */
export type CommandState = (typeof COMMAND_STATES)[number];

/** What may happen to a command when a power cut hides whether it ran: never twice, or at least once. */
export type Delivery = "atMostOnce" | "atLeastOnce";

/** A command with everything that is known of it. */
export interface CommandRecord {
  /** Public id, `^cmd_[0-9A-Za-z]{22}$`, from 128 random bits. */
  readonly commandId: string;
  readonly device: string;
  readonly name: string;
  /** JSON text. */
  readonly args: string;
  readonly delivery: Delivery;
  readonly state: CommandState;
  /** `api`, `cli`, `dashboard` or `mqtt:<sink>`. */
  readonly source: string;
  readonly ttlMs: number;
  readonly createdUnixMs: number;
  /** Monotonic deadline of this machine's boot `bootId`; another boot means the deadline has passed. */
  readonly deadlineMonoMs: number;
  readonly bootId: string;
  /** Wire id of the latest transmission and the epoch it was sent under; 0: never transmitted [P-15] [P-18]. */
  readonly wireId: number;
  readonly wireEpoch: number;
  readonly transmissions: number;
  readonly updatedUnixMs: number;
  /** JSON text of what the device answered, or null. */
  readonly result: string | null;
  readonly error: string | null;
  readonly idempotencyKey: string | null;
  readonly responseTopic: string | null;
  /** Base64. */
  readonly correlation: string | null;
}

/** A command that somebody asks for. */
export interface NewCommand {
  readonly device: string;
  readonly name: string;
  /** JSON text, ≤ 32 KiB. */
  readonly args: string;
  readonly delivery: Delivery;
  /** 1 … 7 days, in ms. */
  readonly ttlMs: number;
  readonly source: string;
  /** ≤ 128 characters; scoped to the device. Repeats within 24 h return the first command. */
  readonly idempotencyKey: string | null;
  readonly responseTopic: string | null;
  readonly correlation: string | null;
}

/** A command of which the sender may have left something to the gateway. */
export interface AskedCommand extends Omit<NewCommand, "delivery" | "ttlMs"> {
  /** null: as the device's catalog declares it. */
  readonly delivery: Delivery | null;
  /** null: the gateway's default. */
  readonly ttlMs: number | null;
}

/** What can happen to a command. Device updates arrive with the batch that carries them, inside its transaction. */
export type CommandEvent =
  /** About to be transmitted under this wire id; durable first [P-15]. */
  | { readonly type: "dispatch"; readonly wireId: number; readonly epoch: number }
  | {
      readonly type: "update";
      readonly state: "received" | "started" | "succeeded" | "failed" | "expired" | "unsupported" | "interrupted";
      /** JSON text or null. */
      readonly result: string | null;
      readonly error: string | null;
    }
  /** Its deadline passed. */
  | { readonly type: "deadline" }
  /** Its deadline passed while "sent" was being written: it was not transmitted under that id, and will not be. */
  | { readonly type: "tooLate" }
  | { readonly type: "cancel" }
  /** The device came back without the memory it had when the command was sent [P-18]. */
  | { readonly type: "deviceForgot" }
  /** Never to be executed any more: the credential was revoked, or the store was restored [P-20]. */
  | { readonly type: "void"; readonly why: string };

/** A command that is stored, durable. */
export interface CreateOutcome {
  readonly command: CommandRecord;
  /** True: the idempotency key was known; `command` is the first one. */
  readonly repeated: boolean;
}

/** What a new command would be transmitted as, if it were sent in the moment it is made [P-15]. */
export interface SendOffer {
  readonly wireId: number;
  readonly epoch: number;
}

/** Durable commands. Implemented by `storage/`; each call is a transaction in the storage queue. */
export interface CommandStore {
  /**
   * Make one, as `queued`, or as `sent` with `offer`: both in one transaction.
   *
   * @param offer null: nothing may go out now. Not used for a repeat: its `wireId` is lost then.
   *
   * Errors: E_IDEMPOTENCY_CONFLICT (same key, other request), E_COMMAND_LIMIT (too many unfinished for the device),
   * E_STORE_FULL.
   */
  create(request: NewCommand, offer: SendOffer | null): Promise<CreateOutcome>;
  /** Run the machine on one command and store the result. Errors: E_COMMAND_UNKNOWN, E_COMMAND_STATE (refused). */
  apply(commandId: string, event: CommandEvent): Promise<CommandRecord>;
  /** All commands not yet final, oldest first; read once at start. */
  unfinished(): Promise<readonly CommandRecord[]>;
}
