/**
 * Who may speak: device credentials and the administrator's password, as the domains see them.
 * Implemented by `storage/` on identity.db; secrets are stored hashed and leave the process exactly once.
 */
export interface DeviceIdentity {
  readonly device: string;
  /** Free text shown beside the id; empty when none was given. */
  readonly name: string;
  /** Hex SHA-256 of the bearer token; null: revoked. */
  readonly tokenHash: string | null;
  readonly createdUnixMs: number;
  readonly revokedUnixMs: number | null;
}

/** Who may connect; every change is durable when its promise resolves. Only hashes of tokens are kept. */
export interface IdentityStore {
  devices(): Promise<readonly DeviceIdentity[]>;
  /** Errors: E_DEVICE_EXISTS. */
  add(device: string, name: string, tokenHash: string): Promise<DeviceIdentity>;
  /** A new token; the old one ends at once. Also brings a revoked device back. Errors: E_DEVICE_UNKNOWN. */
  replaceToken(device: string, tokenHash: string): Promise<DeviceIdentity>;
  /** Errors: E_DEVICE_UNKNOWN. */
  revoke(device: string): Promise<DeviceIdentity>;
  rename(device: string, name: string): Promise<DeviceIdentity>;
  /** Removes the identity; its records, gaps and commands stay. Errors: E_DEVICE_UNKNOWN. */
  forget(device: string): Promise<void>;
  /** scrypt hash in PHC-like text, or null when no password was set. */
  passwordHash(): Promise<string | null>;
  setPasswordHash(hash: string): Promise<void>;
  /** Who did what, for the audit table. Bounded: the newest 10,000 rows are kept. */
  audit(actor: string, action: string, subject: string): void;
}
