/** D = Σ (committed wire)·K_i/sigma: the group element that fixes the committed wires before the challenge exists. */
import { encodeScalars, G1_BYTES, g1FromEngine } from "../curve/bn254.ts";
import type { Curve } from "../curve/curve.ts";
import { multiExponentiation } from "../curve/multi-exponentiation.ts";
import type { G1 } from "../../protocol/points.ts";
import type { ChunkWires } from "../../protocol/ports.ts";
import { assertWires, histogram } from "./chunk-witness.ts";
import type { ChunkShape } from "./chunk-witness.ts";

const NARROW_BYTES = 2;

/**
 * Commits to rows, histogram, masks and blinder. Rows and counts fit 16 bits and are passed so, which makes the sum
 * an order of magnitude cheaper than with full-width scalars.
 * @param bases affine points of the committed wires in order, the engine's bytes
 */
export async function commitChunkWires(
  curve: Curve,
  shape: ChunkShape,
  bases: Uint8Array,
  wires: ChunkWires,
): Promise<G1> {
  assertWires(wires);
  const counts = histogram(shape, wires.rows);
  const narrowCount = wires.rows.length + counts.length;
  const narrow = new Uint8Array(narrowCount * NARROW_BYTES);
  const view = new DataView(narrow.buffer);
  wires.rows.forEach((row, i) => view.setUint16(i * NARROW_BYTES, row, true));
  counts.forEach((count, t) => view.setUint16((wires.rows.length + t) * NARROW_BYTES, count, true));
  const [narrowSum, wideSum] = await Promise.all([
    multiExponentiation(curve, bases.subarray(0, narrowCount * G1_BYTES), narrow),
    multiExponentiation(curve, bases.subarray(narrowCount * G1_BYTES), encodeScalars([...wires.masks, wires.blinder])),
  ]);
  return g1FromEngine(curve, curve.G1.add(narrowSum, wideSum));
}
