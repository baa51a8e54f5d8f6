/** The steps from a specification to a deployment, shared by create-task, the demo and the tests. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { openCurve } from "../proving/node/open-curve.ts";
import { createContentStore } from "../content/store.ts";
import { initialWeightsOf, modelTensors, parameterCountOf, parseModel } from "../learning/model.ts";
import { ensureDevKeys } from "../proving/groth16/ensure-keys.ts";
import { createTask, layoutOfSpecification, parseSpecification } from "../task/create-task.ts";
import type { PrivacyTarget } from "../task/create-task.ts";
import { adaptiveClipLine, plannedPrivacyLine, privacySummary } from "../task/privacy-summary.ts";
import { VerisumError } from "../protocol/errors.ts";
import type { RandomBytes } from "../protocol/random.ts";
import type { TaskParameters } from "../protocol/task.ts";
import { toHex } from "../protocol/transcript.ts";
import type { Hex } from "../protocol/transcript.ts";
import { encodeVerificationKeys, hashVerificationKeys } from "../protocol/verification-key.ts";

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

/**
 * Checks the specification, makes development keys if there are none, and publishes everything into `storeDirectory`.
 * @param description what a tasks/*.json says
 * @param options a privacy target that takes precedence over the description's own; where keys are kept
 * @throws TASK_DOCUMENT_INVALID, PARAMETERS_INVALID, PRIVACY_*, key and store errors
 */
export async function prepareTask(
  description: unknown,
  storeDirectory: string,
  random: RandomBytes,
  onStep: (step: string) => void,
  options: PrepareOptions = {},
): Promise<PreparedTask> {
  const specification = parseSpecification(description, options);
  const model = parseModel(specification.document.model);
  const layout = layoutOfSpecification(specification, parameterCountOf(model));
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
  const files: Record<string, Uint8Array> = {};
  for (const name of await readdir(keySet.directory)) files[name] = await readFile(join(keySet.directory, name));
  const store = await createContentStore({
    directory: storeDirectory,
    peers: () => [],
    reporter: { say: (_level, _event, text) => onStep(text), wait: onStep },
  });
  try {
    onStep("publishing the task's document, keys and initial model");
    const parameters = await createTask(specification, {
      store,
      keys: { files, keysHash: toHex(hashVerificationKeys(keySet.verificationKeys)) },
      tensors: modelTensors(specification.document.model),
      initialWeights: initialWeightsOf(model, specification.initialSeed),
    });
    const privacy = privacySummary({ document: specification.document, parameters }, 0);
    if (privacy !== null) onStep(plannedPrivacyLine(privacy));
    const adaptiveClip = adaptiveClipLine(specification.document, parameters);
    if (adaptiveClip !== null) onStep(adaptiveClip);
    const { cells } = specification.document;
    return {
      parameters,
      keys: toHex(encodeVerificationKeys(keySet.verificationKeys)),
      ...(cells === undefined ? {} : { group: cells.group }),
    };
  } finally {
    await store.close();
  }
}
