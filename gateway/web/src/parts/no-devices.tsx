/** What stands where devices would be. */

/** Names the two ways to get a first device. */
export function NoDevices() {
  return (
    <p class="empty">
      No devices yet. Add one with <code>npx tidegate device add my-device</code>, or start simulated ones with{" "}
      <code>npx tidegate sim --devices 3</code>.
    </p>
  );
}
