/** The scripts of `tidegate completion`, run by the shells they are for. */
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ADMIN_TOKEN, FakeApi } from "./testing/fake-api.js";
import { cli } from "./testing/fake-context.js";

describe("completion in bash", () => {
  let folder = "";

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "tidegate-completion-"));
    writeFileSync(join(folder, "tidegate.bash"), (await cli(["completion", "bash"])).out);
    // Stands in for the command: the ids of a gateway that runs.
    writeFileSync(join(folder, "tidegate"), '#!/bin/sh\n[ "$2" = devices ] && printf "attic-7\\nattic-8\\nbed-1\\n"\n');
    chmodSync(join(folder, "tidegate"), 0o755);
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** What bash offers behind these words; the last one is being typed. */
  function offered(...words: string[]): string[] {
    const script = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tidegate; echo "\${COMPREPLY[*]}"`;
    const path = `${folder}:${process.env["PATH"] ?? ""}`;
    const args = ["--norc", "-c", script, "bash", join(folder, "tidegate.bash"), "tidegate", ...words];
    const { stdout, stderr } = spawnSync("bash", args, { encoding: "utf8", env: { PATH: path } });
    expect(stderr).toBe("");
    return stdout.trim().split(" ");
  }

  it.each([
    [["dev"], ["device"]],
    [
      ["backup", ""],
      ["create", "restore"],
    ],
    [
      ["device", "re"],
      ["replace", "rename", "revoke"],
    ],
    [["device", "history", "--po"], ["--points"]],
    [
      ["device", "show", "at"],
      ["attic-7", "attic-8"],
    ],
    [["send", "bed"], ["bed-1"]],
    [["device", "add", "at"], [""]],
    [["--json", "device", "sh"], ["show"]],
  ])("offers behind %j what fits: %j", (words, expected) => {
    expect(offered(...words).filter((word) => !word.startsWith("--") || words.at(-1)?.startsWith("--"))).toEqual(
      expected,
    );
  });

  it("hides what only scripts call", () => {
    expect(offered("complet")).toEqual(["completion"]);
  });
});

describe("tidegate complete", () => {
  it("names devices a shell can take as they are, and says nothing when no gateway answers", async () => {
    const api = await FakeApi.start();
    try {
      api.on("GET /api/v1/devices", [200, { devices: [{ id: "attic-7" }, { id: "$(reboot)" }] }]);
      const files = { "/site/token": ADMIN_TOKEN };
      const env = { TIDEGATE_URL: api.url, TIDEGATE_TOKEN_FILE: "/site/token" };
      expect(await cli(["complete", "devices"], { files, env })).toMatchObject({ exitCode: 0, out: "attic-7\n" });
    } finally {
      await api.stop();
    }
    expect(await cli(["complete", "sinks"])).toMatchObject({ exitCode: 0, out: "", err: "" });
  });
});
