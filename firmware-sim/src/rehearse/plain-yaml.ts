/** Writes plain values as YAML. JSON is YAML 1.2, so nothing more is needed for files that only a program reads. */
export function stringifyYaml(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
