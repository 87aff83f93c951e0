/** What a device says right now, and what it can be told. */
import { useMemo } from "preact/hooks";
import type { DeviceView } from "../../../src/admin/api-schemas.js";
import { CommandControl } from "../controls/command-control.js";
import { controlsOf } from "../controls/control-shape.js";
import { ReadingValues } from "../parts/reading-value.js";

/** Big values with unit and age; controls drawn from the catalog. */
export function DeviceLive({ device }: { readonly device: DeviceView }) {
  const { commands, signals } = device;
  const controls = useMemo(() => controlsOf({ commands, signals }), [commands, signals]);
  return (
    <div class="live">
      <section class={`big device-${device.presence}`} aria-label="Values">
        <ReadingValues device={device} />
      </section>
      <section aria-labelledby="controls">
        <h3 id="controls">Controls</h3>
        {controls.length === 0 ? (
          <p class="empty">
            This device names no commands. It can still be sent one:{" "}
            <code>npx tidegate send {device.id} my-command</code>.
          </p>
        ) : (
          <div class="controls">
            {controls.map((control) => (
              <CommandControl key={control.command} device={device} control={control} />
            ))}
          </div>
        )}
      </section>
    </div>
  );
}
