/** Is this program run from a checkout of the repository, or was it installed? */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** Root of the checkout that holds `fromDir`, recognised by its workspace file and protocol; null when installed. */
export function repositoryDir(fromDir: string): string | null {
  const root = dirname(dirname(fromDir));
  const isCheckout =
    existsSync(join(root, "proto", "PROTOCOL.md")) && existsSync(join(root, "gateway", "package.json"));
  return isCheckout ? root : null;
}
