/**
 * Yardsticks for the processor: fixed work that nothing in this project changes. A measured time divided by a
 * yardstick's, taken in the same process a moment before, says more than seconds do on a machine whose speed is not
 * known.
 */
import type { WasmCurve } from "ffjavascript";
import { multiply } from "../../protocol/field.ts";
import { FIELD_ORDER } from "../../protocol/parameters.ts";

/** Multiplications of the field loop. */
export const CALIBRATION_MULTIPLICATIONS = 1_000_000;
/** Terms of the multi-exponentiation. */
export const CALIBRATION_TERMS = 4_096;
const SCALAR_BYTES = 32;

/** Milliseconds of each yardstick. */
export interface Calibration {
  /** Dependent multiplications in Fr on one thread, in JavaScript's integers. */
  readonly fieldMs: number;
  /** One multi-exponentiation in G1 by ffjavascript, on all threads, with scalars of full width. */
  readonly pointsMs: number;
}

/** Measures both yardsticks. */
export type Calibrate = () => Promise<Calibration>;

/** Prepares the yardsticks' inputs, the same on every machine. */
export function calibrationOn(curve: WasmCurve): Calibrate {
  const { bases, scalars } = fixedTerms(curve);
  return async () => {
    const fieldMs = fieldLoop();
    const started = performance.now();
    const sum = await curve.G1.multiExpAffine(bases, scalars);
    const pointsMs = performance.now() - started;
    if (curve.G1.isZero(sum)) throw new Error("the yardstick's sum is not zero");
    return { fieldMs, pointsMs };
  };
}

function fieldLoop(): number {
  const factor = FIELD_ORDER - 3n;
  let value = 2n;
  const started = performance.now();
  for (let i = 0; i < CALIBRATION_MULTIPLICATIONS; i++) value = multiply(value, factor);
  const milliseconds = performance.now() - started;
  if (value === 0n) throw new Error("a product of units is not zero");
  return milliseconds;
}

/** G, 2G, 3G, …, and powers of a fixed number below the order, little-endian. */
function fixedTerms({ G1 }: WasmCurve): { readonly bases: Uint8Array; readonly scalars: Uint8Array } {
  const bases = new Uint8Array(CALIBRATION_TERMS * G1.gAffine.length);
  const scalars = new Uint8Array(CALIBRATION_TERMS * SCALAR_BYTES);
  let point = G1.gAffine;
  let scalar = 3n;
  for (let i = 0; i < CALIBRATION_TERMS; i++) {
    bases.set(G1.toAffine(point), i * G1.gAffine.length);
    point = G1.add(point, G1.gAffine);
    for (let k = 0; k < SCALAR_BYTES; k++) scalars[i * SCALAR_BYTES + k] = Number((scalar >> BigInt(8 * k)) & 255n);
    scalar = multiply(scalar, FIELD_ORDER - 7n);
  }
  return { bases, scalars };
}
