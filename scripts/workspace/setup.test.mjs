// Proves when set-up acts, that two at once do not collide, and that its words are whole.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isSupported } from "../node-version.mjs";
import { exclusively } from "./exclusive.mjs";
import { localHeadersFolder, npmCommand } from "./npm.mjs";
import { startProgress } from "./progress.mjs";
import { formatDuration, lastLines, Report } from "./report.mjs";
import { installPhase } from "./setup.mjs";
import { currentStamp, whatIsNeeded, writeStamp } from "./stamp.mjs";

let folder;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tidegate-setup-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path, content) {
  const file = join(folder, path);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
}

const lockWith = (version) => ({
  packages: {
    "": {},
    "node_modules/ws": { version },
    "node_modules/only-elsewhere": { version: "1.0.0", optional: true },
  },
});

describe("whatIsNeeded", () => {
  it("installs in a fresh clone", () => {
    write("package-lock.json", lockWith("8.0.0"));
    expect(whatIsNeeded(folder)).toBe("install");
  });

  it("does nothing after a set-up, and acts again when the lock file or the Node ABI changes", () => {
    write("package-lock.json", lockWith("8.0.0"));
    mkdirSync(join(folder, "node_modules"));
    writeStamp(folder, currentStamp(folder, "115"));
    expect(whatIsNeeded(folder, currentStamp(folder, "115"))).toBe("nothing");
    expect(whatIsNeeded(folder, currentStamp(folder, "127"))).toBe("rebuild");
    write("package-lock.json", lockWith("8.0.1"));
    expect(whatIsNeeded(folder, currentStamp(folder, "115"))).toBe("install");
  });

  it("adopts what somebody installed by hand, when it is complete and in the same versions", () => {
    write("package-lock.json", lockWith("8.0.0"));
    write("node_modules/.package-lock.json", lockWith("8.0.0"));
    expect(whatIsNeeded(folder)).toBe("install");
    mkdirSync(join(folder, "node_modules/ws"));
    expect(whatIsNeeded(folder)).toBe("adopt");
    write("package-lock.json", lockWith("9.0.0"));
    expect(whatIsNeeded(folder)).toBe("install");
  });
});

describe("exclusively", () => {
  it("runs one at a time among processes", async () => {
    const module = pathToFileURL(fileURLToPath(new URL("./exclusive.mjs", import.meta.url))).href;
    const script = `
      import { exclusively } from ${JSON.stringify(module)};
      import { appendFileSync } from "node:fs";
      import { setTimeout as wait } from "node:timers/promises";
      await exclusively(process.argv[1], async () => {
        appendFileSync(process.argv[2], "in ");
        await wait(150);
        appendFileSync(process.argv[2], "out ");
      });`;
    const trace = join(folder, "trace");
    const children = [1, 2, 3].map(() =>
      spawn(process.execPath, ["--input-type=module", "-e", script, join(folder, "lock"), trace]),
    );
    await Promise.all(children.map((child) => new Promise((resolve) => child.once("exit", resolve))));
    expect(readFileSync(trace, "utf8")).toBe("in out in out in out ");
    expect(existsSync(join(folder, "lock"))).toBe(false);
  });

  it("breaks a lock whose process is gone", async () => {
    const gone = spawnSync(process.execPath, ["-e", ""]).pid;
    write("lock", { token: "old", pid: gone, host: hostname() });
    expect(await exclusively(join(folder, "lock"), async () => "ran")).toBe("ran");
  });

  it("breaks a lock that nobody has touched for long, wherever its process runs", async () => {
    write("lock", { token: "old", pid: 1, host: "elsewhere" });
    const longAgo = new Date(Date.now() - 3_600_000);
    utimesSync(join(folder, "lock"), longAgo, longAgo);
    expect(await exclusively(join(folder, "lock"), async () => "ran")).toBe("ran");
  });

  it("gives up with what, why and do this when a living process keeps the lock", async () => {
    write("lock", { token: "kept", pid: process.pid, host: hostname() });
    const waited = [];
    const attempt = exclusively(join(folder, "lock"), async () => {}, {
      onWait: (pid) => waited.push(pid),
      waitMsMax: 300,
    });
    await expect(attempt).rejects.toThrow(
      /does not end\n {2}why: process \d+ on .* holds .*\n {2}do: {2}end that process/,
    );
    expect(waited).toEqual([process.pid]);
  });

  it("releases the lock when the work throws", async () => {
    const failing = exclusively(join(folder, "lock"), async () => {
      throw new Error("work failed");
    });
    await expect(failing).rejects.toThrow("work failed");
    expect(existsSync(join(folder, "lock"))).toBe(false);
  });
});

describe("the npm that is called", () => {
  it("uses local headers only when they belong to the running Node", () => {
    expect(localHeadersFolder(join(folder, "bin", "node"), "115")).toBeNull();
    write("include/node/node.h", "");
    write("include/node/node_version.h", "#define NODE_MODULE_VERSION 115\n");
    expect(localHeadersFolder(join(folder, "bin", "node"), "115")).toBe(folder);
    expect(localHeadersFolder(join(folder, "bin", "node"), "127")).toBeNull();
  });

  it("is the one beside this Node when nobody called us through npm", () => {
    write("lib/node_modules/npm/bin/npm-cli.js", "");
    const execPath = join(folder, "bin", "node");
    expect(npmCommand({}, execPath)).toEqual([execPath, join(folder, "lib/node_modules/npm/bin/npm-cli.js")]);
    expect(npmCommand({}, "/nowhere/bin/node")).toEqual(["npm"]);
  });
});

describe("progress", () => {
  function captured(isTTY) {
    const lines = [];
    return { lines, stream: { isTTY, columns: 60, write: (text) => lines.push(text) } };
  }

  it("rewrites one line on a terminal and wipes it at the end", () => {
    const { lines, stream } = captured(true);
    let nowMs = 0;
    const progress = startProgress("set-up", () => "fetching packages", { stream, now: () => nowMs });
    nowMs = 2_000;
    progress.tick();
    progress.stop();
    expect(lines[1]).toBe("\r\u001b[K  set-up: fetching packages · 2.0 s");
    expect(lines.at(-1)).toBe("\r\u001b[K");
  });

  it("prints a line for a new phase and one each ten seconds elsewhere", () => {
    const { lines, stream } = captured(false);
    let nowMs = 0;
    let phase = "fetching packages";
    const progress = startProgress("set-up", () => phase, { stream, now: () => nowMs });
    for (nowMs = 1_000; nowMs <= 21_000; nowMs += 1_000) {
      if (nowMs === 5_000) phase = "compiling";
      progress.tick();
    }
    progress.stop();
    expect(lines).toEqual([
      "  set-up: fetching packages · 0.0 s\n",
      "  set-up: compiling · 5.0 s\n",
      "  set-up: compiling · 15 s\n",
    ]);
  });

  it("names the compilation of the native module by what lies on the disk", () => {
    expect(installPhase(folder, "ci")).toBe("fetching packages");
    write("node_modules/better-sqlite3/package.json", {});
    expect(installPhase(folder, "ci")).toBe("unpacking packages");
    write("node_modules/better-sqlite3/build/Makefile", "");
    expect(installPhase(folder, "ci")).toBe("compiling better-sqlite3 (one to two minutes)");
    write("node_modules/better-sqlite3/build/Release/better_sqlite3.node", "");
    expect(installPhase(folder, "ci")).toBe("finishing");
  });
});

describe("the words", () => {
  it("say what, why and do this", () => {
    expect(new Report({ what: "a", why: "b", action: "c" }).message).toBe("error: a\n  why: b\n  do:  c");
  });

  it("give durations at a glance", () => {
    expect([400, 9_940, 43_210, 125_000].map(formatDuration)).toEqual(["0.4 s", "9.9 s", "43 s", "2 min 05 s"]);
  });

  it("show the end of a log without blank lines", () => {
    expect(lastLines("a\n\nb\nc\n\n", 2)).toBe("b\nc");
  });
});

describe("the Node version", () => {
  it("is accepted from 20.19 on", () => {
    expect(["v18.20.0", "v20.18.3", "v20.19.0", "v22.0.0", "v24.9.0"].map(isSupported)).toEqual([
      false,
      false,
      true,
      true,
      true,
    ]);
  });

  it("is checked by files that an old Node can parse", () => {
    for (const verb of ["setup", "build", "start", "test", "check"]) {
      const source = readFileSync(new URL(`../${verb}.mjs`, import.meta.url), "utf8");
      expect(source.match(/^import /gm), verb).toHaveLength(1);
    }
    const check = readFileSync(new URL("../node-version.mjs", import.meta.url), "utf8");
    expect(check.replace(/^\/\/.*$/gm, "")).not.toMatch(/\?\.|\?\?|node:|^import |\bawait\b/m);
  });
});
