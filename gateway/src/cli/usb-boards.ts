/**
 * Boards by the USB number of their serial port, as the files of `hardware/boards` have them; `npm run check` keeps the
 * two equal. A bridge chip's number says what a port probably is: other products have the same chip.
 */
const USB_BOARDS: ReadonlyMap<string, string> = new Map([
  ["0d28:0204", "microbit"],
  ["10c4:ea60", "esp32-c3-devkitm"],
  ["1a86:7523", "arduino-uno"],
  ["2341:0042", "arduino-mega"],
  ["2341:0043", "arduino-uno"],
  ["2a03:0042", "arduino-mega"],
  ["2a03:0043", "arduino-uno"],
  ["2e8a:000a", "rpi-pico-w"],
]);

/** Id of the board file, or null. `usbId` is `vendor:product` in hex, in either case. */
export function boardOfUsb(usbId: string | null): string | null {
  return usbId === null ? null : (USB_BOARDS.get(usbId.toLowerCase()) ?? null);
}
