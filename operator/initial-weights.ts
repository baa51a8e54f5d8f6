/** The weights that a task begins with: from a file of the operator's, or drawn. */
import { frozenTensors, isExternal } from "../learning/external-model.ts";
import { firstWeights, modelTensors, modelWeightCount } from "../learning/model.ts";
import { joinWeights } from "../learning/named-tensors.ts";
import { decodeSafetensors } from "../learning/safetensors.ts";
import { isStatistics } from "../learning/statistics/statistics-model.ts";
import { ensure } from "../protocol/errors.ts";
import { readUserFile, refuseWith } from "../storage/user-file.ts";
import type { TaskSpecification } from "../task/create-task.ts";

/** What Node reads of a file at once. */
const MAX_FILE_BYTES = 2 ** 31 - 1;

/**
 * @param file a safetensors file with the model's trained tensors; those that are frozen are left out, whatever their
 * type
 * @throws MODEL_INITIAL_INVALID, SAFETENSORS_INVALID, MODEL_NOT_FINITE; MODEL_INITIAL_INVALID as well for an external
 * model without a file
 */
export async function initialWeights(
  { document: { model }, initialSeed }: Pick<TaskSpecification, "document" | "initialSeed">,
  file: string | undefined,
): Promise<Float32Array> {
  if (isStatistics(model)) {
    ensure(file === undefined, "MODEL_INITIAL_INVALID", "a task of statistics begins with zeros: leave --initial out");
    return new Float32Array(modelWeightCount(model));
  }
  if (file !== undefined) return weightsIn(await readInitial(file), model);
  ensure(
    !isExternal(model),
    "MODEL_INITIAL_INVALID",
    "an external model needs its first weights: give a safetensors file with --initial",
  );
  return firstWeights(model, initialSeed);
}

function readInitial(file: string): Promise<Uint8Array> {
  return readUserFile(file, MAX_FILE_BYTES, refuseWith("MODEL_INITIAL_INVALID", file, { file }));
}

/** @throws MODEL_INITIAL_INVALID, SAFETENSORS_INVALID, MODEL_NOT_FINITE */
function weightsIn(bytes: Uint8Array, model: unknown): Float32Array {
  const { tensors, others } = decodeSafetensors(bytes, { float64: true, others: true });
  const frozen = new Set(isExternal(model) ? frozenTensors(model).map(({ name }) => name) : []);
  const untrainable = others.find(({ name }) => !frozen.has(name));
  ensure(
    untrainable === undefined,
    "MODEL_INITIAL_INVALID",
    `tensor ${untrainable?.name} is ${untrainable?.dtype}: only F32 and F64 can be trained; list it as a parameter that is not trainable`,
  );
  const trained = tensors.filter(({ name }) => !frozen.has(name));
  return joinWeights(modelTensors(model), trained, "MODEL_INITIAL_INVALID");
}
