/** A task as every role opens it: parameters checked, document fetched, layout known. */
import { VerisumError } from "../protocol/errors.ts";
import type { Layout } from "../protocol/layout.ts";
import type { VectorCommitter } from "../protocol/ports.ts";
import { assertTaskParameters, layoutOfTask, parametersHash } from "../protocol/task.ts";
import type { TaskParameters } from "../protocol/task.ts";
import type { Hex } from "../protocol/transcript.ts";
import type { TaskReader } from "../chain/task-chain.ts";
import type { ContentStore } from "../content/store.ts";
import { modelTensors } from "../learning/model.ts";
import type { TensorShape } from "./checkpoint.ts";
import { openCells } from "./cells.ts";
import type { TaskCells } from "./cells.ts";
import { loadTaskDocument } from "./document.ts";
import type { TaskDocument } from "./document.ts";
import { dimensionOf } from "./model-vector.ts";
import { assertEpsilonBounded } from "./privacy.ts";

export interface TaskSession {
  readonly chain: TaskReader;
  readonly store: ContentStore;
  readonly parameters: TaskParameters;
  readonly parametersHash: Hex;
  readonly document: TaskDocument;
  readonly layout: Layout;
  readonly tensors: readonly TensorShape[];
  /** Of a task whose document names a group. */
  readonly cells?: TaskCells;
}

/** A session with the task's powers of tau at hand. */
export interface CommittingSession extends TaskSession {
  readonly committer: VectorCommitter;
}

/**
 * Reads and checks a task.
 * @throws PARAMETERS_INVALID if the contract's parameters break a rule of the protocol; TASK_DOCUMENT_INVALID;
 * PRIVACY_PARAMETERS_INVALID if no epsilon can be stated of a private task; CELLS_GROUP_INVALID; chain and store errors
 */
export async function openTask(chain: TaskReader, store: ContentStore): Promise<TaskSession> {
  const parameters = await chain.parameters();
  assertTaskParameters(parameters);
  const hash = parametersHash(parameters);
  if (hash !== (await chain.parametersHash())) {
    throw new VerisumError("PARAMETERS_INVALID", "the contract's parameter hash is not the hash of its parameters");
  }
  const document = await loadTaskDocument(store, parameters);
  const tensors = modelTensors(document.model);
  const count = tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  const dimension = dimensionOf(document, count);
  if (dimension !== parameters.dimension) {
    throw new VerisumError(
      "TASK_DOCUMENT_INVALID",
      `the model's vector has ${dimension} coordinates, the contract says ${parameters.dimension}`,
      { count: dimension, dimension: parameters.dimension },
    );
  }
  assertEpsilonBounded({ document, parameters });
  const session = {
    chain,
    store,
    parameters,
    parametersHash: hash,
    document,
    layout: layoutOfTask(parameters),
    tensors,
  };
  return document.cells === undefined
    ? session
    : { ...session, cells: await openCells(chain, hash, document.cells.group) };
}
