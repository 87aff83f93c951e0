/**
 * What `tidegate doctor` knows of the machine when it judges: plain data, gathered by the probes. Edge room `cli`.
 *
 *   probes (files, sockets, programs) ─▶ facts ─▶ checks (pure) ─▶ report
 */

export interface NodeFacts {
  /** `20.20.0` */
  readonly version: string;
  /** NODE_MODULE_VERSION: native modules are built for one. */
  readonly abi: string;
  /** `linux x64` */
  readonly machine: string;
}

export interface ClockFacts {
  readonly unixMs: number;
  /** Does the kernel say that NTP keeps the clock? null: nothing here tells. */
  readonly isSynchronised: boolean | null;
  /** Is there a clock that runs without power? null: nothing here tells. */
  readonly hasRtc: boolean | null;
}

/** A user or group, by number and by the name the system has for it. */
export interface Account {
  readonly id: number;
  readonly name: string;
}

export interface FolderFacts {
  readonly path: string;
  readonly kind: "absent" | "folder" | "other" | "hidden";
  /** The folder itself, or the nearest one above that exists. */
  readonly existing: string;
  /** Why this user cannot read, write or enter `existing` (`EACCES`, `EROFS` …); null when it can. */
  readonly errno: string | null;
  /** Owner of `existing`; null when not known. */
  readonly owner: Account | null;
  /** Who runs the doctor; null where there are no users. */
  readonly user: Account | null;
  readonly othersMayWrite: boolean;
  /** Files directly inside that the folder's user could not write. */
  readonly foreign: readonly string[];
}

export interface SpaceFacts {
  /** Free for this user on the file system of the data folder. */
  readonly freeBytes: number;
  /** What lies in the data folder already. */
  readonly usedBytes: number;
  /** `ext4`, `tmpfs` …; null when not known. */
  readonly fileSystem: string | null;
  /** SD card or eMMC, also below LUKS or LVM. */
  readonly isOnCard: boolean;
}

/** What `gateway.json` says. */
export interface RunningFacts {
  readonly url: string;
  readonly pid: number;
  readonly devicesPort: number | null;
  readonly adminPort: number | null;
}

/** The gateway of the data folder, as its own file tells. */
export type GatewayFileFacts =
  | { readonly state: "absent" }
  | { readonly state: "denied" | "damaged"; readonly path: string }
  | { readonly state: "stale"; readonly path: string; readonly pid: number }
  | ({ readonly state: "running" } & RunningFacts);

export interface HealthFacts {
  /** HTTP status; null when there was no answer. */
  readonly status: number | null;
  /** Why there was none. */
  readonly error: string | null;
}

export interface TokenFacts {
  readonly path: string;
  readonly state: "absent" | "denied" | "empty" | "readable";
  readonly othersMayRead: boolean;
}

/** A listening socket was tried and closed again. `errno` null: the port is free. */
export interface PortFacts {
  readonly host: string;
  /** As configured; 0 is any. */
  readonly port: number;
  readonly errno: string | null;
}

/** The site's certificates or own files. */
export type CertificateFacts =
  | { readonly state: "absent" | "denied"; readonly path: string }
  | { readonly state: "damaged"; readonly path: string; readonly problem: string; readonly fix: string }
  | {
      readonly state: "present";
      readonly path: string;
      /** Issued by the gateway from its own root, and anew when names change. */
      /** Of the leaf as it is sent, DER. */
      readonly leafBytes: number;
      readonly isSite: boolean;
      /** SHA-256 of the root (of the leaf without one). */
      readonly fingerprint: string;
      readonly notBeforeUnixMs: number;
      readonly notAfterUnixMs: number;
      readonly names: readonly string[];
      /** Names and addresses devices may use now that the certificate does not carry. */
      readonly missingNames: readonly string[];
    };

/** Why something failed, in the words of the sinks. */
export interface Trouble {
  readonly why: string;
  readonly fix: string;
}

/** What the running gateway says of a sink. */
export interface SinkReport {
  readonly state: string;
  readonly protocol: string | null;
  readonly lastError: Trouble | null;
  readonly waitingCount: number;
}

export interface SinkFacts {
  readonly name: string;
  /** `broker.lan:8883` */
  readonly target: string;
  /** Addresses of the host; empty when it could not be resolved. */
  readonly addresses: readonly string[];
  /** TLS was spoken. */
  readonly secure: boolean;
  /** The first step that failed: password file, DNS, TCP, TLS. */
  readonly trouble: Trouble | null;
  /** null: no gateway runs, it did not answer, or it does not have this sink. */
  readonly report: SinkReport | null;
}

export interface SerialFacts {
  readonly path: string;
  /** `EACCES`, `ENOENT` …; null when it may be read and written. */
  readonly errno: string | null;
  /** The group that owns the device file; null when there is no such file. */
  readonly group: Account | null;
  /** The user database lists the user in that group, though this login does not have it yet. */
  readonly isListedInGroup: boolean;
  readonly user: Account | null;
  /** Other names under /dev/serial/by-id. */
  readonly byId: readonly string[];
}
