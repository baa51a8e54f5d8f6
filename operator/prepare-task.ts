/** The steps from a specification to a deployment, shared by create-task, the demo and the tests. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { openCurve } from "../proving/node/open-curve.ts";
import { createContentStore } from "../content/store.ts";
import { initialWeightsOf, modelTensors, parameterCountOf, parseModel } from "../learning/model.ts";
import { ensureDevKeys } from "../proving/groth16/ensure-keys.ts";
import { createTask, layoutOfSpecification, parseSpecification } from "../task/create-task.ts";
import type { PrivacyTarget, TaskSpecification } from "../task/create-task.ts";
import { adaptiveClipLine, plannedPrivacyLine, privacySummary } from "../task/privacy-summary.ts";
import { VerisumError } from "../protocol/errors.ts";
import type { RandomBytes } from "../protocol/random.ts";
import type { TaskParameters } from "../protocol/task.ts";
import { toHex } from "../protocol/transcript.ts";
import type { Hex } from "../protocol/transcript.ts";
import { encodeVerificationKeys, hashVerificationKeys } from "../protocol/verification-key.ts";
import type { VerificationKeys } from "../protocol/verification-key.ts";

/** What `deploy` needs: build/task.json. */
export interface PreparedTask {
  readonly parameters: TaskParameters;
  /** The encoded verification keys. */
  readonly keys: Hex;
  /** The contract that lists the task's cells, if its document names one: each deployment is registered there. */
  readonly group?: Hex;
}

export interface PrepareOptions extends PrivacyTarget {
  /** Where compiled circuits and development keys are kept; `build/` of a clone by default. */
  readonly buildRoot?: string;
}

/** @throws USAGE if a run with so many clients would wait for more for ever */
export function assertEnoughClients({ parameters: { minClients } }: PreparedTask, clients: number): void {
  if (clients < minClients)
    throw new VerisumError(
      "USAGE",
      `the task needs at least ${minClients} clients in a round, and there are ${clients}: give --clients, or lower clients.min`,
      { minClients, clients },
    );
}

/** Reads what create-task wrote. @throws TASK_DOCUMENT_INVALID */
export function parsePreparedTask(text: string): PreparedTask {
  try {
    const { parameters, keys, group } = JSON.parse(text) as {
      parameters: Record<string, unknown>;
      keys: Hex;
      group?: Hex;
    };
    const big = Object.fromEntries(
      ["normBoundSquared", "bondWei", "privacyCostPerRound", "privacyBudget"].map((name) => [
        name,
        BigInt(parameters[name] as string),
      ]),
    );
    return {
      parameters: { ...parameters, ...big } as unknown as TaskParameters,
      keys,
      ...(group === undefined ? {} : { group }),
    };
  } catch (cause) {
    throw new VerisumError(
      "TASK_DEPLOYMENT_INVALID",
      "the deployment file was not written by create-task",
      {},
      { cause },
    );
  }
}

/** A key folder's files, and what the contract stores of them. */
export interface TaskKeys {
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly verificationKeys: VerificationKeys;
}

/**
 * Checks the specification, makes development keys if there are none, checks the keys as a client will, and publishes
 * everything into `storeDirectory`.
 * @param description what a tasks/*.json says
 * @param options a privacy target that takes precedence over the description's own; where keys are kept
 * @throws TASK_DOCUMENT_INVALID, PARAMETERS_INVALID, KEY_REFUSED before anything is published, PRIVACY_*, key and store
 *   errors
 */
export async function prepareTask(
  description: unknown,
  storeDirectory: string,
  random: RandomBytes,
  onStep: (step: string) => void,
  options: PrepareOptions = {},
): Promise<PreparedTask> {
  const specification = parseSpecification(description, options);
  const layout = layoutOfSpecification(specification, parameterCountOf(parseModel(specification.document.model)));
  const kindCount = Math.max(...layout.chunks.map((chunk) => chunk.kindIndex)) + 1;
  const keySet = await ensureDevKeys(
    { preset: layout.preset, kindCount, powers: layout.elementCount },
    {
      curve: await openCurve(),
      random,
      onStep,
      ...(options.buildRoot === undefined ? {} : { buildRoot: options.buildRoot }),
    },
  );
  // One kind at a time: each takes the memory of its proving key.
  for (let kindIndex = 0; kindIndex < kindCount; kindIndex++) await keySet.provingFiles(kindIndex);
  const files: Record<string, Uint8Array> = {};
  for (const name of await readdir(keySet.directory)) files[name] = await readFile(join(keySet.directory, name));
  return publishTask(specification, { files, verificationKeys: keySet.verificationKeys }, storeDirectory, onStep);
}

/**
 * Publishes a task with these keys into `storeDirectory`.
 * @param keys checked by the caller: whoever takes part checks them again
 * @throws PARAMETERS_INVALID, PRIVACY_*, store errors
 */
export async function publishTask(
  specification: TaskSpecification,
  { files, verificationKeys }: TaskKeys,
  storeDirectory: string,
  onStep: (step: string) => void,
): Promise<PreparedTask> {
  const { document, initialSeed } = specification;
  const store = await createContentStore({
    directory: storeDirectory,
    peers: () => [],
    reporter: { say: (_level, _event, text) => onStep(text), wait: onStep },
  });
  try {
    onStep("publishing the task's document, keys and initial model");
    const parameters = await createTask(specification, {
      store,
      keys: { files, keysHash: toHex(hashVerificationKeys(verificationKeys)) },
      tensors: modelTensors(document.model),
      initialWeights: initialWeightsOf(parseModel(document.model), initialSeed),
    });
    const privacy = privacySummary({ document, parameters }, 0);
    if (privacy !== null) onStep(plannedPrivacyLine(privacy));
    const adaptiveClip = adaptiveClipLine(document, parameters);
    if (adaptiveClip !== null) onStep(adaptiveClip);
    return {
      parameters,
      keys: toHex(encodeVerificationKeys(verificationKeys)),
      ...(document.cells === undefined ? {} : { group: document.cells.group }),
    };
  } finally {
    await store.close();
  }
}
