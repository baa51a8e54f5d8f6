/** A disk that is full: Linux keeps a device that always is. */
import { statSync } from "node:fs";
import type { AsyncFunc, Context } from "mocha";

export const FULL_DEVICE = "/dev/full";

/** A test's body that needs the device: without it the test is listed as skipped. */
export function onFullDevice(body: () => void | Promise<void>): AsyncFunc {
  return async function (this: Context) {
    if (statSync(FULL_DEVICE, { throwIfNoEntry: false })?.isCharacterDevice() !== true) this.skip();
    await body();
  };
}
