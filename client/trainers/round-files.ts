/** The files of a round: what a trainer outside this process is given, and what it gives (docs/trainers.md). */
import { z } from "zod";
import { decodeSafetensors, encodeSafetensors } from "../../learning/safetensors.ts";
import { ensure, isVerisumError, VerisumError } from "../../protocol/errors.ts";
import type { TrainedTensors, TrainingRound } from "../round-trainer.ts";

/** Room for a header, beside eight bytes for each weight. */
const HEADER_BYTES = 4 << 20;
const MAX_METRIC_NAME = 64;
/** The length of the header, in front of it. */
const LENGTH_BYTES = 8;

const metadataSchema = z.object({
  kind: z.enum(["difference", "weights"]),
  round: z.string(),
  base: z.string(),
});

/** What a program is for: it trains, or measures a model. */
export type ProgramRole = "trainer" | "evaluator";

/** `config.json`. */
interface RoundConfig {
  readonly format: `verisum-${ProgramRole}-1`;
  readonly round: string;
  /** The base model's digest. */
  readonly base: string;
  /** When training must have ended, in ISO 8601. */
  readonly deadline: string | null;
  readonly secondsLeft: number | null;
  readonly training: TrainingRound["training"];
  /** All tensors in the task's order. */
  readonly parameters: TrainingRound["parameters"];
  readonly options: TrainingRound["options"];
}

/** @param now milliseconds since 1970 */
export function roundConfig(round: TrainingRound, now: number, role: ProgramRole): RoundConfig {
  const isBounded = Number.isFinite(round.secondsLeft);
  return {
    format: `verisum-${role}-1`,
    round: round.round.toString(),
    base: round.baseDigest,
    deadline: isBounded ? new Date(now + round.secondsLeft * 1000).toISOString() : null,
    secondsLeft: isBounded ? round.secondsLeft : null,
    training: round.training,
    parameters: round.parameters,
    options: round.options,
  };
}

/** `base.safetensors`, with these words in its metadata beside the round and the base's digest. */
export function baseFile(round: TrainingRound, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  return encodeSafetensors(round.tensors, { ...metadata, round: round.round.toString(), base: round.baseDigest });
}

/** No update of the round is longer. */
export function mostUpdateBytes({ tensors }: Pick<TrainingRound, "tensors">): number {
  return LENGTH_BYTES + HEADER_BYTES + 8 * tensors.reduce((sum, { data }) => sum + data.length, 0);
}

/**
 * Reads `update.safetensors`. Names and shapes are for the caller to compare.
 * @throws TRAINER_UPDATE_INVALID for a malformed file, tensors of other types than float32 and float64, values that are
 * not finite, and a file of another round or another base
 */
export function parseUpdate(bytes: Uint8Array, { round, baseDigest }: TrainingRound): TrainedTensors {
  let file;
  try {
    file = decodeSafetensors(bytes, { float64: true });
  } catch (cause) {
    if (!isVerisumError(cause)) throw cause;
    throw new VerisumError("TRAINER_UPDATE_INVALID", `update.safetensors: ${cause.message}`, cause.details, { cause });
  }
  const { data, error } = metadataSchema.safeParse(file.metadata);
  ensure(
    data !== undefined,
    "TRAINER_UPDATE_INVALID",
    `the metadata of update.safetensors: ${error?.issues[0]?.path.join(".")} ${error?.issues[0]?.message}`,
  );
  ensure(
    data.round === round.toString() && data.base === baseDigest,
    "TRAINER_UPDATE_INVALID",
    `update.safetensors is of round ${data.round} from ${data.base}, and this is round ${round} from ${baseDigest}`,
  );
  return { kind: data.kind, tensors: file.tensors };
}

/** The finite numbers among an object's members, by name. */
export function numbersIn(value: unknown): Record<string, number> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter(
      (pair): pair is [string, number] => Number.isFinite(pair[1]) && pair[0].length <= MAX_METRIC_NAME,
    ),
  );
}
