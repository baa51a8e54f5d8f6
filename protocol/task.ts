/** A task's parameters as the contract stores them; the same fields as `TaskParameters` in contracts/types. */
import { ensureRules, VerisumError } from "./errors.ts";
import { layoutOf } from "./layout.ts";
import type { Layout } from "./layout.ts";
import {
  MAX_COHORT,
  MAX_REGISTERED,
  MAX_COMMITTEE,
  MAX_STALENESS,
  MAX_TOTAL_WEIGHT,
  NORM_ACCUMULATOR_BITS,
  PRESETS,
} from "./parameters.ts";
import type { Preset } from "./parameters.ts";
import { hashWords, toHex } from "./transcript.ts";
import type { Hex } from "./transcript.ts";

/** Units and meaning: contracts/types/VerisumTypes.sol. */
export interface TaskParameters {
  readonly taskCid: Hex;
  readonly genesisCid: Hex;
  readonly genesisDigest: Hex;
  readonly keysHash: Hex;
  readonly coordinateBits: number;
  readonly dimension: number;
  readonly normBoundSquared: bigint;
  readonly committeeSize: number;
  readonly threshold: number;
  readonly quorum: number;
  readonly minClients: number;
  readonly minHonest: number;
  readonly maxCorrupt: number;
  readonly uniformWeights: boolean;
  readonly maxWeight: number;
  readonly bufferGoal: number;
  readonly maxStaleness: number;
  readonly minSeparation: number;
  readonly minCollectSeconds: number;
  readonly openRegistration: boolean;
  readonly bondWei: bigint;
  readonly maxRefusals: number;
  readonly keyWindowSeconds: number;
  readonly collectSeconds: number;
  readonly attestSeconds: number;
  readonly aggregateSeconds: number;
  readonly maxRounds: number;
  readonly maxRoundsPerClient: number;
  readonly privacyCostPerRound: bigint;
  readonly privacyBudget: bigint;
  readonly chunkKinds: readonly number[];
}

/**
 * Bits of the contract's unsigned numbers. Schema and encoder take their limits from here; chain/codec.ts compiles only
 * if the contract's are the same.
 */
const PARAMETER_BITS = {
  coordinateBits: 8,
  dimension: 32,
  normBoundSquared: 64,
  committeeSize: 8,
  threshold: 8,
  quorum: 8,
  minClients: 16,
  minHonest: 16,
  maxCorrupt: 16,
  maxWeight: 16,
  bufferGoal: 16,
  maxStaleness: 8,
  minSeparation: 16,
  minCollectSeconds: 32,
  bondWei: 96,
  maxRefusals: 8,
  keyWindowSeconds: 32,
  collectSeconds: 32,
  attestSeconds: 32,
  aggregateSeconds: 32,
  maxRounds: 32,
  maxRoundsPerClient: 16,
  privacyCostPerRound: 64,
  privacyBudget: 64,
} as const satisfies { readonly [Name in keyof TaskParameters]?: number };

/** Of a hash, which is no number. */
const WORD_BITS = 256;

export type ParameterBits = typeof PARAMETER_BITS;
/** A number of the contract's parameters. */
export type NumericParameter = keyof ParameterBits;

/** The largest value that the contract's field holds. */
export function largestParameter(name: NumericParameter): bigint {
  return (1n << BigInt(PARAMETER_BITS[name])) - 1n;
}

/**
 * The parameters that the ABI encodes as one word, in the order of the contract's struct; `chunkKinds` comes after
 * them. chain/codec.ts compiles only if the generated fields are these.
 */
export const PARAMETER_WORDS = [
  "taskCid",
  "genesisCid",
  "genesisDigest",
  "keysHash",
  "coordinateBits",
  "dimension",
  "normBoundSquared",
  "committeeSize",
  "threshold",
  "quorum",
  "minClients",
  "minHonest",
  "maxCorrupt",
  "uniformWeights",
  "maxWeight",
  "bufferGoal",
  "maxStaleness",
  "minSeparation",
  "minCollectSeconds",
  "openRegistration",
  "bondWei",
  "maxRefusals",
  "keyWindowSeconds",
  "collectSeconds",
  "attestSeconds",
  "aggregateSeconds",
  "maxRounds",
  "maxRoundsPerClient",
  "privacyCostPerRound",
  "privacyBudget",
] as const satisfies readonly (keyof TaskParameters)[];

/** Bits of a parameter that is one word; 256 for a hash, 1 for a flag. */
export function parameterBits(name: (typeof PARAMETER_WORDS)[number]): number {
  if (name === "uniformWeights" || name === "openRegistration") return 1;
  return name in PARAMETER_BITS ? PARAMETER_BITS[name as NumericParameter] : WORD_BITS;
}

/** keccak-256 of the ABI encoding: what the contract calls `parametersHash`. */
export function parametersHash(p: TaskParameters): Hex {
  return hashWords(parameterWords(p));
}

/** The ABI encoding, in words of 32 bytes: the constructor's first argument, kept and hashed as it is. */
export function parameterWords(p: TaskParameters): readonly bigint[] {
  const head = PARAMETER_WORDS.map((name) => BigInt(p[name]));
  // abi.encode of one dynamic struct: its offset, the static fields, the offset of the bytes, their length and
  // themselves.
  const bytesOffset = BigInt((head.length + 1) * 32);
  const kinds = kindBytes(p);
  const padded = new Uint8Array(Math.ceil(kinds.length / 32) * 32);
  padded.set(kinds);
  const words = Array.from({ length: padded.length / 32 }, (_, i) =>
    BigInt(toHex(padded.subarray(32 * i, 32 * i + 32))),
  );
  return [32n, ...head, bytesOffset, BigInt(kinds.length), ...words];
}

/** The chunk kinds as the contract takes them: one byte each. */
export function kindBytes(p: Pick<TaskParameters, "chunkKinds">): Uint8Array {
  return Uint8Array.from(p.chunkKinds);
}

/** The preset with a task's coordinate width. @throws PARAMETERS_INVALID */
export function presetOf(p: TaskParameters): Preset {
  const preset = Object.values(PRESETS).find((candidate) => candidate.coordinateBits === p.coordinateBits);
  if (preset === undefined)
    throw new VerisumError("PARAMETERS_INVALID", `no preset has ${p.coordinateBits}-bit coordinates`, {
      coordinateBits: p.coordinateBits,
    });
  return preset;
}

export function layoutOfTask(p: TaskParameters): Layout {
  return layoutOf(presetOf(p), p.dimension, p.chunkKinds);
}

/**
 * Checks the inequalities of docs/protocol.md, section 1. The contract's constructor checks them as well.
 * @throws PARAMETERS_INVALID naming the rule
 */
export function assertTaskParameters(p: TaskParameters): void {
  for (const name of Object.keys(PARAMETER_BITS) as NumericParameter[]) assertFits(name, p[name]);
  ensureRules("PARAMETERS_INVALID", {
    "a bond exactly if registration is open": p.openRegistration === p.bondWei > 0n,
    "collectSeconds > 0": p.collectSeconds > 0,
    "attestSeconds > 0": p.attestSeconds > 0,
    "aggregateSeconds > 0": p.aggregateSeconds > 0,
    "privacyCostPerRound <= privacyBudget": p.privacyBudget === 0n || p.privacyCostPerRound <= p.privacyBudget,
    "privacyCostPerRound > 0 with a budget": p.privacyBudget === 0n || p.privacyCostPerRound > 0n,
    "a privacy cost has a budget": p.privacyCostPerRound === 0n || p.privacyBudget > 0n,
    "maxWeight >= 1": p.maxWeight >= 1,
    [`maxWeight <= ${MAX_TOTAL_WEIGHT}`]: p.maxWeight <= MAX_TOTAL_WEIGHT,
    "uniform weights are 1": !p.uniformWeights || p.maxWeight === 1,
    "minHonest >= 2": p.minHonest >= 2,
    "minClients >= minHonest + maxCorrupt": p.minClients >= p.minHonest + p.maxCorrupt,
    "threshold >= 2": p.threshold >= 2,
    "quorum >= 2 * threshold - 1": p.quorum >= 2 * p.threshold - 1,
    // Implies 3t − 2: with t − 1 members corrupt and silent, the others still are a quorum.
    "committeeSize >= quorum + threshold - 1": p.committeeSize >= p.quorum + p.threshold - 1,
    [`committeeSize <= ${MAX_COMMITTEE}`]: p.committeeSize <= MAX_COMMITTEE,
    [`minClients <= ${MAX_COHORT}`]: p.minClients <= MAX_COHORT,
    [`0 < normBoundSquared < 2^${NORM_ACCUMULATOR_BITS}`]:
      p.normBoundSquared > 0n && p.normBoundSquared < 1n << BigInt(NORM_ACCUMULATOR_BITS),
  });
  assertBuffer(p);
  layoutOfTask(p);
}

/** The rounds of a barrier wait for everybody registered, and what is of buffers alone has no other value then. */
export const BARRIER = { bufferGoal: 0, maxStaleness: 0, minSeparation: 1, minCollectSeconds: 0 } as const;

/** When rounds close, and what may enter them (docs/protocol.md, section 6.4). */
function assertBuffer(p: TaskParameters): void {
  if (p.bufferGoal === 0)
    return ensureRules("PARAMETERS_INVALID", {
      "only a buffer has its own rules":
        p.maxStaleness === BARRIER.maxStaleness &&
        p.minSeparation === BARRIER.minSeparation &&
        p.minCollectSeconds === BARRIER.minCollectSeconds,
    });
  ensureRules("PARAMETERS_INVALID", {
    "bufferGoal >= minClients + maxCorrupt": p.bufferGoal >= p.minClients + p.maxCorrupt,
    [`bufferGoal <= ${MAX_COHORT}`]: p.bufferGoal <= MAX_COHORT,
    // Otherwise heavy clients could fill a round below its goal.
    [`bufferGoal * maxWeight <= ${MAX_TOTAL_WEIGHT}`]: p.bufferGoal * p.maxWeight <= MAX_TOTAL_WEIGHT,
    [`maxStaleness <= ${MAX_STALENESS}`]: p.maxStaleness <= MAX_STALENESS,
    "minSeparation >= 1": p.minSeparation >= 1,
    // No round opens with fewer registered (the contract says so then, not at its deployment).
    [`bufferGoal * minSeparation <= ${MAX_REGISTERED}`]: p.bufferGoal * p.minSeparation <= MAX_REGISTERED,
    "minCollectSeconds <= collectSeconds": p.minCollectSeconds <= p.collectSeconds,
  });
}

/** @throws PARAMETERS_INVALID if the contract's field does not hold it */
function assertFits(name: NumericParameter, value: number | bigint): void {
  const isWhole = typeof value === "bigint" || Number.isSafeInteger(value);
  if (isWhole && value >= 0 && value <= largestParameter(name)) return;
  throw new VerisumError(
    "PARAMETERS_INVALID",
    `${name} = ${value} is not a whole number from 0 to ${largestParameter(name)}, which the contract holds`,
    { name },
  );
}

/** f corrupt identities may be left out; never fewer than minClients (docs/protocol.md, section 6). */
export function smallestInclusion(p: Pick<TaskParameters, "minClients" | "maxCorrupt">, submitted: number): number {
  return Math.max(p.minClients, submitted - p.maxCorrupt);
}
