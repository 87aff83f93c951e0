/** The few calls of the gateway's HTTP API that a simulator needs: list devices, add one, replace a credential. */
import { request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { request as httpsRequest } from "node:https";
import { type Credential, credentialOf } from "./credential.js";
import type { GatewayAddress } from "./gateway-address.js";
import { isRecord } from "./record.js";
import { messageOf, SimError, unreachable } from "./sim-error.js";

/** A device that the gateway knows. */
export interface KnownDevice {
  readonly id: string;
  /** What its firmware said it is; empty before its first contact. */
  readonly model: string;
  readonly revoked: boolean;
}

/** Silence after which a call fails, in ms. */
const IDLE_MS_MAX = 30_000;
/** Largest answer that is read: ten thousand devices fit. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;

/** Speaks to one gateway. Every failure is a SimError: 3 when nobody answers, else what the gateway said. */
export class AdminClient {
  readonly #address: GatewayAddress;

  constructor(address: GatewayAddress) {
    this.#address = address;
  }

  /** @throws SimError */
  async devices(): Promise<KnownDevice[]> {
    const answer = await this.#call("GET", "/api/v1/devices", null);
    const list = isRecord(answer) && Array.isArray(answer["devices"]) ? answer["devices"] : [];
    return list.filter(isRecord).map((device) => ({
      id: String(device["id"]),
      model: String(device["model"] ?? ""),
      revoked: device["revoked"] === true,
    }));
  }

  /** Add a device. @throws SimError */
  add(deviceId: string, name: string): Promise<Credential> {
    return this.#credential("/api/v1/devices", { deviceId, name });
  }

  /** A new token for a device; the old one ends. @throws SimError */
  replace(deviceId: string): Promise<Credential> {
    return this.#credential(`/api/v1/devices/${encodeURIComponent(deviceId)}/credential`, null);
  }

  async #credential(path: string, body: unknown): Promise<Credential> {
    const credential = credentialOf(await this.#call("POST", path, body));
    if (credential !== null) return credential;
    throw unreachable(`${this.#address.url.origin} answered something else than a gateway of this version does`);
  }

  async #call(method: string, path: string, body: unknown): Promise<unknown> {
    const { url, token, ca } = this.#address;
    const text = body === null ? "" : JSON.stringify(body);
    const headers: Record<string, string> = { accept: "application/json", authorization: `Bearer ${token}` };
    if (text !== "") headers["content-type"] = "application/json";
    headers["content-length"] = String(Buffer.byteLength(text));
    let answer: { status: number; text: string };
    try {
      answer = await exchange(new URL(path, url), { method, headers, ...(ca === null ? {} : { ca }) }, text);
    } catch (error) {
      throw unreachable(`${url.origin} does not answer: ${messageOf(error)}`);
    }
    const value = parse(answer.text);
    if (answer.status < 300) return value;
    throw refusal(answer.status, value);
  }
}

function exchange(
  url: URL,
  options: RequestOptions & { ca?: string },
  text: string,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const onAnswer = (answer: IncomingMessage): void => {
      readText(answer).then((read) => resolve({ status: answer.statusCode ?? 0, text: read }), reject);
    };
    // No agent: a kept-alive connection would keep this process from ending.
    const quiet = { ...options, agent: false } as const;
    const sent = url.protocol === "https:" ? httpsRequest(url, quiet, onAnswer) : httpRequest(url, quiet, onAnswer);
    sent.setTimeout(IDLE_MS_MAX, () => sent.destroy(new Error(`no answer for ${IDLE_MS_MAX} ms`)));
    sent.on("error", reject);
    sent.end(text);
  });
}

async function readText(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let total = 0;
  for await (const chunk of answer) {
    const bytes = Buffer.from(chunk);
    total += bytes.length;
    if (total > ANSWER_BYTES_MAX) throw new Error(`the answer is longer than ${ANSWER_BYTES_MAX} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // judged by its status
  }
}

function refusal(status: number, value: unknown): SimError {
  const error = isRecord(value) && isRecord(value["error"]) ? value["error"] : null;
  if (error === null) return unreachable(`the answer was HTTP ${status}, not one of a Tidegate gateway`);
  return new SimError(String(error["what"]), String(error["why"]), String(error["fix"]));
}
