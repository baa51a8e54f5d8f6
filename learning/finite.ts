import { VerisumError } from "../protocol/errors.ts";

/** @throws the code, with the first place that holds NaN or an infinity */
export function assertFinite(
  values: Float32Array,
  code: "MODEL_NOT_FINITE" | "DATASET_VALUE_INVALID" | "TRAINING_DIVERGED",
  message: string,
): void {
  const index = values.findIndex((value) => !Number.isFinite(value));
  if (index >= 0) throw new VerisumError(code, message, { index });
}
