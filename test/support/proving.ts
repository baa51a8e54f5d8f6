/** Tiny keys and provers for tests; one of them proves whatever it is given. */
import { randomFillSync } from "node:crypto";
import { PRESETS } from "../../protocol/parameters.ts";
import type { Preset } from "../../protocol/parameters.ts";
import type { G1 } from "../../protocol/points.ts";
import { encodeScalars, G1_BYTES, g1FromEngine, readScalar, SCALAR_BYTES } from "../../proving/curve/bn254.ts";
import { closeCurve, openCurve } from "../../proving/node/open-curve.ts";
import { openPointAdder } from "../../proving/curve/point-adder.ts";
import { chunkWires } from "../../proving/groth16/chunk-circuit.ts";
import { ensureDevKeys } from "../../proving/groth16/ensure-keys.ts";
import { proveWitness } from "../../proving/groth16/groth16-prover.ts";
import type { ProvedWitness } from "../../proving/groth16/groth16-prover.ts";
import { readProvingKey } from "../../proving/groth16/proving-key.ts";
import type { KeySet } from "../../proving/groth16/key-set.ts";

/** Keys on disk outlive a test, so they are never made from a seed. */
const csprng = (length: number): Uint8Array => randomFillSync(new Uint8Array(length));

/** Development keys of a preset's first kinds, made on first use. */
export async function devKeys(preset: Preset = PRESETS.tiny, kindCount = preset.kinds.length): Promise<KeySet> {
  return ensureDevKeys({ preset, kindCount, powers: 1024 }, { curve: await openCurve(), random: csprng });
}

/** A D and a proof for any wires at all: a prover that skips every check. */
export async function proveUnchecked(
  keys: KeySet,
  kindIndex: number,
  witness: readonly bigint[],
): Promise<ProvedWitness & { readonly d: G1 }> {
  const { zkey } = await keys.provingFiles(kindIndex);
  const proved = await proveWitness(
    await openCurve(),
    await openPointAdder(),
    readProvingKey(zkey),
    encodeScalars(witness),
    csprng,
  );
  return { d: await commitUnchecked(keys, kindIndex, witness), ...proved };
}

/** D for any values of the committed wires. */
export async function commitUnchecked(keys: KeySet, kindIndex: number, witness: readonly bigint[]): Promise<G1> {
  const curve = await openCurve();
  const { rowStart, committedEnd } = chunkWires(keys.preset.kinds[kindIndex]!.coordinates, keys.preset.coordinateBits);
  const { wireBases } = await keys.provingFiles(kindIndex);
  if (wireBases.length !== (committedEnd - rowStart) * G1_BYTES)
    throw new Error("the committed bases do not match the circuit");
  return g1FromEngine(
    curve,
    await curve.G1.multiExpAffine(wireBases, encodeScalars(witness.slice(rowStart, committedEnd))),
  );
}

/** Ends the engine's threads after a suite. */
export const closeEngine = closeCurve;

/** All wires of a calculated witness. */
export function decodeWitness(witness: Uint8Array): bigint[] {
  const view = new DataView(witness.buffer, witness.byteOffset, witness.byteLength);
  return Array.from({ length: witness.length / SCALAR_BYTES }, (_, wire) => readScalar(view, wire * SCALAR_BYTES));
}
