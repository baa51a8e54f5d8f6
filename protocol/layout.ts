/** How a vector of coordinates is cut into chunks and elements. The layout is the task's, not the submitter's. */
import { VerisumError } from "./errors.ts";
import { chunkElements, MAX_CHUNKS } from "./parameters.ts";
import type { ChunkKind, Preset } from "./parameters.ts";

/** One chunk of a task's vector. */
export interface Chunk {
  /** Index into the preset's kinds, and into the keys on chain. */
  readonly kindIndex: number;
  readonly kind: ChunkKind;
  /** First coordinate; the last chunk's tail beyond `dimension` is zero padding. */
  readonly coordinateStart: number;
  /** First element of the chunk's block, the exponent of z that its evaluation is shifted by. */
  readonly elementStart: number;
  /** Elements of the block, masks included. */
  readonly elementCount: number;
}

export interface Layout {
  readonly preset: Preset;
  /** Coordinates of the model, without padding. */
  readonly dimension: number;
  readonly chunks: readonly Chunk[];
  /** M, elements of the whole vector, masks included. */
  readonly elementCount: number;
}

/**
 * The layout with the least proving work: the fewest rows of evaluation domain, then the fewest chunks; larger chunks
 * first.
 * @throws PARAMETERS_INVALID if the dimension is not a positive integer or needs more than MAX_CHUNKS chunks.
 */
export function layoutFor(preset: Preset, dimension: number): Layout {
  assertDimension(dimension);
  const largest = preset.kinds.length - 1;
  if (dimension > MAX_CHUNKS * preset.kinds[largest]!.coordinates) {
    throw new VerisumError("PARAMETERS_INVALID", `${dimension} coordinates need more than ${MAX_CHUNKS} chunks`, {
      dimension,
      chunks: MAX_CHUNKS,
    });
  }
  const whole = Math.max(0, Math.floor(dimension / preset.kinds[largest]!.coordinates) - 1);
  const rest = dimension - whole * preset.kinds[largest]!.coordinates;
  const kindIndexes = [...Array<number>(whole).fill(largest), ...cheapestCover(preset, rest, largest).kindIndexes];
  return layoutOf(preset, dimension, kindIndexes);
}

/**
 * The layout with the given kinds in order, as a contract states them.
 * @throws PARAMETERS_INVALID if they do not cover the dimension, a whole chunk is padding, or a larger kind follows a
 * smaller one.
 */
export function layoutOf(preset: Preset, dimension: number, kindIndexes: readonly number[]): Layout {
  assertDimension(dimension);
  const chunks: Chunk[] = [];
  let coordinateStart = 0;
  let elementStart = 0;
  for (const kindIndex of kindIndexes) {
    const kind = preset.kinds[kindIndex];
    const isLarger = kindIndex > (chunks.at(-1)?.kindIndex ?? kindIndex);
    if (kind === undefined || coordinateStart >= dimension || isLarger) {
      throw new VerisumError("PARAMETERS_INVALID", "the chunk kinds do not fit the dimension", {
        dimension,
        chunks: kindIndexes.length,
      });
    }
    const elementCount = chunkElements(kind);
    chunks.push({ kindIndex, kind, coordinateStart, elementStart, elementCount });
    coordinateStart += kind.coordinates;
    elementStart += elementCount;
  }
  if (coordinateStart < dimension || chunks.length > MAX_CHUNKS) {
    throw new VerisumError(
      "PARAMETERS_INVALID",
      `${chunks.length} chunks do not cover ${dimension} coordinates within ${MAX_CHUNKS}`,
      { dimension, chunks: chunks.length },
    );
  }
  return { preset, dimension, chunks, elementCount: elementStart };
}

function assertDimension(dimension: number): void {
  if (!Number.isSafeInteger(dimension) || dimension < 1) {
    throw new VerisumError("PARAMETERS_INVALID", `dimension ${dimension} is not a positive integer`, { dimension });
  }
}

interface Cover {
  readonly rows: number;
  readonly kindIndexes: readonly number[];
}

/** The cheapest multiset of kinds with index <= `largest` that covers `coordinates`. */
function cheapestCover(preset: Preset, coordinates: number, largest: number): Cover {
  if (coordinates <= 0) return { rows: 0, kindIndexes: [] };
  const kind = preset.kinds[largest]!;
  const rowsEach = 2 ** kind.domainBits;
  const most = Math.ceil(coordinates / kind.coordinates);
  let best: Cover | undefined;
  for (let count = largest === 0 ? most : 0; count <= most; count++) {
    const rest = coordinates - count * kind.coordinates;
    const tail: Cover = largest === 0 ? { rows: 0, kindIndexes: [] } : cheapestCover(preset, rest, largest - 1);
    const rows = count * rowsEach + tail.rows;
    const chunkCount = count + tail.kindIndexes.length;
    if (best === undefined || rows < best.rows || (rows === best.rows && chunkCount < best.kindIndexes.length)) {
      best = { rows, kindIndexes: [...Array<number>(count).fill(largest), ...tail.kindIndexes] };
    }
  }
  return best!;
}
