/** What the doctor can find out about this machine; the real ones are in `system-probes.ts`. Edge room `cli`. */
import type { Listen } from "../../config/addresses.js";
import type { Config, MqttSinkConfig } from "../../config/config.js";
import type {
  CertificateFacts,
  ClockFacts,
  FolderFacts,
  GatewayFileFacts,
  NodeFacts,
  PortFacts,
  SerialFacts,
  SinkFacts,
  SpaceFacts,
  TokenFacts,
} from "./facts.js";
import type { StoreFiles } from "./store-check.js";

/** Certificates of the listeners; null where TLS is off. `admin` is null too when it serves the same as `devices`. */
export interface ListenerCertificates {
  readonly devices: CertificateFacts | null;
  readonly admin: CertificateFacts | null;
}

/**
 * Every probe answers with facts and leaves nothing behind; failures that can happen are facts as well. A probe that
 * throws has met something unforeseen; one that hangs is left alone by the caller.
 */
export interface Probes {
  node(): NodeFacts;
  clock(): Promise<ClockFacts>;
  /** Open and close a database in a scratch folder; why it failed, or null. */
  scratchDatabase(): Promise<string | null>;
  folder(path: string): Promise<FolderFacts>;
  space(path: string): Promise<SpaceFacts>;
  /** Names and sizes of what lies in the data folder; null when it cannot be read. */
  storeFiles(dataDir: string): Promise<StoreFiles | null>;
  gatewayFile(dataDir: string): Promise<GatewayFileFacts>;
  token(dataDir: string): Promise<TokenFacts>;
  /** The site's root, to trust our own gateway; null when it cannot be read. */
  siteRoot(dataDir: string): Promise<string | null>;
  certificates(config: Config): Promise<ListenerCertificates>;
  port(listen: Listen): Promise<PortFacts>;
  sink(config: MqttSinkConfig): Promise<Omit<SinkFacts, "report">>;
  serial(path: string): Promise<SerialFacts>;
  /** Paths of the adapters under /dev/serial/by-id. */
  serialNames(): Promise<readonly string[]>;
}
