/** Secrets live in files and are read when they are needed, never kept in the configuration. Edge room `config`. */
import { readFileSync } from "node:fs";
import { GatewayError } from "../core/errors.js";

/** Longest secret in characters: a key or a long password, not a disk image. */
const SECRET_CHARS_MAX = 65_536;

/**
 * The secret a file holds, without the newline editors add at the end.
 *
 * Errors: E_CONFIG_UNREADABLE when the file cannot be read, is empty or is too long; an empty secret never means
 * "no password".
 */
export function readSecretFile(path: string, read: (path: string) => string = (p) => readFileSync(p, "utf8")): string {
  let text: string;
  try {
    text = read(path);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new GatewayError("E_CONFIG_UNREADABLE", `${path}: ${why}`, { cause: error });
  }
  const secret = text.replace(/\r?\n$/, "");
  if (secret === "") {
    throw new GatewayError("E_CONFIG_UNREADABLE", `${path} is empty; an empty secret is never used`, {
      fix: "write the secret into the file, or take the setting out",
    });
  }
  if (secret.length > SECRET_CHARS_MAX) {
    throw new GatewayError("E_CONFIG_UNREADABLE", `${path} is longer than ${SECRET_CHARS_MAX} characters`);
  }
  return secret;
}
