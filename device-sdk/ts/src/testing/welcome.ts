/** The answer of a gateway to the latest Hello of a link, for tests. */
import type { Hello, Welcome } from "@tidegate/proto";
import type { FakeLink } from "./fake-link.js";

export const EPOCH = 0xe0001;

/** The last Hello on this link. */
export function lastHello(link: FakeLink): Hello {
  const hello = link.bodies("hello").at(-1)?.hello;
  if (!hello) throw new Error("no hello was sent on this link");
  return hello;
}

/** Answer the last Hello: by default with the epoch it asked for, or a first one. */
export function welcome(link: FakeLink, answer: Partial<Welcome> = {}): void {
  const { attempt, bootNonce, epoch } = lastHello(link);
  link.say({
    kind: "welcome",
    welcome: {
      attempt,
      bootNonce,
      epoch: epoch || EPOCH,
      ackedSeq: 0,
      keepaliveMs: 30_000,
      window: 64,
      unixMs: 1_700_000_000_000,
      wantCatalog: false,
      maxUplinkBytes: 0,
      ...answer,
    },
  });
}
