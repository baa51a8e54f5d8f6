/** Windows side by side over an image, or over the steps of a series; what does not fill one is left out. */
import type { Window } from "../export/operations.ts";
import { invalidModel } from "./layer.ts";

export interface Pooling {
  /** `side` by `side`; of a series, [steps, 1, channels], `side` steps. */
  readonly window: Window;
  readonly outputShape: readonly number[];
}

/** @throws MODEL_DESCRIPTION_INVALID if no window fits, or the input is a row */
export function poolingOf(side: number, inputShape: readonly number[]): Pooling {
  const [height = 0, width = 0, channels = 0] = inputShape;
  if (inputShape.length !== 3) throw invalidModel("pooling takes images: height, width, channels");
  const window = [side, width === 1 ? 1 : side] as const;
  const outputShape = [Math.floor(height / window[0]), Math.floor(width / window[1]), channels];
  if (outputShape.includes(0)) throw invalidModel("pooling leaves no pixel of the image");
  return { window, outputShape };
}
