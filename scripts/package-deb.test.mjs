// The Debian package, unpacked into a scratch root: what is in it runs from there, its scripts behave, and two builds
// are equal. Not installed by a dpkg of a living system here; docs/operations.md says where that was done.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { packageHere } from "./package-deb.mjs";
import { runInstalled } from "./testing/installed-gateway.mjs";
import { requires } from "./testing/requires.mjs";
import { ROOT } from "./workspace/report.mjs";

const withDpkg = requires("dpkg-deb", "systemd-sysusers", "systemd-tmpfiles");

withDpkg.describe("the Debian package", () => {
  let scratch = "";
  let package_ = "";
  let root = "";
  let parts = "";
  const below = (...names) => join(root, ...names);
  const part = (name) => readFileSync(join(parts, name), "utf8");

  const build = (name) => packageHere({ out: join(scratch, name), compression: "none", epoch: "1700000000" });

  /** A maintainer script below the root, as dpkg would run it there. */
  function script(name, ...args) {
    const env = { ...process.env, DPKG_ROOT: root };
    const { status, stdout, stderr } = spawnSync(join(parts, name), args, { encoding: "utf8", env });
    return { status, output: `${stdout}${stderr}` };
  }

  beforeAll(() => {
    scratch = mkdtempSync(join(tmpdir(), "tidegate-deb-test-"));
    // Another user has to come to what is in it.
    spawnSync("chmod", ["755", scratch]);
    root = join(scratch, "root");
    parts = join(scratch, "parts");
    package_ = build("first");
    for (const [flag, folder] of [
      ["-x", root],
      ["-e", parts],
    ]) {
      expect(spawnSync(withDpkg.path("dpkg-deb"), [flag, package_, folder]).status).toBe(0);
    }
    mkdirSync(below("etc"), { recursive: true });
  }, 120_000);

  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  withDpkg.it(
    "is the same file when it is built again",
    () => {
      const again = build("second");
      const digest = (path) => createHash("sha256").update(readFileSync(path)).digest("hex");
      expect(digest(again)).toBe(digest(package_));
      rmSync(again);
    },
    120_000,
  );

  withDpkg.it("says what it needs and what is a setting, and brings its Node with it", () => {
    expect(part("control")).toMatch(/^Depends: libc6/m);
    expect(part("control")).not.toContain("nodejs");
    expect(part("conffiles").trim().split("\n")).toContain("/etc/tidegate/tidegate.yaml");
    expect(statSync(below("opt/tidegate/bin/node")).mode & 0o111).toBe(0o111);
    expect(readFileSync(below("usr/share/doc/tidegate/copyright"), "utf8")).toContain("Node.js contributors");
    for (const line of part("md5sums").trim().split("\n").slice(0, 50)) {
      const [digest, path] = line.split("  ");
      expect(
        createHash("md5")
          .update(readFileSync(below(path)))
          .digest("hex"),
      ).toBe(digest);
    }
  });

  withDpkg.it("names nothing of the machine it was built on", () => {
    for (const path of ["usr/lib/systemd/system/tidegate.service", "usr/bin/tidegate", "etc/tidegate/tidegate.yaml"]) {
      expect(readFileSync(below(path), "utf8")).not.toContain(ROOT);
    }
    expect(existsSync(below("opt/tidegate/proto/PROTOCOL.md"))).toBe(false);
    expect(existsSync(below("usr/local"))).toBe(false);
  });

  withDpkg.it("has scripts that any sh reads, and that make the user and the folders", () => {
    for (const name of ["postinst", "prerm", "postrm"]) {
      expect(spawnSync("sh", ["-n", join(parts, name)]).status).toBe(0);
    }
    const first = script("postinst", "configure", "");
    expect(first).toMatchObject({ status: 0 });
    expect(readFileSync(below("etc/passwd"), "utf8")).toMatch(/^tidegate:.*nologin$/m);
    expect(script("postinst", "configure", "0.1.0")).toMatchObject({ status: 0 }); // an upgrade
  });

  withDpkg.it(
    "starts by its unit with the Node inside, as another user, and stops in order",
    async () => {
      const { health, exitCode } = await runInstalled(root, (program) => below(program));
      expect(health).toEqual({ status: "ok" });
      expect(exitCode).toBe(0);
    },
    60_000,
  );

  withDpkg.it("keeps the data when it is removed, and when it is purged without a yes", () => {
    mkdirSync(below("var/lib/tidegate"), { recursive: true });
    writeFileSync(below("var/lib/tidegate/identity.db"), "");
    expect(script("prerm", "remove")).toMatchObject({ status: 0 });
    expect(script("postrm", "remove")).toMatchObject({ status: 0 });
    const purged = script("postrm", "purge");
    expect(purged).toMatchObject({ status: 0 });
    expect(purged.output).toContain("the data stays");
    expect(existsSync(below("var/lib/tidegate/identity.db"))).toBe(true);
  });
});
