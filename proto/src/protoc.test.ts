/**
 * The codec against an independent one: protoc reads what we write, writes what we read, and refuses what we refuse.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { requires } from "../../scripts/testing/requires.mjs";
import { decodeDownlink, decodeUplink } from "./codec.js";
import { bytesOf, downlinkVectors, hexOf, invalidVectors, uplinkVectors } from "./testing/vectors.js";

const protoc = requires("protoc");
const folder = fileURLToPath(new URL("..", import.meta.url));

function run(mode: "encode" | "decode", message: string, input: Uint8Array): Uint8Array | null {
  const args = [`--${mode}=tidegate.device.v1.${message}`, "--proto_path", folder, "tidegate/device/v1/device.proto"];
  const { status, stdout } = spawnSync(protoc.path("protoc"), args, { cwd: folder, input });
  return status === 0 ? new Uint8Array(stdout) : null;
}

/** Every vector, joined to a few calls would hide which one failed; a third of them is a fair sample in little time. */
const sample = [
  ...uplinkVectors.map((vector) => ["Uplink", vector] as const),
  ...downlinkVectors.map((vector) => ["Downlink", vector] as const),
].filter((_, i) => i % 3 === 0);

protoc.describe("protoc agrees", () => {
  protoc.it("reads every vector it is shown, and writes the same meaning", () => {
    for (const [message, vector] of sample) {
      const text = run("decode", message, bytesOf(vector.hex));
      expect(text, vector.name).not.toBeNull();
      const written = run("encode", message, text ?? new Uint8Array(0));
      if (!vector.decodeOnly) expect(hexOf(written ?? new Uint8Array(0)), vector.name).toBe(vector.hex);
      const decode = message === "Uplink" ? decodeUplink : decodeDownlink;
      if (written?.length) expect(decode(written), vector.name).toEqual(decode(bytesOf(vector.hex)));
    }
  });

  protoc.it("refuses what is truncated or not UTF-8", () => {
    const refused = invalidVectors.filter(({ error }) => error === "truncated" || error === "bad_utf8");
    for (const { name, link, hex } of refused.filter((_, i) => i % 2 === 0)) {
      expect(run("decode", link === "uplink" ? "Uplink" : "Downlink", bytesOf(hex)), name).toBeNull();
    }
  });
});
