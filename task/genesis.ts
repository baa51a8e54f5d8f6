/** A task's first model: its files follow from the document and the integers alone. */
import type { ModelState } from "../protocol/model.ts";
import type { Hex } from "../protocol/transcript.ts";
import { cidFromDigest } from "../content/cid.ts";
import { checkpointFiles } from "./checkpoint.ts";
import type { TensorShape } from "./checkpoint.ts";
import type { TaskDocument } from "./document.ts";

/** @param taskCid of the document; no contract is known yet, so the files name none */
export function genesisFiles(
  document: TaskDocument,
  tensors: readonly TensorShape[],
  state: ModelState,
  taskCid: Hex,
): ReturnType<typeof checkpointFiles> {
  const origin = {
    task: { name: document.name, chainId: null, contract: null, taskCid: cidFromDigest(taskCid) },
    round: 0,
    parentCid: null,
    clients: [],
    totalWeight: 0,
    aggregateCid: null,
    privacy: null,
  };
  return checkpointFiles(document, tensors, state, origin, null);
}
