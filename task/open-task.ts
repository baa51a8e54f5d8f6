/** Reads a task from its contract and its content, and checks that the two say the same. */
import type { TaskReader } from "../chain/task-chain.ts";
import { modelTensors, modelWeightCount } from "../learning/model.ts";
import { ensure, VerisumError } from "../protocol/errors.ts";
import type { PublishedFiles } from "../protocol/ports.ts";
import { assertTaskParameters, layoutOfTask, parametersHash, presetOf } from "../protocol/task.ts";
import type { TaskParameters } from "../protocol/task.ts";
import { cidFromDigest } from "../content/cid.ts";
import { assertBufferable } from "./buffers.ts";
import { openCells } from "./cells.ts";
import { MAX_DOCUMENT_BYTES, parseTaskDocument, TASK_FILE } from "./document.ts";
import type { TaskDocument } from "./document.ts";
import { normBoundOf } from "./encoding.ts";
import { mechanismOf } from "./mechanisms/registry.ts";
import { dimensionOf } from "./model-vector.ts";
import { assertEpsilonBounded } from "./privacy.ts";
import { assertSummable, countsClientsAlike } from "./statistics.ts";
import { assertTrainable } from "./trainer-rules.ts";
import type { OpenTask, TaskCells } from "./opened-task.ts";

/**
 * Reads and checks a task.
 * @param releasesOf what a task of cells knows of its siblings' releases before they finalise; nothing unless told
 * @throws CONTRACT_CODE_UNKNOWN if another contract runs than this release's; PARAMETERS_INVALID if the contract's
 * parameters break a rule of the protocol; TASK_DOCUMENT_INVALID; PRIVACY_PARAMETERS_INVALID if no epsilon can be
 * stated of a private task; TRAINER_PRIVACY_UNCHECKED; CELLS_GROUP_INVALID; chain and store errors
 */
export async function openTask<Store extends PublishedFiles>(
  chain: TaskReader,
  store: Store,
  releasesOf: TaskCells["releasesOf"] = async () => [],
): Promise<OpenTask & { readonly store: Store }> {
  const parameters = await chain.parameters();
  assertTaskParameters(parameters);
  const hash = parametersHash(parameters);
  if (hash !== (await chain.parametersHash())) {
    throw new VerisumError("CONTRACT_MISMATCH", "the contract's parameter hash is not the hash of its parameters");
  }
  await chain.requireReleasedCode();
  const document = await loadTaskDocument(store, parameters);
  assertTrainable(document);
  assertSummable(document, parameters, "TASK_DOCUMENT_INVALID");
  assertBufferable(document, parameters, "TASK_DOCUMENT_INVALID");
  const tensors = modelTensors(document.model);
  const dimension = dimensionOf(document, modelWeightCount(document.model));
  if (dimension !== parameters.dimension) {
    throw new VerisumError(
      "TASK_DOCUMENT_INVALID",
      `the model's vector has ${dimension} coordinates, the contract says ${parameters.dimension}`,
      { count: dimension, dimension: parameters.dimension },
    );
  }
  assertEpsilonBounded({ document, parameters });
  const task = {
    chain,
    store,
    parameters,
    parametersHash: hash,
    document,
    layout: layoutOfTask(parameters),
    tensors,
  };
  if (document.cells === undefined) return task;
  return { ...task, cells: { ...(await openCells(chain, hash, document.cells.group)), releasesOf } };
}

/**
 * Fetches a task's document and checks that it says what the contract enforces.
 * @throws TASK_DOCUMENT_INVALID, and whatever the store throws
 */
async function loadTaskDocument(store: PublishedFiles, parameters: TaskParameters): Promise<TaskDocument> {
  const bytes = await store.getFile(cidFromDigest(parameters.taskCid), TASK_FILE, { maxBytes: MAX_DOCUMENT_BYTES });
  const document = parseTaskDocument(bytes);
  ensure(
    document.preset === presetOf(parameters).name,
    "TASK_DOCUMENT_INVALID",
    "the document contradicts its contract: preset and coordinateBits",
  );
  ensure(
    normBoundOf(document, parameters.dimension) === parameters.normBoundSquared,
    "TASK_DOCUMENT_INVALID",
    "the document contradicts its contract: quantisation, noise and normBoundSquared",
  );
  const { guarantee } = mechanismOf(document.training.privacy);
  ensure(
    guarantee === null || (parameters.privacyCostPerRound === 1n && parameters.privacyBudget > 0n),
    "TASK_DOCUMENT_INVALID",
    "the document contradicts its contract: the ledger counts private rounds",
  );
  ensure(
    !countsClientsAlike(document) || parameters.uniformWeights,
    "TASK_DOCUMENT_INVALID",
    "the document contradicts its contract: weights are uniform where clients are protected as a whole or counted",
  );
  return document;
}
