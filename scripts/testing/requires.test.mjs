// Proves the skip rule: present programs run, absent ones name their package, and nothing is skipped silently in CI.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { findCommand, parseAptPackages, requires, skippingIsForbidden } from "./requires.mjs";
import { packagesToInstall } from "./skip-reporter.mjs";

describe("requires", () => {
  it("runs the tests when every program is here", () => {
    const needsGit = requires("git");
    expect(needsGit.isAvailable).toBe(true);
    expect(needsGit.it).toBe(it);
    expect(needsGit.path("git")).toMatch(/\/git$/);
  });

  it("refuses a program that no listed package brings", () => {
    expect(() => requires("no-such-program")).toThrow(/apt-packages\.txt brings "no-such-program"/);
  });

  it("finds nothing on an empty path but the sbin folders", () => {
    expect(findCommand("surely-absent-program", "")).toBeNull();
  });

  it("takes a full path for what is no program", () => {
    expect(findCommand("/dev/null")).toBe("/dev/null");
    expect(findCommand("/no/such/header.h")).toBeNull();
  });

  it("forbids skipping in CI and on request only", () => {
    expect(skippingIsForbidden({ CI: "true" })).toBe(true);
    expect(skippingIsForbidden({ TIDEGATE_NO_SKIP: "1" })).toBe(true);
    expect(skippingIsForbidden({})).toBe(false);
  });

  it("gives every listed package a command and a reason", () => {
    const packages = parseAptPackages(readFileSync(new URL("../apt-packages.txt", import.meta.url), "utf8"));
    expect(packages.length).toBeGreaterThan(5);
    for (const entry of packages) {
      expect(entry.commands[0], entry.name).toMatch(/^[a-z/]/);
      expect(entry.reason.length, entry.name).toBeGreaterThan(10);
    }
  });

  it("collects the packages of all skipped titles, each once", () => {
    const skipped = [
      "sink > a (skipped: apt-get install mosquitto mosquitto-clients)",
      "sink > b (skipped: apt-get install mosquitto)",
      "no note at all",
    ];
    expect(packagesToInstall(skipped)).toEqual(["mosquitto", "mosquitto-clients"]);
  });
});
