/** Is this program run from a checkout of the repository, or was it installed? */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** Root of the checkout that holds the package, recognised by its protocol; null when it was installed. */
export function repositoryDir(packageDir: string): string | null {
  const root = dirname(packageDir);
  const isCheckout =
    existsSync(join(root, "proto", "PROTOCOL.md")) && existsSync(join(root, "gateway", "package.json"));
  return isCheckout ? root : null;
}
