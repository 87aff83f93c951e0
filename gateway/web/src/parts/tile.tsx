/** One number with its name, and a line that explains it. */
import type { ComponentChildren } from "preact";

interface TileProps {
  readonly name: string;
  readonly detail?: ComponentChildren;
  readonly isProblem?: boolean;
  /** Beside the number, e.g. a sparkline. */
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
}

/** Stands in a `dl.tiles`. */
export function Tile({ name, detail, isProblem = false, aside, children }: TileProps) {
  return (
    <div class={isProblem ? "tile problem" : "tile"}>
      <dt>{name}</dt>
      <dd>
        <b>{children}</b>
        {aside}
        {detail === undefined ? null : <small>{detail}</small>}
      </dd>
    </div>
  );
}
