/** The `ChunkProver` port over a key folder. */
import type { WasmCurve } from "ffjavascript";
import { closeCurve } from "../curve/bn254.ts";
import { openPointAdder } from "../curve/point-adder.ts";
import { VerisumError } from "../../protocol/errors.ts";
import type { ChunkProver } from "../../protocol/ports.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import { chunkInputs } from "./chunk-witness.ts";
import type { ChunkShape } from "./chunk-witness.ts";
import { CircomWitness } from "./circom-witness.ts";
import { proveWitness } from "./groth16-prover.ts";
import type { KeySet } from "./key-set.ts";
import { readProvingKey } from "./proving-key.ts";
import type { ProvingKey } from "./proving-key.ts";
import { commitChunkWires } from "./wire-commitment.ts";

interface LoadedKind {
  readonly shape: ChunkShape;
  readonly wireBases: Uint8Array;
  readonly key: ProvingKey;
  readonly calculator: CircomWitness;
}

/**
 * A prover that reads each kind's files when first needed and keeps them. `close` ends the shared curve engine.
 * @param random blinds the proofs; must be a CSPRNG
 */
export function chunkProver(curve: WasmCurve, keys: KeySet, random: RandomBytes): ChunkProver {
  const kinds = new Map<number, Promise<LoadedKind>>();
  const load = (kindIndex: number): Promise<LoadedKind> => {
    let kind = kinds.get(kindIndex);
    if (kind === undefined) {
      kind = loadKind(keys, kindIndex);
      kinds.set(kindIndex, kind);
      kind.catch(() => kinds.delete(kindIndex)); // files that were missing may be there next time
    }
    return kind;
  };
  return {
    async commitWires(kindIndex, wires) {
      const { shape, wireBases } = await load(kindIndex);
      return commitChunkWires(curve, shape, wireBases, wires);
    },
    async prove(kindIndex, witness, challenge) {
      const { shape, key, calculator } = await load(kindIndex);
      const wires = await calculator.calculate(chunkInputs(shape, witness, challenge));
      const { a, b, c, publicSignals } = await proveWitness(curve, await openPointAdder(), key, wires, random);
      const [y, h] = publicSignals;
      if (y === undefined || h === undefined) throw new VerisumError("KEY_ARTIFACT_CORRUPT", "the proving key has no public signals");
      return { a, b, c, y, h };
    },
    async close() {
      kinds.clear();
      await closeCurve();
    },
  };
}

async function loadKind(keys: KeySet, kindIndex: number): Promise<LoadedKind> {
  const { zkey, wireBases, witnessCalculator } = await keys.provingFiles(kindIndex);
  const { coordinates } = keys.preset.kinds[kindIndex]!;
  return {
    shape: { coordinates, coordinateBits: keys.preset.coordinateBits },
    wireBases,
    key: readProvingKey(zkey),
    calculator: await CircomWitness.load(witnessCalculator),
  };
}
