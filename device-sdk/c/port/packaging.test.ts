/**
 * What people add to their projects: the two files, the CMake package, the Arduino and PlatformIO library, the ESP-IDF
 * component, the Zephyr module. Each is made, and used as far as this machine can.
 */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodeStreamFrame, StreamDecoder } from "@tidegate/proto";
import { afterAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { requires } from "../../../scripts/testing/requires.mjs";
import { TinyGateway } from "../test/tiny-gateway.js";

const SDK = fileURLToPath(new URL("..", import.meta.url));
const SCRIPTS = fileURLToPath(new URL("../../../scripts", import.meta.url));
const BUILD_TIMEOUT_MS = 120_000;
const WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wcast-qual", "-Werror"];
/** Debian keeps the C library of this compiler where it does not look by itself. */
const XTENSA_LIBRARY = "/usr/lib/xtensa-lx106-elf/include";
const MBEDTLS = "/usr/include/mbedtls/ssl.h";

const dir = mkdtempSync(join(tmpdir(), "tidegate-packaging-"));
const run = (command: string, args: readonly string[]): string => execFileSync(command, args, { encoding: "utf8" });
const script = (name: string, ...args: string[]): string => run(process.execPath, [join(SCRIPTS, name), ...args]);
const text = (...path: string[]): string => readFileSync(join(SDK, ...path), "utf8");
const version = /TG_VERSION "([^"]+)"/.exec(text("include", "tg.h"))?.[1] ?? "";

/** Paths of files below a folder, relative to it. */
const below = (folder: string, ending: RegExp): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) => ending.test(path));

afterAll(() => rmSync(dir, { recursive: true, force: true }));

const COMPILERS: readonly (readonly [string, ...string[]])[] = [
  ["gcc"],
  ["clang"],
  ["arm-none-eabi-gcc", "-mcpu=cortex-m0plus", "-mthumb"],
  ["avr-gcc", "-mmcu=atmega328p"],
  ["xtensa-lx106-elf-gcc", "-isystem", XTENSA_LIBRARY],
];

describe("the two-file amalgamation", () => {
  const out = join(dir, "two-files");

  for (const [compiler, ...flags] of COMPILERS) {
    const withCompiler = requires(compiler);
    withCompiler.it(`compiles by itself without a warning with ${compiler}`, () => {
      script("c-amalgamate.mjs", out);
      const object = join(dir, `${compiler}.o`);
      run(compiler, [...flags, "-std=c99", "-Os", ...WARNINGS, "-c", join(out, "tidegate.c"), "-o", object]);
    });
  }

  const withGcc = requires("gcc");
  withGcc.it("behaves: the demo built from it has a session, reports and says goodbye", async () => {
    script("c-amalgamate.mjs", out);
    const demo = join(dir, "demo");
    const sources = [join(SDK, "examples/native-demo/main.c"), join(SDK, "port/posix/tg_posix.c")];
    run("gcc", ["-std=c99", "-O2", ...sources, join(out, "tidegate.c"), "-o", demo]);
    const gateway = new TinyGateway();
    const path = join(dir, "line");
    const server = createServer((socket) => {
      const decoder = new StreamDecoder();
      gateway.attach((message) => socket.write(encodeStreamFrame(message)));
      socket.on("error", () => {});
      socket.on("data", (chunk) => {
        for (const message of decoder.push(chunk)) gateway.hear(message);
      });
    });
    await new Promise<void>((listening) => server.listen(path, listening));
    const child = spawn(demo, ["--id", "two-files", "--interval-ms", "20", "--serial", path], { stdio: "ignore" });
    try {
      await gateway.next((u) => u.body?.kind === "catalog");
      await gateway.next((u) => u.body?.kind === "telemetry" && u.seq >= 3);
      child.kill("SIGTERM");
      await gateway.next((u) => u.body?.kind === "bye");
    } finally {
      child.kill("SIGKILL");
      server.close();
    }
  });
});

const withXtensa = requires("xtensa-lx106-elf-gcc");
withXtensa.it("the core compiles for ESP8266 without a warning", () => {
  for (const source of below(join(SDK, "src"), /\.c$/)) {
    const args = ["-isystem", XTENSA_LIBRARY, "-std=c99", "-Os", ...WARNINGS, "-c", join(SDK, "src", source)];
    run("xtensa-lx106-elf-gcc", [...args, "-o", join(dir, "esp8266.o")]);
  }
});

const CONSUMER_CMAKE = `
cmake_minimum_required(VERSION 3.16)
project(consumer C)
find_package(tidegate ${version} REQUIRED)
add_executable(consumer main.c)
target_link_libraries(consumer tidegate::wss tidegate::posix)
`;
const CONSUMER_MAIN = `
#include <stdio.h>
#include <tg.h>
#include <tg_posix.h>
#include <tg_wss.h>
int main(void)
{
    tg_wss link;
    tg_client client;
    printf("%s %d %d %s\\n", TG_VERSION, tg_init(&client, NULL), tg_wss_init(&link, NULL, NULL), TG_GATEWAY_NAME);
    return 0;
}
`;

const withCmake = requires("cmake", "gcc", "make", MBEDTLS);
withCmake.it(
  "a CMake project finds the installed package, and runs what it brings",
  () => {
    const [build, prefix, consumer] = [join(dir, "build"), join(dir, "prefix"), join(dir, "consumer")];
    run("cmake", ["-S", SDK, "-B", build, "-DTIDEGATE_WSS=ON", "-DCMAKE_BUILD_TYPE=MinSizeRel"]);
    run("cmake", ["--build", build]);
    run("cmake", ["--install", build, "--prefix", prefix]);
    mkdirSync(consumer);
    writeFileSync(join(consumer, "CMakeLists.txt"), CONSUMER_CMAKE);
    writeFileSync(join(consumer, "main.c"), CONSUMER_MAIN);
    run("cmake", ["-S", consumer, "-B", join(consumer, "build"), `-DCMAKE_PREFIX_PATH=${prefix}`]);
    run("cmake", ["--build", join(consumer, "build")]);
    const said = run(join(consumer, "build", "consumer"), []);
    expect(said.trim()).toBe(`${version} -1 -1 gateway.tidegate.internal`);
  },
  BUILD_TIMEOUT_MS,
);

describe("the Arduino and PlatformIO library", () => {
  const [library = "", component = ""] = script("c-package.mjs", join(dir, "package")).trim().split("\n");
  const inLibrary = (...path: string[]): string => readFileSync(join(library, ...path), "utf8");

  it("has what the Arduino library specification asks for, in the version of the SDK", () => {
    const properties = new Map(
      inLibrary("library.properties")
        .trim()
        .split("\n")
        .filter((line) => !line.startsWith("#"))
        .map((line): [string, string] => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    );
    for (const key of ["name", "author", "maintainer", "sentence", "paragraph", "architectures"]) {
      expect(properties.get(key), key).toBeTruthy();
    }
    expect(properties.get("version")).toBe(version);
    expect(properties.get("category")).toBe("Communication");
    expect(existsSync(join(library, "src", properties.get("includes") ?? ""))).toBe(true);
    expect(below(library, /\.(c|cpp|h)$/).filter((path) => !/^(src|examples)\//.test(path))).toEqual([]);
    expect(existsSync(join(library, "LICENSE"))).toBe(true);
  });

  it("highlights words that its header has", () => {
    const header = inLibrary("src", "Tidegate.h") + inLibrary("src", "core", "tidegate.h");
    for (const line of inLibrary("keywords.txt").trim().split("\n")) {
      const [word = "", kind] = line.split("\t");
      expect(kind).toMatch(/^(KEYWORD[12]|LITERAL1)$/);
      expect(header, word).toMatch(new RegExp(`\\b${word}\\b`));
    }
  });

  it("has a PlatformIO manifest whose files are there", () => {
    const manifest = JSON.parse(inLibrary("library.json"));
    expect(manifest).toMatchObject({ name: "Tidegate", version, license: "Apache-2.0", headers: "Tidegate.h" });
    for (const { base, files } of manifest.examples) {
      for (const file of files) expect(existsSync(join(library, base, file)), file).toBe(true);
    }
  });

  it("comes with an ESP-IDF component that has the sources its CMake file names", () => {
    expect(parse(readFileSync(join(component, "idf_component.yml"), "utf8"))).toMatchObject({
      version,
      license: "Apache-2.0",
      dependencies: { idf: ">=5.0,<6.0" },
    });
    const folders = [...text("port/esp-idf/tidegate/CMakeLists.txt").matchAll(/"\$\{sdk\}\/([a-z/-]+)"/g)];
    expect(folders.length).toBeGreaterThan(5);
    for (const [, folder = ""] of folders) {
      expect(below(join(component, folder), /\.[ch]$/).length, folder).toBeGreaterThan(0);
    }
  });
});

it("the Zephyr module names folders that are there, and its CMake file sources that are there", () => {
  const module = parse(text("zephyr", "module.yml"));
  expect(module.name).toBe("tidegate");
  expect(existsSync(join(SDK, module.build.cmake, "CMakeLists.txt"))).toBe(true);
  expect(existsSync(join(SDK, module.build.kconfig))).toBe(true);
  for (const folder of module.samples) expect(existsSync(join(SDK, folder))).toBe(true);
  const cmake = text(module.build.cmake, "CMakeLists.txt");
  for (const [, path = ""] of cmake.matchAll(/"\$\{sdk\}\/([a-z_/-]+\.c)"/g)) {
    expect(existsSync(join(SDK, path)), path).toBe(true);
  }
});

/** Each system's own port, its example, and what both need; against our stand-ins for its headers. */
const SYSTEMS = [
  {
    name: "ESP-IDF",
    flags: ["-Itest/stubs/esp-idf", "-Iport/esp-idf"],
    folders: ["port/esp-idf"],
  },
  {
    name: "Zephyr",
    flags: ["-D__ZEPHYR__", '-DCONFIG_BOARD="b"', "-Itest/stubs/zephyr", "-Iport/zephyr"],
    folders: ["port/zephyr", "port/sockets"],
  },
];

const withMbedtls = requires("gcc", MBEDTLS);
withMbedtls.describe("ports that cannot be built here", () => {
  for (const { name, flags, folders } of SYSTEMS) {
    withMbedtls.it(`${name}: port and example are right in spelling and types`, () => {
      const secrets = join(dir, "secrets");
      mkdirSync(secrets, { recursive: true });
      const names = ["ID", "TOKEN", "HOST", "PORT", "CA"];
      writeFileSync(join(secrets, "secrets.h"), names.map((word) => `#define TIDEGATE_${word} "x"\n`).join(""));
      const files = folders.flatMap((folder) => below(join(SDK, folder), /\.c$/).map((path) => join(folder, path)));
      expect(files.length).toBeGreaterThan(2);
      const args = ["-std=gnu11", "-fsyntax-only", ...WARNINGS, "-Iinclude", `-I${secrets}`, ...flags, ...files];
      execFileSync("gcc", args, { cwd: SDK, stdio: "pipe" });
    });
  }
});
