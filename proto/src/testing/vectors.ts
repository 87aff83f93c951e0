/**
 * Loads the golden vectors for tests and turns the texts that JSON needed back into values (vectors/README.md).
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { DecodeErrorCode } from "../decode-error.js";
import type { Downlink, Uplink } from "../messages.js";
import type { StreamStats } from "../stream-frame.js";

export interface MessageVector<T> {
  name: string;
  rule?: string;
  hex: string;
  decodeOnly?: boolean;
  meaning: T;
}

export interface InvalidVector {
  name: string;
  rule?: string;
  link: "uplink" | "downlink";
  hex: string;
  error: DecodeErrorCode;
}

export interface CatalogVector {
  name: string;
  rule: string;
  parts: string[];
  hash: number;
}

export interface StreamVector {
  name: string;
  rule: string;
  wire: string;
  messages: string[];
  stats: StreamStats;
  messageBytesMax?: number;
  decodeOnly?: boolean;
}

export const uplinkVectors = load("uplink.json") as MessageVector<Uplink>[];
export const downlinkVectors = load("downlink.json") as MessageVector<Downlink>[];
export const invalidVectors = load("invalid.json") as InvalidVector[];
export const catalogVectors = load("catalog.json") as CatalogVector[];
export const streamVectors = load("stream.json") as StreamVector[];

export function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** How a test names a vector: the rule it stands for, when there is one, and its own name. */
export function titleOf({ name, rule }: { name: string; rule?: string }): string {
  return rule === undefined ? name : `[${rule}] ${name}`;
}

function load(file: string): unknown {
  const path = fileURLToPath(new URL(`../../vectors/${file}`, import.meta.url));
  return JSON.parse(readFileSync(path, "utf8"), (_key, value: unknown) => revive(value));
}

function revive(value: unknown): unknown {
  if (typeof value !== "string") return value;
  if (value.startsWith("hex:")) return bytesOf(value.slice(4));
  if (value.startsWith("int:")) return BigInt(value.slice(4));
  return value.startsWith("float:") ? Number(value.slice(6)) : value;
}
