/** The live page: numbers on top, devices below. */
import { DeviceList } from "../parts/device-list.js";
import { Overview } from "../parts/overview.js";

/** What is seen first. */
export function LivePage() {
  return (
    <>
      <Overview />
      <DeviceList />
    </>
  );
}
