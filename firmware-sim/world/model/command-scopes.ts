/** The scopes in which the rules of commands are explored, and for each rule the one that shows why it is there. */
import type { CommandScope } from "./command-model.js";

const ONCE = { delivery: "atMostOnce", isPersistent: false } as const;
const LEAST = { delivery: "atLeastOnce", isPersistent: false } as const;

/** Small ones: one or two commands, one or two accidents of each kind. */
export const COMMAND_SCOPES = {
  links: { ...ONCE, name: "links and deadlines", budget: { ask: 1, cut: 2, past: 1 } },
  reboot: { ...ONCE, name: "the device reboots", budget: { ask: 1, cut: 1, reboot: 1, past: 1 } },
  crash: { ...ONCE, name: "the gateway is killed", budget: { ask: 1, cut: 1, crash: 1, past: 1 } },
  restore: { ...ONCE, name: "the store is restored", budget: { ask: 1, restore: 2, past: 1 } },
  noise: { ...ONCE, name: "a noisy line, two commands", budget: { ask: 2, loseFrame: 1, cut: 1 } },
  two: { ...ONCE, name: "two commands, and the gateway is killed", budget: { ask: 2, crash: 1 } },
  card: { ...ONCE, name: "a card", isPersistent: true, budget: { ask: 1, cut: 1, reboot: 2, past: 1 } },
  again: { ...LEAST, name: "at least once", budget: { ask: 1, cut: 1, reboot: 1, crash: 1, past: 1 } },
} as const satisfies Record<string, CommandScope>;

/** What to switch off, and the scope that shows what comes of it. */
export const COMMAND_SWITCHES: readonly (readonly [off: string, scope: keyof typeof COMMAND_SCOPES])[] = [
  ["P-15", "crash"],
  ["P-15 ids", "two"],
  ["P-16", "links"],
  ["P-16 expired", "links"],
  ["P-17", "noise"],
  ["P-18", "reboot"],
  ["P-19", "noise"],
  ["P-20", "restore"],
];

/** The same accidents in larger scopes: for `npm run model`. */
export const LARGE_COMMAND_SCOPES: readonly CommandScope[] = [
  { ...ONCE, name: "two at most once", budget: { ask: 2, cut: 2, reboot: 1, crash: 1, past: 2 } },
  { ...LEAST, name: "two at least once", budget: { ask: 2, cut: 2, reboot: 1, crash: 1, past: 2 } },
  { ...ONCE, name: "two on a noisy line", budget: { ask: 2, cut: 1, loseFrame: 2, crash: 1, past: 2 } },
  { ...ONCE, name: "two, restored", budget: { ask: 2, cut: 1, restore: 2, reboot: 1, past: 2 } },
];
