/**
 * The scopes in which the delivery rules are explored, and for each rule the one that shows why it is there. A scope is
 * small on purpose: two messages, two or three links, one or two accidents of each kind.
 */
import type { Scope } from "./delivery-state.js";

const BASE = { heldMax: 2, seqMax: 9, isSerial: false, isPersistent: false } as const;

/** In the order of their size; `npm test` looks at all of them, whole. */
export const DELIVERY_SCOPES = {
  end: { ...BASE, name: "the end of the numbers", seqMax: 2, heldMax: 4, budget: { report: 3, link: 1 } },
  refuse: { ...BASE, name: "a full disk", budget: { report: 2, link: 1, refuse: 1 } },
  back: { ...BASE, name: "a device goes back in time", budget: { report: 2, link: 2, image: 1, goBack: 1 } },
  links: { ...BASE, name: "links that end late", budget: { report: 2, link: 2, cut: 1, loseLate: 1 } },
  crash: { ...BASE, name: "the gateway is killed", budget: { report: 2, link: 2, crash: 1 } },
  reboot: { ...BASE, name: "the device reboots", budget: { report: 2, link: 2, reboot: 1 } },
  restore: { ...BASE, name: "the store is restored", budget: { report: 2, link: 2, restore: 2 } },
  serial: {
    ...BASE,
    name: "a noisy serial line",
    isSerial: true,
    budget: { report: 1, link: 1, loseFrame: 1, crash: 1, hello: 1 },
  },
  evict: { ...BASE, name: "the outbox is full", heldMax: 1, budget: { report: 3, link: 1, expire: 1 } },
  persist: {
    ...BASE,
    name: "an outbox on a card, saved lazily",
    isPersistent: true,
    budget: { report: 2, link: 2, reboot: 1, save: 1 },
  },
  reuse: { ...BASE, name: "restored, and rebooted", budget: { report: 2, link: 2, restore: 2, reboot: 1 } },
} as const satisfies Record<string, Scope>;

/** What to switch off, and the scope that shows what comes of it. */
export const DELIVERY_SWITCHES: readonly (readonly [off: string, scope: keyof typeof DELIVERY_SCOPES])[] = [
  ["P-1", "evict"],
  ["P-2", "refuse"],
  ["P-3", "links"],
  ["P-4", "links"],
  ["P-5", "serial"],
  ["P-6", "reuse"],
  ["P-7", "back"],
  ["P-8", "restore"],
  ["P-9", "persist"],
  ["P-10", "end"],
  ["P-11 hello retry", "serial"],
  ["P-11 tail", "serial"],
  ["P-11 say hello", "serial"],
  ["P-12", "evict"],
];

/** The same accidents in larger scopes: for `npm run model`, which has the time. */
export const LARGE_SCOPES: readonly Scope[] = [
  { ...BASE, name: "links, large", budget: { report: 3, link: 3, cut: 2, loseLate: 2 } },
  { ...BASE, name: "crash and full disk, large", budget: { report: 2, link: 3, crash: 2, refuse: 1, cut: 1 } },
  { ...BASE, name: "reboots, large", budget: { report: 2, link: 3, reboot: 2, cut: 1 } },
  { ...BASE, name: "eviction, large", heldMax: 1, budget: { report: 3, link: 2, expire: 1, cut: 1 } },
  { ...BASE, name: "back in time, large", budget: { report: 2, link: 3, image: 1, goBack: 1, reboot: 1 } },
  { ...BASE, name: "restored, large", budget: { report: 2, link: 3, restore: 2, reboot: 1, cut: 1 } },
  { ...BASE, name: "card, large", isPersistent: true, budget: { report: 3, link: 3, reboot: 2, save: 2 } },
  {
    ...BASE,
    name: "serial line, large",
    isSerial: true,
    budget: { report: 2, link: 1, loseFrame: 3, crash: 1, hello: 2, reboot: 1 },
  },
];
