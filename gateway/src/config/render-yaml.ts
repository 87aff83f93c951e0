/** A configuration tree as YAML, with a note behind the settings that have one. Edge room `config`. */
import { Document, isMap, isScalar, isSeq } from "yaml";
import { type SettingPath, settingName } from "./problems.js";

/**
 * @param tree plain data.
 * @param notes comment by name of the setting: `devices.keepalive`, `sinks[0].url`.
 */
export function renderYaml(tree: Record<string, unknown>, notes: ReadonlyMap<string, string>): string {
  const document = new Document(tree);
  annotate(document.contents, [], notes);
  return document.toString({ lineWidth: 0 });
}

function annotate(node: unknown, path: SettingPath, notes: ReadonlyMap<string, string>): void {
  if (isMap(node)) {
    for (const pair of node.items) {
      if (isScalar(pair.key)) annotate(pair.value, [...path, String(pair.key.value)], notes);
    }
  } else if (isSeq(node)) {
    for (const [index, item] of node.items.entries()) annotate(item, [...path, index], notes);
  } else if (isScalar(node)) {
    const note = notes.get(settingName(path));
    if (note !== undefined) node.comment = ` ${note}`;
  }
}
