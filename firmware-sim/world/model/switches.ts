/** The rules that a model can be made to break, one by one: the marked ones of proto/PROTOCOL.md. */

/** Names of rules, or of a part of one, that are switched off. */
export type Switches = ReadonlySet<string>;

/** Every rule is kept. */
export const ALL_ON: Switches = new Set();
