import type * as tensorflow from "@tensorflow/tfjs-core";

/**
 * The numerical library, passed as an argument: every role reads descriptions of models, few train, and loading it
 * takes a third of a second.
 */
export type TensorFlow = typeof tensorflow;

/**
 * Runs `work` and frees its tensors, also if it throws. Its result is plain data, which `tf.tidy` would search for
 * tensors value by value.
 */
export function scoped<T>(tf: TensorFlow, work: () => T): T {
  tf.engine().startScope();
  try {
    return work();
  } finally {
    tf.engine().endScope();
  }
}
