/**
 * Every number of the protocol, once, with its unit and range.
 * `npm run generate` writes the Solidity and circom copies; CI fails when they differ.
 */
import { ensureRules } from "./errors.ts";

/** Version of the wire formats and transcripts. */
export const PROTOCOL_VERSION = 1;

/** Order of the scalar field of BN254 (EIP-196), r. */
export const FIELD_ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;
/** Order of the base field of BN254 (EIP-196), p. */
export const BASE_FIELD_ORDER = 21888242871839275222246405745257275088696311157297823662689037894645226208583n;
/** Bytes of one encoded field element (big-endian, canonical). */
export const ELEMENT_BYTES = 32;

/** Signed coordinates packed into one field element. */
export const SLOTS_PER_ELEMENT = 12;
/** Bits of one slot. A weighted sum of coordinates must stay inside a signed slot. */
export const SLOT_BITS = 21;
/** Uniform masks appended to each chunk's block of elements. */
export const MASKS_PER_CHUNK = 3;
/** Bits of the norm accumulator that is carried from chunk to chunk. */
export const NORM_ACCUMULATOR_BITS = 48;
/** Largest sum of the weights of all clients in one round. */
export const MAX_TOTAL_WEIGHT = 511;
/** Largest number of clients in one round: one bit each in a 256-bit word. */
export const MAX_COHORT = 256;
/** Largest number of clients that are registered for buffers. */
export const MAX_REGISTERED = 65_535;
/** Largest number of committee members. */
export const MAX_COMMITTEE = 32;
/**
 * Largest number of chunks in one update: the norm's accumulator holds any vector of so many chunks of the largest
 * kind.
 */
export const MAX_CHUNKS = 1200;
/** Models that a submission's base may be behind the latest one at most: a contract keeps the digests of one more. */
export const MAX_STALENESS = 15;
/** Bytes of the longest HTTP endpoint that an account may announce on chain. */
export const MAX_ENDPOINT_BYTES = 256;

/** Rounds ahead of the current one for which a member may register keys: taking a seat from it voids them all. */
export const MAX_KEYS_AHEAD = 64;
/** Bytes of one leaf of an aggregate's digest. */
export const DIGEST_LEAF_BYTES = 65536;
/** Public signals of the chunk circuit, outputs first: y, h, alpha, z, bound, hPrevious. */
export const CHUNK_PUBLIC_SIGNALS = ["y", "h", "alpha", "z", "bound", "hPrevious"] as const;

/** One size of chunk: one circuit, one key. */
export interface ChunkKind {
  /** Name of the circuit instance, `chunk_<coordinates>x<bits>`. */
  readonly name: string;
  /** Coordinates proven by one proof; a multiple of SLOTS_PER_ELEMENT. */
  readonly coordinates: number;
  /** log2 of the evaluation domain. */
  readonly domainBits: number;
}

/** A coordinate width with the chunk sizes whose keys exist for it. */
export interface Preset {
  readonly name: PresetName;
  /** Bits of one signed coordinate; the lookup table has 2^coordinateBits rows. */
  readonly coordinateBits: number;
  /** In the order of their key index on chain, smallest first. */
  readonly kinds: readonly ChunkKind[];
}

export type PresetName = "tiny" | "standard";

/** `tiny` runs a round with proofs in seconds and is for tests; `standard` is for use. */
export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  tiny: {
    name: "tiny",
    coordinateBits: 8,
    kinds: [
      { name: "chunk_588x8", coordinates: 588, domainBits: 11 },
      { name: "chunk_2472x8", coordinates: 2472, domainBits: 12 },
    ],
  },
  standard: {
    name: "standard",
    coordinateBits: 12,
    kinds: [
      { name: "chunk_2676x12", coordinates: 2676, domainBits: 13 },
      { name: "chunk_10212x12", coordinates: 10212, domainBits: 14 },
      { name: "chunk_55416x12", coordinates: 55416, domainBits: 16 },
    ],
  },
};

/** Rows of a preset's lookup table, T. */
export function tableSize(preset: Preset): number {
  return 2 ** preset.coordinateBits;
}

/** Added to a signed coordinate to make it a row of the table. */
export function coordinateOffset(preset: Preset): number {
  return 2 ** (preset.coordinateBits - 1);
}

/** Elements of one chunk's block: the packed coordinates and the masks. */
export function chunkElements(kind: ChunkKind): number {
  return kind.coordinates / SLOTS_PER_ELEMENT + MASKS_PER_CHUNK;
}

/**
 * Checks the inequalities that the encoding's exactness rests on.
 * @throws PARAMETERS_INVALID naming the one that fails.
 */
export function assertPreset(preset: Preset): void {
  const { name } = preset;
  ensureRules(
    "PARAMETERS_INVALID",
    {
      "2 <= coordinateBits <= 12": preset.coordinateBits >= 2 && preset.coordinateBits <= 12,
      "W * 2^(bits-1) < 2^(slotBits-1)": MAX_TOTAL_WEIGHT * coordinateOffset(preset) < 2 ** (SLOT_BITS - 1),
      "slotBits * slots < 253": SLOT_BITS * SLOTS_PER_ELEMENT < 253,
    },
    { preset: name },
  );
  for (const kind of preset.kinds) {
    ensureRules(
      "PARAMETERS_INVALID",
      {
        "coordinates is a multiple of slots": kind.coordinates % SLOTS_PER_ELEMENT === 0,
        "coordinates + table + elements < domain":
          kind.coordinates + tableSize(preset) + kind.coordinates / SLOTS_PER_ELEMENT < 2 ** kind.domainBits,
        "N * K * 2^(2(bits-1)) < 2^48":
          kind.coordinates * MAX_CHUNKS * 2 ** (2 * (preset.coordinateBits - 1)) < 2 ** NORM_ACCUMULATOR_BITS,
      },
      { preset: name, kind: kind.name },
    );
  }
}
