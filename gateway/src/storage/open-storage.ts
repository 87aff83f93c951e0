/**
 * Opens the store on two worker threads: what `main` calls.
 */
import type { GatewayError } from "../core/errors.js";
import { connectStorage, type Storage } from "./storage-client.js";
import type { ReaderStart, StorageStart } from "./storage-start.js";
import { ThreadChannel } from "./thread-channel.js";
import type { ReaderCalls, WriterCalls } from "./worker-protocol.js";

export interface OpenStorageOptions extends StorageStart, ReaderStart {
  /** Called once, when the store cannot go on; end the process with the error's exit code. */
  readonly onFatal: (error: GatewayError) => void;
  /** The compiled worker files; beside this one unless told. */
  readonly entries?: { readonly writer: URL; readonly reader: URL };
}

/** Errors: E_DATA_DIR, E_STORE_NEWER, E_STORE_CORRUPT, E_STORE_IO. */
export function openStorage(options: OpenStorageOptions): Promise<Storage> {
  const { onFatal, entries, gatewayId, ...start } = options;
  const writer = entries?.writer ?? new URL("./storage-worker.js", import.meta.url);
  const reader = entries?.reader ?? new URL("./reader-worker.js", import.meta.url);
  return connectStorage(
    {
      writer: new ThreadChannel<WriterCalls>(writer, "storage", start),
      reader: new ThreadChannel<ReaderCalls>(reader, "reader", { dataDir: options.dataDir, gatewayId }),
    },
    onFatal,
  );
}
