/** A new task, from its description to everything that a deployment needs. Touches no chain. */
import { z } from "zod";
import type { ContentStore } from "../content/store.ts";
import { isExternal } from "../learning/external-model.ts";
import { inputSizeOf, modelWeightCount, parseMember } from "../learning/model.ts";
import type { Model } from "../learning/model.ts";
import { inputWidthOf } from "../learning/tables/schema.ts";
import { isStatistics } from "../learning/statistics/statistics-model.ts";
import { ensure, VerisumError } from "../protocol/errors.ts";
import { modelDigest } from "../protocol/model.ts";
import { initialState } from "../protocol/next-model.ts";
import { layoutFor } from "../protocol/layout.ts";
import type { Layout } from "../protocol/layout.ts";
import { MAX_COHORT, MAX_COMMITTEE, MAX_STALENESS, MAX_TOTAL_WEIGHT, PRESETS } from "../protocol/parameters.ts";
import { assertTaskParameters, BARRIER, largestParameter } from "../protocol/task.ts";
import type { TaskParameters } from "../protocol/task.ts";
import type { Hex } from "../protocol/transcript.ts";
import { assertBufferable } from "./buffers.ts";
import type { TensorShape } from "./checkpoint.ts";
import { documentRequestSchema, documentSchema, taskFiles } from "./document.ts";
import type { DocumentRequest, TaskDocument } from "./document.ts";
import { normBoundOf } from "./encoding.ts";
import { genesisFiles } from "./genesis.ts";
import { mechanismOf, privacySchema } from "./mechanisms/registry.ts";
import { parameterNumber } from "./numbers.ts";
import { assertStepsFit, dimensionOf } from "./model-vector.ts";
import { directoryDigest } from "./outcome.ts";
import { assertEpsilonBounded, assertUsefulCohort, roundsOfOneClient, withNoiseFor } from "./privacy.ts";
import { withFieldNames } from "./specification-fields.ts";
import { assertSummable, countsClientsAlike } from "./statistics.ts";
import { assertTrainable } from "./trainer-rules.ts";

/** A month: nobody waits longer for a phase. */
const MOST_SECONDS = 30 * 86_400;
/** Of one contract's parameters that are not known before keys and content are. */
const UNKNOWN: Hex = `0x${"0".repeat(64)}`;

/** What an operator writes: tasks/*.json. */
const requestSchema = z.strictObject({
  document: documentRequestSchema,
  /** Chooses the noise that the document leaves out: all rounds that count one client stay within this epsilon. */
  privacyTarget: z.strictObject({ epsilon: z.number().positive() }).optional(),
  /** Seed of the initial weights, where they are drawn. */
  initialSeed: z.int().min(0).default(0),
  committee: z.strictObject({
    size: parameterNumber("committeeSize", 1, MAX_COMMITTEE),
    threshold: parameterNumber("threshold", 1, MAX_COMMITTEE),
    quorum: parameterNumber("quorum", 1, MAX_COMMITTEE),
  }),
  clients: z.strictObject({
    min: parameterNumber("minClients", 1, MAX_COHORT),
    minHonest: parameterNumber("minHonest", 1, MAX_COHORT),
    maxCorrupt: parameterNumber("maxCorrupt", 0, MAX_COHORT),
    /** Largest weight of one client; if absent 1 where all are, else what leaves others half of the smallest sum. */
    maxWeight: parameterNumber("maxWeight", 1, MAX_TOTAL_WEIGHT).optional(),
    /** Refusals at settlement from which anybody may take a client off; 0 for never. */
    maxRefusals: parameterNumber("maxRefusals").default(3),
    /** Settlements that may count one client; 0 for no limit. */
    maxRoundsPerClient: parameterNumber("maxRoundsPerClient").default(0),
    openRegistration: z.boolean(),
    bondWei: z
      .string()
      .regex(/^[0-9]{1,30}$/)
      .refine((text) => BigInt(text) <= largestParameter("bondWei"), `at most ${largestParameter("bondWei")} wei`)
      .default("0"),
  }),
  windowSeconds: z.strictObject({
    key: parameterNumber("keyWindowSeconds", 1, MOST_SECONDS),
    collect: parameterNumber("collectSeconds", 1, MOST_SECONDS),
    attest: parameterNumber("attestSeconds", 1, MOST_SECONDS),
    aggregate: parameterNumber("aggregateSeconds", 1, MOST_SECONDS),
  }),
  /** 0 for no end. */
  maxRounds: parameterNumber("maxRounds"),
  /** When a round closes before its time, and what it takes; absent where it waits for everybody. */
  rounds: z
    .strictObject({
      /** Submissions at which it closes. */
      bufferGoal: parameterNumber("bufferGoal", 1, MAX_COHORT),
      /** Models that an update's base may be behind the latest one. */
      maxStaleness: parameterNumber("maxStaleness", 0, MAX_STALENESS),
      /** Rounds from one submission of a client to its next. */
      minSeparation: parameterNumber("minSeparation", 1).default(BARRIER.minSeparation),
      /** Shortest time that it collects, so that slow provers are in as well. */
      minCollectSeconds: parameterNumber("minCollectSeconds", 0, MOST_SECONDS).default(BARRIER.minCollectSeconds),
    })
    .optional(),
});

/** A specification with nothing left to choose. */
export type TaskSpecification = Omit<z.infer<typeof requestSchema>, "document" | "privacyTarget"> & {
  readonly document: Omit<TaskDocument, "version" | "keysCid">;
};

/** What takes precedence over the specification's own target. */
export interface PrivacyTarget {
  readonly epsilon?: number;
  readonly delta?: number;
}

/**
 * Checks what an operator wrote, and chooses the noise if it names a target.
 * @param json a parsed tasks/*.json
 * @throws TASK_DOCUMENT_INVALID, MODEL_DESCRIPTION_INVALID, PRIVACY_PARAMETERS_INVALID
 */
export function parseSpecification(json: unknown, target: PrivacyTarget = {}): TaskSpecification {
  const request = validated(requestSchema, json);
  const { privacyTarget, ...specification } = request;
  let document = withDelta(request.document, target.delta);
  const epsilon = target.epsilon ?? privacyTarget?.epsilon;
  if (epsilon !== undefined) {
    const dimension = dimensionOf(document, modelWeightCount(document.model));
    const { minHonest, maxRoundsPerClient } = request.clients;
    const rounds = roundsOfOneClient(request.maxRounds, maxRoundsPerClient);
    document = withNoiseFor(epsilon, { document, dimension, minHonest, rounds });
  }
  // What passed the request's schema can lack nothing but the noise.
  if (!privacySchema.optional().safeParse(document.training.privacy).success) {
    throw new VerisumError(
      "PRIVACY_PARAMETERS_INVALID",
      "the specification has privacy without noise: it needs privacyTarget.epsilon, or the noise itself in document.training.privacy",
    );
  }
  return { ...specification, document: validated(documentSchema.omit({ keysCid: true, version: true }), document) };
}

/**
 * The contract takes the parameters, the coordinates hold update and noise, and the model's numbers hold what a round
 * does to them.
 * @throws PARAMETERS_INVALID, PRIVACY_PARAMETERS_INVALID, MODEL_DESCRIPTION_INVALID, TASK_SPECIFICATION_INVALID,
 * TRAINER_PRIVACY_UNCHECKED
 */
export function assertRunnable(specification: TaskSpecification): void {
  const { document, clients, maxRounds } = specification;
  assertSummable(document, { minHonest: clients.minHonest, maxRounds }, "TASK_SPECIFICATION_INVALID");
  assertBufferable(document, specification.rounds ?? BARRIER, "TASK_SPECIFICATION_INVALID");
  assertDataFits(document);
  assertTrainable(document);
  const weightCount = modelWeightCount(document.model);
  const unknown = { taskCid: UNKNOWN, genesisCid: UNKNOWN, genesisDigest: UNKNOWN, keysHash: UNKNOWN };
  withFieldNames(parametersOf(specification, weightCount, unknown), assertTaskParameters);
  assertStepsFit(document);
}

/** @throws TASK_SPECIFICATION_INVALID if the data described does not give what the model takes */
function assertDataFits({ model, data, preprocessing, training }: TaskSpecification["document"]): void {
  if (data !== undefined && preprocessing !== undefined)
    throw new VerisumError(
      "TASK_SPECIFICATION_INVALID",
      "the specification: document.data says how tables become inputs, and document.preprocessing how other data does: one of them",
    );
  assertTrainingFits(model, training);
  if (isExternal(model)) return;
  if (preprocessing !== undefined) assertClassesFit(parseMember(model), preprocessing.classes.length);
  if (data === undefined) return;
  const parsed = parseMember(model);
  const [inputs, classes] = [inputWidthOf(data), data.classes?.length];
  if (inputs === inputSizeOf(parsed) && classes === parsed.classCount) return;
  const answers = (count: number | undefined): string => (count === undefined ? "a number" : `${count} classes`);
  throw new VerisumError(
    "TASK_SPECIFICATION_INVALID",
    `the specification: document.data gives ${inputs} inputs and ${answers(classes)}, and document.model takes ${inputSizeOf(parsed)} and ${answers(parsed.classCount)}`,
    { inputs, classes: classes ?? 0 },
  );
}

/** Loss and steps of a model that only its trainers know are theirs. */
function assertTrainingFits(
  model: unknown,
  { optimiser, weightDecay, classWeights }: TaskSpecification["document"]["training"],
): void {
  const said = Object.entries({ optimiser, weightDecay, classWeights }).find(([, value]) => value !== undefined);
  const outside = isExternal(model) || isStatistics(model);
  ensure(
    said === undefined || !outside,
    "TASK_SPECIFICATION_INVALID",
    `the specification: document.training.${said?.[0]} is of the built-in models: tell trainers of your own in document.model.options`,
  );
  if (classWeights === undefined) return;
  const { classCount = 0 } = parseMember(model);
  ensure(
    classWeights.length === classCount && classWeights.some((weight) => weight > 0),
    "TASK_SPECIFICATION_INVALID",
    `the specification: document.training.classWeights has ${classWeights.length} numbers, and the model ${classCount} classes; one has to be above 0`,
  );
}

function assertClassesFit({ classCount }: Model, classes: number): void {
  if (classes === classCount) return;
  throw new VerisumError(
    "TASK_SPECIFICATION_INVALID",
    `the specification: document.preprocessing names ${classes} classes, and document.model has ${classCount}`,
    { classes },
  );
}

function withDelta(document: DocumentRequest, delta: number | undefined): DocumentRequest {
  const { privacy } = document.training;
  if (delta === undefined) return document;
  if (privacy === undefined)
    throw new VerisumError(
      "PRIVACY_PARAMETERS_INVALID",
      "delta needs a unit of privacy in the task's training section",
    );
  return { ...document, training: { ...document.training, privacy: { ...privacy, delta } } };
}

function validated<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new VerisumError(
    "TASK_SPECIFICATION_INVALID",
    `the specification: ${[issue?.path.join("."), issue?.message].filter(Boolean).join(" ")}`,
  );
}

/** The keys of a task as files and as what the contract stores. */
export interface PublishableKeys {
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly keysHash: Hex;
}

export interface CreateTaskDependencies {
  readonly store: ContentStore;
  readonly keys: PublishableKeys;
  readonly tensors: readonly TensorShape[];
  readonly initialWeights: Float32Array;
}

/** The layout that a specification's model gets. */
export function layoutOfSpecification({ document }: TaskSpecification, weightCount: number): Layout {
  return layoutFor(PRESETS[document.preset], dimensionOf(document, weightCount));
}

/**
 * Publishes the task document, the proving keys and the genesis, and derives the contract's parameters.
 * @throws PARAMETERS_INVALID if the specification breaks a rule of the protocol; PRIVACY_COHORT_TOO_SMALL;
 *   PRIVACY_PARAMETERS_INVALID if no epsilon can be stated
 */
export async function createTask(
  specification: TaskSpecification,
  deps: CreateTaskDependencies,
): Promise<TaskParameters> {
  const { store, keys, tensors, initialWeights } = deps;
  assertRunnable(specification);
  const keysCid = await publish(store, keys.files);
  const document = { ...specification.document, version: 1, keysCid } as const;
  const taskCid = await publish(store, taskFiles(document));
  const dimension = dimensionOf(document, initialWeights.length);
  const genesis = initialState(initialWeights, document.server, dimension > initialWeights.length ? 1 : 0);
  const { clients } = specification;
  assertUsefulCohort(
    { document, parameters: { dimension, minHonest: clients.minHonest, minClients: clients.min } },
    specification.maxRounds,
  );
  const parameters = parametersOf(specification, initialWeights.length, {
    taskCid,
    genesisCid: await publish(store, genesisFiles(document, tensors, genesis, taskCid)),
    genesisDigest: modelDigest(genesis),
    keysHash: keys.keysHash,
  });
  assertTaskParameters(parameters);
  assertEpsilonBounded({ document, parameters });
  return parameters;
}

/**
 * What the contract stores of a specification.
 * @param digests of what is published for it
 * @throws PARAMETERS_INVALID, PRIVACY_PARAMETERS_INVALID if its vector does not fit the preset
 */
export function parametersOf(
  specification: TaskSpecification,
  weightCount: number,
  digests: Pick<TaskParameters, "taskCid" | "genesisCid" | "genesisDigest" | "keysHash">,
): TaskParameters {
  const { document, committee, clients, windowSeconds, maxRounds } = specification;
  const { guarantee } = mechanismOf(document.training.privacy);
  const dimension = dimensionOf(document, weightCount);
  return {
    ...digests,
    coordinateBits: PRESETS[document.preset].coordinateBits,
    dimension,
    normBoundSquared: normBoundOf(document, dimension),
    committeeSize: committee.size,
    threshold: committee.threshold,
    quorum: committee.quorum,
    minClients: clients.min,
    minHonest: clients.minHonest,
    maxCorrupt: clients.maxCorrupt,
    uniformWeights: countsClientsAlike(document),
    maxWeight: clients.maxWeight ?? (countsClientsAlike(document) ? 1 : Math.max(1, clients.min - 1)),
    ...(specification.rounds ?? BARRIER),
    openRegistration: clients.openRegistration,
    bondWei: BigInt(clients.bondWei),
    maxRefusals: clients.maxRefusals,
    keyWindowSeconds: windowSeconds.key,
    collectSeconds: windowSeconds.collect,
    attestSeconds: windowSeconds.attest,
    aggregateSeconds: windowSeconds.aggregate,
    maxRounds,
    maxRoundsPerClient: clients.maxRoundsPerClient,
    privacyCostPerRound: guarantee === null ? 0n : 1n,
    privacyBudget: guarantee === null ? 0n : BigInt(maxRounds),
    chunkKinds: layoutOfSpecification(specification, weightCount).chunks.map((chunk) => chunk.kindIndex),
  };
}

async function publish(store: ContentStore, files: Readonly<Record<string, Uint8Array>>): Promise<Hex> {
  await store.putDirectory(files);
  return directoryDigest(files);
}
