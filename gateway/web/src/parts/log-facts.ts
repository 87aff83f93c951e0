/** The facts of a log line as text. Pure. */

/** `key=value` pairs; texts as they are, everything else as JSON. */
export function factsText(facts: Readonly<Record<string, unknown>>): string {
  return Object.entries(facts)
    .map(([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ");
}
