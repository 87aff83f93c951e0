/** Secrets in files: read when needed, and never taken for none. */
import { describe, expect, it } from "vitest";
import { readSecretFile } from "./secret-file.js";

describe("a secret file", () => {
  it("gives its text without the last newline", () => {
    expect(readSecretFile("/p", () => "s3cret \n")).toBe("s3cret ");
    expect(readSecretFile("/p", () => "s3cret\r\n")).toBe("s3cret");
  });

  it("is refused when it is empty, absent or endless: never taken for no password", () => {
    for (const text of ["", "\n", "\r\n"]) expect(() => readSecretFile("/p", () => text)).toThrow(/is empty/);
    expect(() => readSecretFile("/nowhere/at/all")).toThrow(/ENOENT/);
    expect(() => readSecretFile("/p", () => "x".repeat(100_000))).toThrow(/longer than/);
  });
});
