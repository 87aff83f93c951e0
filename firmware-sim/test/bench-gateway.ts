/** A gateway for end-to-end tests, in a temporary folder that goes with it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Child, until } from "../src/rehearse/child.js";
import { type Credential, GatewayProcess, type Settings } from "../src/rehearse/gateway-process.js";

export interface TestGateway {
  readonly gateway: GatewayProcess;
  readonly dir: string;
  end(): Promise<void>;
}

export async function startGateway(settings: Settings = {}, wrapper: readonly string[] = []): Promise<TestGateway> {
  const dir = mkdtempSync(join(tmpdir(), "tidegate-e2e-"));
  const gateway = await GatewayProcess.start({
    dir: join(dir, "gateway"),
    settings,
    ...(wrapper.length === 0 ? {} : { wrapper }),
  });
  return {
    gateway,
    dir,
    end: async () => {
      await gateway.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

const PUPPET = fileURLToPath(new URL("./puppet.mjs", import.meta.url));

/** A device process that runs commands; see puppet.mjs. */
export async function startPuppet(credential: Credential, outbox?: string): Promise<Child> {
  const puppet = new Child(process.execPath, [PUPPET, JSON.stringify({ credential, outbox })]);
  await until("the puppet is online", () => {
    if (!puppet.isRunning) throw new Error(`the puppet ended: ${puppet.words}`);
    return puppet.words.includes("online");
  });
  return puppet;
}
