/**
 * The kinds of board that the simulator can run, each a real firmware image on an emulated machine. The profiles in
 * `hardware/boards` name emulator, machine and image; `native` is the same SDK as a process of this machine.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { isRecord } from "../record.js";
import { SimError, usageError } from "../sim-error.js";
import { SOURCE_NEEDS } from "./source-packages.js";

/** A program with its arguments, and what it needs of the environment. */
export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** One board that is to run. */
export interface BoardSeat {
  /** Socket that stands for its UART; the emulator connects to it. */
  readonly uart: string;
  /** File with its identity page. */
  readonly page: string;
  readonly id: string;
  /** A secret. */
  readonly token: string;
  readonly intervalMs: number;
  /** Address of the gateway for devices; boards on a serial line do not use it. */
  readonly url?: string;
}

/** One kind of board. */
export interface BoardKind {
  /** Name on the command line. */
  readonly name: string;
  /** What its firmware says it is in its Hello. */
  readonly model: string;
  /** Folder and target for `make`. */
  readonly folder: string;
  readonly targets: readonly string[];
  /** Programs it takes to build and to run it, with the Debian packages that bring them. */
  readonly needs: Readonly<Record<string, string>>;
  /** Debian source packages that its image is made from; for each the variable of `make` that names its folder. */
  readonly sources: Readonly<Record<string, string>>;
  readonly link: "serial" | "ethernet";
  /** Runs the board. @param build folder of the images */
  command(build: string, seat: BoardSeat): Command;
}

/** The checkout. */
export const REPOSITORY = fileURLToPath(new URL("../../..", import.meta.url));
/** Where the images are made from. */
export const FIRMWARE_FOLDER = join(REPOSITORY, "firmware-sim", "firmware");
const C_FOLDER = join(REPOSITORY, "device-sdk", "c");
const PROFILES = join(REPOSITORY, "hardware", "boards");

const ARM = { "arm-none-eabi-gcc": "gcc-arm-none-eabi libnewlib-arm-none-eabi", "qemu-system-arm": "qemu-system-arm" };
const AVR = { "avr-gcc": "gcc-avr avr-libc", simavr: "simavr libsimavr-dev libelf-dev" };
const MAKE = { make: "make", gcc: "gcc", flock: "util-linux" };

/** The kind of that name. @throws SimError usage, naming those there are */
export function boardKind(name: string): BoardKind {
  const kinds = boardKinds();
  const kind = kinds.find((each) => each.name === name);
  if (kind !== undefined) return kind;
  throw usageError(`there is no board "${name}"`, `use one of ${kinds.map((each) => each.name).join(", ")}`);
}

/** All kinds, in order of their names. @throws SimError when the simulator does not run from a checkout */
export function boardKinds(): BoardKind[] {
  let files: string[];
  try {
    files = readdirSync(PROFILES).filter((name) => name.endsWith(".yaml"));
  } catch {
    const fix = "clone the repository and run it from there";
    throw new SimError("emulated boards need the repository", `there is no ${PROFILES}`, fix);
  }
  const kinds = files.flatMap((file) => kindOf(parse(readFileSync(join(PROFILES, file), "utf8"))) ?? []);
  return [...kinds, NATIVE, ETHERNET].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The kind that a profile describes; null for boards without an emulator. */
function kindOf(profile: unknown): BoardKind | null {
  const emulator = isRecord(profile) ? profile["emulator"] : null;
  if (!isRecord(emulator)) return null;
  const field = (key: string): string => String(emulator[key] ?? "");
  const [name, program, machine, image] = [field("kind"), field("program"), field("machine"), field("image")];
  if (name === "") return null;
  const base = { name, model: machine, folder: FIRMWARE_FOLDER, sources: {}, link: "serial" as const };
  if (program === "simavr") {
    const command = (build: string, { uart, page }: BoardSeat): Command => ({
      program: join(build, "run-avr"),
      args: [machine, join(build, image), uart, page],
      env: {},
    });
    return { ...base, targets: [image, "run-avr"], needs: { ...MAKE, ...AVR }, command };
  }
  const command = (build: string, { uart, page }: BoardSeat): Command => ({
    program: "qemu-system-arm",
    args: [
      ...["-M", machine, "-kernel", join(build, image), "-display", "none", "-monitor", "none", "-nodefaults"],
      ...["-serial", `unix:${uart}`, "-device", `loader,file=${page},addr=${field("identityAt")},force-raw=on`],
    ],
    env: {},
  });
  return { ...base, targets: [image], needs: { ...MAKE, ...ARM }, command };
}

const NATIVE: BoardKind = {
  name: "native",
  model: "native-demo",
  folder: C_FOLDER,
  targets: ["native-demo"],
  needs: MAKE,
  sources: {},
  link: "serial",
  command: (build, { id, uart, token, intervalMs }) => ({
    program: join(build, "native-demo"),
    args: ["--id", id, "--serial", uart, "--interval-ms", String(Math.max(1, Math.round(intervalMs)))],
    env: { TIDEGATE_TOKEN: token },
  }),
};

/** The last 4 KB of its flash. */
const ETHERNET_PAGE_AT = "0x3f000";

/** A Cortex-M3 with 64 KB of RAM and Ethernet: a WebSocket over lwIP, and TLS when the gateway has it. */
const ETHERNET: BoardKind = {
  name: "ethernet",
  model: "lm3s6965evb",
  folder: join(FIRMWARE_FOLDER, "network"),
  targets: ["lm3s6965.elf", "lm3s6965-tls.elf"],
  needs: { ...MAKE, ...ARM, ...SOURCE_NEEDS },
  sources: { lwip: "LWIP", mbedtls: "MBEDTLS" },
  link: "ethernet",
  command: (build, { uart, page, url }) => ({
    program: "qemu-system-arm",
    args: [
      ...["-M", "lm3s6965evb", "-display", "none", "-monitor", "none", "-nic", "user,model=stellaris"],
      ...["-kernel", join(build, url?.startsWith("ws:") ? "lm3s6965.elf" : "lm3s6965-tls.elf")],
      ...["-serial", `unix:${uart}`, "-device", `loader,file=${page},addr=${ETHERNET_PAGE_AT},force-raw=on`],
    ],
    env: {},
  }),
};
