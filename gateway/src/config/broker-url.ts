/** The address of an MQTT broker in the configuration. Edge room `config`. */
import * as z from "zod";

const EXPECTED = "expected an address such as mqtt://broker.lan:1883 or mqtts://broker.lan:8883";

/** A `mqtt://` or `mqtts://` address without credentials, path or query. */
export function brokerUrl(meaning: string) {
  return z
    .string({ error: EXPECTED })
    .max(1024, { error: "must not be longer than 1024 characters" })
    .superRefine((value, context) => {
      const problem = problemOf(value);
      if (problem !== null) context.addIssue({ code: "custom", message: problem });
    })
    .meta({ description: meaning, range: "mqtt://host:port, mqtts://host:port" });
}

function problemOf(value: string): string | null {
  if (!/^mqtts?:\/\/[^/]/.test(value) || !URL.canParse(value)) return EXPECTED;
  const url = new URL(value);
  // The address is logged and shown: a password in it would leak.
  if (url.username !== "" || url.password !== "") return "must not hold credentials: use username and passwordFile";
  if (url.hostname === "") return EXPECTED;
  if ((url.pathname !== "" && url.pathname !== "/") || url.search !== "" || url.hash !== "") {
    return "must be host and port only";
  }
  return null;
}
