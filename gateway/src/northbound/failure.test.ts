/** Every failure says why in plain words and what to do. */
import { describe, expect, test } from "vitest";
import { failureOfConnack5, failureOfConnack311, failureOfDisconnect, reasonText } from "./connack-failure.js";
import { targetOf } from "./dial.js";
import { type FailureContext, failureOfError } from "./failure.js";

const CONTEXT: FailureContext = { host: "broker.lan", port: 8883, hasUsername: true, secure: true };
const withCode = (code: string): Error => Object.assign(new Error(code), { code });

describe("socket and TLS errors", () => {
  test.each([
    ["ECONNREFUSED", "network", "connection refused by broker.lan:8883", "listener 1883"],
    ["ENOTFOUND", "network", "broker.lan cannot be resolved", "DNS"],
    ["ETIMEDOUT", "network", "cannot be reached", "firewall"],
    ["ECONNRESET", "network", "cut the connection", "log"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "refused", "certificate does not name broker.lan", "a name of the certificate"],
    ["SELF_SIGNED_CERT_IN_CHAIN", "refused", "not issued by a CA this gateway trusts", "set ca to"],
    ["CERT_HAS_EXPIRED", "refused", "has expired", "clock"],
    ["CERT_NOT_YET_VALID", "refused", "not valid yet", "clock"],
    ["EPROTO", "refused", "no TLS is spoken", "mqtt://"],
    ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", "refused", "TLS with broker.lan failed", "check cert and key"],
    ["EWHATEVER", "network", "EWHATEVER", "log"],
  ])("%s", (code, kind, why, fix) => {
    const failure = failureOfError(withCode(code), CONTEXT);
    expect(failure.kind).toBe(kind);
    expect(failure.why).toContain(why);
    expect(failure.fix).toContain(fix);
  });

  test("failures of every address of a name are told as one", () => {
    const all = new AggregateError([withCode("ECONNREFUSED"), withCode("ENETUNREACH")]);
    expect(failureOfError(all, CONTEXT).why).toContain("connection refused");
  });

  test("a refused connection on this machine is not blamed on Mosquitto's default", () => {
    expect(failureOfError(withCode("ECONNREFUSED"), { ...CONTEXT, host: "localhost" }).fix).not.toContain("Mosquitto");
  });
});

describe("what a broker says", () => {
  test.each([
    [0x84, "version"],
    [0x85, "refused"],
    [0x86, "refused"],
    [0x87, "refused"],
    [0x8a, "refused"],
    [0x8c, "refused"],
    [0x9a, "refused"],
    [0x88, "network"],
    [0x89, "network"],
    [0x97, "network"],
    [0xff, "network"],
  ])("CONNACK %i of MQTT 5 is %s", (code, kind) => {
    expect(failureOfConnack5(code, CONTEXT)).toMatchObject({ kind, why: expect.stringContaining("CONNACK") });
  });

  test.each([
    [1, "version"],
    [2, "refused"],
    [3, "network"],
    [4, "refused"],
    [5, "refused"],
  ])("CONNACK %i of MQTT 3.1.1 is %s", (code, kind) => {
    expect(failureOfConnack311(code, CONTEXT).kind).toBe(kind);
  });

  test("without a user name, not authorized hints at anonymous access", () => {
    expect(failureOfConnack311(5, { ...CONTEXT, hasUsername: false }).fix).toContain("allow_anonymous");
  });

  test("a session that was taken over names the client id, and is no poison", () => {
    expect(failureOfDisconnect(0x8e)).toMatchObject({ fix: expect.stringContaining("clientId") });
    expect(failureOfDisconnect(0x8e).byBroker).toBeUndefined();
    expect(failureOfDisconnect(0x95).byBroker).toBe(true);
  });

  test("an unknown code still has its number", () => {
    expect(reasonText(0xab)).toBe("unknown reason (0xab)");
  });
});

test.each([
  ["mqtt://broker.lan", { host: "broker.lan", port: 1883, tls: null }],
  ["mqtts://broker.lan", { host: "broker.lan", port: 8883, tls: {} }],
  ["mqtt://[::1]:2000", { host: "::1", port: 2000, tls: null }],
  ["mqtt://user:secret@h", { host: "h", port: 1883, tls: null }],
  ["http://broker.lan", null],
  ["file:///etc/passwd", null],
  ["broker.lan:1883", null],
  ["", null],
])("the url %s", (url, target) => {
  expect(targetOf(url, undefined)).toEqual(target);
});
