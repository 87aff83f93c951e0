// The Dockerfile without a container engine: what it copies is there, what it runs are our own scripts with options
// they know, and what it would put into the image has what it starts.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { planInstall, productionModules } from "./install-service.mjs";
import { inRoot } from "./workspace/report.mjs";

/** Instructions with their continued lines joined: `[name, rest]`. */
const instructions = readFileSync(inRoot("Dockerfile"), "utf8")
  .replaceAll(/^#.*\n/gm, "")
  .replaceAll("\\\n", " ")
  .split("\n")
  .filter((line) => line.trim() !== "")
  .map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)]);

const all = (name) => instructions.filter(([found]) => found === name).map(([, rest]) => rest);

describe("the Dockerfile", () => {
  it("builds and runs on the same Debian with glibc, and a Node that is supported", () => {
    const bases = all("FROM").map((rest) => rest.split(" ")[0]);
    expect(new Set(bases).size).toBe(1);
    expect(bases[0]).toMatch(/^node:(?:22|24)-bookworm-slim$/);
  });

  it("runs scripts that are here", () => {
    const scripts = all("RUN").flatMap((rest) => [...rest.matchAll(/node (scripts\/\S+)/g)].map(([, path]) => path));
    expect(scripts.length).toBeGreaterThan(0);
    for (const path of scripts) expect(existsSync(inRoot(path)), path).toBe(true);
  });

  it("copies only what the installer has put there, and starts what it has copied", () => {
    const root = "/image";
    const plan = planInstall({ root, nodePath: "/usr/local/bin/node", modules: productionModules() });
    const made = plan.map(({ to }) => join(root, to.replace("opt/tidegate.new", "opt/tidegate")));
    const copied = all("COPY").filter((rest) => rest.startsWith("--from=build"));
    expect(copied.length).toBe(2);
    for (const rest of copied) {
      const [, from, to] = rest.split(" ");
      expect(
        made.some((path) => path.startsWith(`${from}/`)),
        from,
      ).toBe(true);
      expect(from).toBe(join(root, to));
    }
    const program = /"(\/opt\/tidegate[^"]+)"/.exec(all("ENTRYPOINT")[0])?.[1] ?? "";
    expect(made).toContain(join(root, "opt/tidegate/gateway/bin"));
    expect(existsSync(inRoot(program.replace("/opt/tidegate/", ""))), program).toBe(true);
  }, 60_000);

  it("is no root, keeps its data in a volume, and passes signals on", () => {
    expect(all("USER")).toEqual(["tidegate"]);
    const [volume] = all("VOLUME");
    expect(all("ENV")[0]).toContain(`STATE_DIRECTORY=${volume}`);
    for (const rest of [...all("ENTRYPOINT"), ...all("CMD")]) expect(Array.isArray(JSON.parse(rest))).toBe(true);
    expect(all("HEALTHCHECK")).toHaveLength(1);
  });

  it("sends neither packages nor data to the builder", () => {
    const ignored = readFileSync(inRoot(".dockerignore"), "utf8").split("\n");
    for (const name of ["**/node_modules", "data", "**/dist"]) expect(ignored).toContain(name);
  });
});
