/** The effective configuration as lines, one per setting, each with where it came from. Pure. */

export interface SettingLine {
  /** `devices.keepalive`, `sinks[0].url`. */
  readonly name: string;
  readonly value: string;
  /** `default`, `file:line`, or the variable's name. */
  readonly source: string;
}

const LINES_MAX = 2000;

/** Leaves of the tree in its order. */
export function settingLines(effective: unknown, sources: Readonly<Record<string, string>>): SettingLine[] {
  const lines: SettingLine[] = [];
  const walk = (value: unknown, name: string): void => {
    if (lines.length >= LINES_MAX) return;
    if (Array.isArray(value) && value.length > 0) {
      for (const [i, item] of value.entries()) walk(item, `${name}[${i}]`);
    } else if (typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length > 0) {
      for (const [key, item] of Object.entries(value)) walk(item, name === "" ? key : `${name}.${key}`);
    } else {
      lines.push({ name, value: valueWords(value), source: sources[name] ?? "default" });
    }
  };
  walk(effective, "");
  return lines;
}

function valueWords(value: unknown): string {
  if (typeof value === "string") return value;
  return Array.isArray(value) ? "none" : JSON.stringify(value);
}
