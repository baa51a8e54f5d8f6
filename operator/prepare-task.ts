/** The steps from a specification to a deployment, shared by create-task, the demo and the tests. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { openCurve } from "../proving/node/open-curve.ts";
import { openContentStore } from "../content/open-store.ts";
import type { ContentPlace } from "../content/open-store.ts";
import { claimLine } from "../task/keys-claim.ts";
import { transcriptCid } from "../task/keys-origin.ts";
import { modelTensors, modelWeightCount } from "../learning/model.ts";
import { ceremonyLine, verifyKeyFolder } from "../proving/ceremony/key-folder.ts";
import type { NamedFiles } from "../proving/ceremony/setup-folder.ts";
import { ensureDevKeys } from "../proving/groth16/ensure-keys.ts";
import type { KeyRequest } from "../proving/groth16/ensure-keys.ts";
import { loadKeySet } from "../proving/groth16/key-set.ts";
import type { KeySet } from "../proving/groth16/key-set.ts";
import { MANIFEST_FILE } from "../proving/groth16/manifest.ts";
import { readUserText, refuseWith } from "../storage/user-file.ts";
import { clientsNeeded, isBuffer } from "../task/buffers.ts";
import { assertRunnable, createTask, layoutOfSpecification, parseSpecification } from "../task/create-task.ts";
import type { PrivacyTarget, TaskSpecification } from "../task/create-task.ts";
import { adaptiveClipLine, plannedPrivacyLine, privacySummary } from "../task/privacy-summary.ts";
import { initialWeights } from "./initial-weights.ts";
import { addressFault } from "../protocol/address.ts";
import { cohortLine, influenceLine, taskWarnings } from "../task/warnings.ts";
import type { TaskWarning } from "../task/warnings.ts";
import { VerisumError } from "../protocol/errors.ts";
import { readJson } from "../protocol/strict-json.ts";
import type { SharedRecords } from "../storage/own-record.ts";
import type { KeyRule } from "../protocol/key-guard.ts";
import type { RandomBytes } from "../protocol/random.ts";
import type { Reporter } from "../protocol/reporter.ts";
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
  /** Hears what the operator may not have meant; as a step unless told. */
  readonly onWarning?: (warning: TaskWarning) => void;
  /** Where compiled circuits and development keys are kept; `build/` of a clone by default. */
  readonly buildRoot?: string;
  /** Where the user's processes remember which keys passed their checks; beside the key folder if absent. */
  readonly records?: SharedRecords;
  /** A key folder from `fl setup export`, in place of development keys. */
  readonly keys?: string;
  /** A safetensors file with the first weights; drawn from the specification's seed if absent. */
  readonly initial?: string;
  /** An external Kubo node's RPC URL: it keeps the content, instead of the store's directory. */
  readonly ipfsApi?: string;
}

/** What a machine that prepared a task knows beside it. */
export interface PreparedWithKeys extends PreparedTask {
  /** Where the keys come from, as `fl verify` says it of them. */
  readonly keysSay: string;
}

/** @throws USAGE if a run with so many clients would wait for more for ever */
export function assertEnoughClients({ parameters }: PreparedTask, clients: number): void {
  const needed = clientsNeeded(parameters);
  if (clients < needed)
    throw new VerisumError(
      "USAGE",
      `no round of the task opens with fewer than ${needed} clients, and there are ${clients}: give --clients, or lower ${isBuffer(parameters) ? "rounds.bufferGoal or rounds.minSeparation" : "clients.min"}`,
      { needed, clients },
    );
}

/** The file that create-task wrote. @throws TASK_DEPLOYMENT_INVALID */
export async function readPreparedTask(file: string): Promise<PreparedTask> {
  return parsePreparedTask(await readUserText(file, refuseWith("TASK_DEPLOYMENT_INVALID", file, { file })));
}

const bytes = (length: number): z.ZodType<Hex> =>
  z.custom<Hex>(
    (value) => typeof value === "string" && /^0x([0-9a-f]{2})*$/.test(value) && value.length === 2 + 2 * length,
  );
const wholeText = z
  .string()
  .regex(/^[0-9]{1,78}$/)
  .transform(BigInt);
const preparedSchema = z.strictObject({
  parameters: z.strictObject({
    taskCid: bytes(32),
    genesisCid: bytes(32),
    genesisDigest: bytes(32),
    keysHash: bytes(32),
    coordinateBits: z.int(),
    dimension: z.int(),
    normBoundSquared: wholeText,
    committeeSize: z.int(),
    threshold: z.int(),
    quorum: z.int(),
    minClients: z.int(),
    minHonest: z.int(),
    maxCorrupt: z.int(),
    uniformWeights: z.boolean(),
    maxWeight: z.int(),
    bufferGoal: z.int(),
    maxStaleness: z.int(),
    minSeparation: z.int(),
    minCollectSeconds: z.int(),
    openRegistration: z.boolean(),
    bondWei: wholeText,
    maxRefusals: z.int(),
    keyWindowSeconds: z.int(),
    collectSeconds: z.int(),
    attestSeconds: z.int(),
    aggregateSeconds: z.int(),
    maxRounds: z.int(),
    maxRoundsPerClient: z.int(),
    privacyCostPerRound: wholeText,
    privacyBudget: wholeText,
    chunkKinds: z.array(z.int().min(0).max(255)),
  }),
  keys: z.custom<Hex>((value) => typeof value === "string" && /^0x([0-9a-f]{2})+$/.test(value)),
  group: z
    .string()
    .refine((text) => addressFault(text) === undefined)
    .transform((text) => text.toLowerCase() as Hex)
    .optional(),
});

/** What create-task wrote. @throws TASK_DEPLOYMENT_INVALID naming the place */
export function parsePreparedTask(text: string): PreparedTask {
  const file = "the deployment file";
  const { data, error } = preparedSchema.safeParse(readJson(text, file, "TASK_DEPLOYMENT_INVALID"));
  if (data === undefined)
    throw new VerisumError(
      "TASK_DEPLOYMENT_INVALID",
      `${file} was not written by create-task: ${error.issues[0]?.path.join(".")} ${error.issues[0]?.message}`,
    );
  const { parameters, keys, group } = data;
  return { parameters, keys, ...(group === undefined ? {} : { group }) };
}

/** A key folder's files, and what the contract stores of them. */
export interface TaskKeys {
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly verificationKeys: VerificationKeys;
  /** The transcript of the ceremony that made the keys, if there was one: published as a directory of its own. */
  readonly transcript?: NamedFiles;
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
): Promise<PreparedWithKeys> {
  const specification = parseSpecification(description, options);
  assertRunnable(specification);
  const weights = await initialWeights(specification, options.initial);
  const layout = layoutOfSpecification(specification, modelWeightCount(specification.document.model));
  const kindCount = Math.max(...layout.chunks.map((chunk) => chunk.kindIndex)) + 1;
  const needs = { preset: layout.preset, kindCount, powers: layout.elementCount };
  const { keySet, says, transcript } = await keysFor(needs, random, onStep, options);
  // One kind at a time: each takes the memory of its proving key.
  for (let kindIndex = 0; kindIndex < kindCount; kindIndex++) await keySet.provingFiles(kindIndex);
  const files: Record<string, Uint8Array> = {};
  for (const name of [MANIFEST_FILE, ...Object.keys(keySet.manifest.files)])
    files[name] = await readFile(join(keySet.directory, name));
  const keys = {
    files,
    verificationKeys: keySet.verificationKeys,
    ...(transcript === undefined ? {} : { transcript }),
  };
  onStep(says);
  const { ipfsApi, onWarning } = options;
  const place = { directory: storeDirectory, ...(ipfsApi === undefined ? {} : { ipfsApi }) };
  const prepared = await publishTask(specification, keys, place, onStep, onWarning, weights);
  return { ...prepared, keysSay: says };
}

/** Keys of a ceremony, verified, where the operator names some; development keys otherwise. */
async function keysFor(
  needs: KeyRequest,
  random: RandomBytes,
  onStep: (step: string) => void,
  { keys, buildRoot, records }: PrepareOptions,
): Promise<{ readonly keySet: KeySet; readonly says: string; readonly transcript?: NamedFiles }> {
  const environment = { curve: await openCurve(), random, onStep };
  if (keys === undefined) {
    const places = {
      ...(buildRoot === undefined ? {} : { buildRoot }),
      ...(records === undefined ? {} : { records }),
    };
    const keySet = await ensureDevKeys(needs, { ...environment, ...places });
    return { keySet, says: claimLine(keySet.manifest) };
  }
  const { transcript, transcriptFiles } = await verifyKeyFolder(keys, transcriptCid, environment);
  const keySet = await loadKeySet(environment.curve, keys, random, onStep, records);
  requireEnough(keySet, needs);
  return { keySet, says: ceremonyLine(transcript), transcript: transcriptFiles };
}

/** @throws KEY_REFUSED if the keys are of another preset, of fewer kinds or of fewer powers than the task takes */
function requireEnough({ preset, verificationKeys, manifest }: KeySet, needs: KeyRequest): void {
  const lacks =
    preset.name !== needs.preset.name
      ? `the preset ${needs.preset.name}`
      : verificationKeys.kinds.length < needs.kindCount
        ? `${needs.kindCount} kinds of chunks`
        : manifest.powers < needs.powers
          ? `${needs.powers} powers of tau`
          : undefined;
  if (lacks === undefined) return;
  const has = `${preset.name}, ${verificationKeys.kinds.length} kind(s), ${manifest.powers} powers`;
  throw new VerisumError("KEY_REFUSED", `the task takes ${lacks}, and these keys are of ${has} (preset)`, {
    rule: "preset" satisfies KeyRule,
  });
}

/**
 * Publishes a task with these keys.
 * @param keys checked by the caller: whoever takes part checks them again
 * @param weights to begin with; drawn from the specification's seed if absent
 * @throws PARAMETERS_INVALID, PRIVACY_*, MODEL_INITIAL_INVALID, store errors
 */
export async function publishTask(
  specification: TaskSpecification,
  { files, verificationKeys, transcript }: TaskKeys,
  place: ContentPlace,
  onStep: (step: string) => void,
  onWarning: NonNullable<PrepareOptions["onWarning"]> = ({ text }) => onStep(text),
  weights?: Float32Array,
): Promise<PreparedTask> {
  const { document } = specification;
  const reporter: Reporter = { say: (_level, _event, text) => onStep(text), wait: onStep };
  const store = await openContentStore(place, () => [], reporter);
  try {
    onStep("publishing the task's document, keys and initial model");
    if (transcript !== undefined) await store.putDirectory(transcript);
    const parameters = await createTask(specification, {
      store,
      keys: { files, keysHash: toHex(hashVerificationKeys(verificationKeys)) },
      tensors: modelTensors(document.model),
      initialWeights: weights ?? (await initialWeights(specification, undefined)),
    });
    const privacy = privacySummary({ document, parameters }, 0);
    if (privacy !== null) onStep(plannedPrivacyLine(privacy));
    const adaptiveClip = adaptiveClipLine(document, parameters);
    if (adaptiveClip !== null) onStep(adaptiveClip);
    onStep(cohortLine(parameters));
    onStep(influenceLine(document, parameters));
    for (const warning of taskWarnings(document, parameters)) onWarning(warning);
    return {
      parameters,
      keys: toHex(encodeVerificationKeys(verificationKeys)),
      ...(document.cells === undefined ? {} : { group: document.cells.group }),
    };
  } finally {
    await store.close();
  }
}
