/** The `ChunkProver` port over a key folder. */
import { closeCurve } from "../node/open-curve.ts";
import type { Curve } from "../curve/curve.ts";
import { openPointAdder } from "../curve/point-adder.ts";
import { VerisumError } from "../../protocol/errors.ts";
import { verifyProof } from "../../protocol/groth16.ts";
import type { ChunkProver, ChunkWires } from "../../protocol/ports.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import type { ChunkShape } from "./chunk-witness.ts";
import type { ProverCommand } from "./prover-command.ts";
import { proveWithCommand } from "./external-prover.ts";
import { proveWitness } from "./groth16-prover.ts";
import type { ProvedWitness } from "./groth16-prover.ts";
import type { KeySet } from "./key-set.ts";
import { readProvingKey } from "./proving-key.ts";
import { commitChunkWires } from "./wire-commitment.ts";
import { decodeWitnessProgram } from "./witness-file.ts";
import { witnessWriter } from "./witness-writer.ts";
import type { WitnessWriter } from "./witness-writer.ts";
import { WorkQueue } from "./work-queue.ts";

/** One proof keeps a core busy with its transforms while another one's sums are made; more would only take memory. */
const MIN_IN_FLIGHT = 2;
const MAX_IN_FLIGHT = 8;

interface LoadedKind {
  readonly shape: ChunkShape;
  readonly wireBases: Uint8Array;
  readonly writer: WitnessWriter;
  /** @param witness all wires, 32-byte little-endian words */
  prove(witness: Uint8Array): Promise<ProvedWitness>;
}

/** The port, and reading keys ahead of the first proof. */
export interface FolderProver extends ChunkProver {
  /** Reads and checks these kinds' files now. @throws KEY_REFUSED, KEY_ARTIFACT_CORRUPT, as the call that needs them */
  preload(kindIndexes: readonly number[]): Promise<void>;
}

/**
 * A prover that reads each kind's files when first needed and keeps them. It works on as many chunks at a time as there
 * are cores, in the order asked for, so its memory does not depend on how many it is asked for. `close` ends the shared
 * curve engine.
 * @param random blinds the proofs; must be a CSPRNG
 * @param command proves in place of the built-in prover; its proofs are verified before they are returned
 */
export function chunkProver(curve: Curve, keys: KeySet, random: RandomBytes, command?: ProverCommand): FolderProver {
  const kinds = new Map<number, Promise<LoadedKind>>();
  const queue = new WorkQueue(Math.min(Math.max(curve.tm.concurrency, MIN_IN_FLIGHT), MAX_IN_FLIGHT));
  const load = (kindIndex: number): Promise<LoadedKind> => {
    let kind = kinds.get(kindIndex);
    if (kind === undefined) {
      kind = loadKind(curve, keys, kindIndex, random, command);
      kinds.set(kindIndex, kind);
      kind.catch(() => kinds.delete(kindIndex)); // files that were missing may be there next time
    }
    return kind;
  };
  const assertVerifies = async (
    { shape, wireBases }: LoadedKind,
    kindIndex: number,
    wires: ChunkWires,
    proved: ProvedWitness,
  ): Promise<void> => {
    const d = await commitChunkWires(curve, shape, wireBases, wires);
    try {
      if (verifyProof(keys.verificationKeys, kindIndex, d, proved, proved.publicSignals)) return;
    } catch (cause) {
      throw new VerisumError(
        "PROVER_COMMAND_FAILED",
        "the proving command's proof has points at infinity or off the curve",
        {},
        { cause },
      );
    }
    throw new VerisumError("PROVER_COMMAND_FAILED", "the proving command's proof does not verify");
  };
  return {
    async preload(kindIndexes) {
      await Promise.all(kindIndexes.map(load));
    },
    commitWires: (kindIndex, wires) =>
      queue.run(async () => {
        const { shape, wireBases } = await load(kindIndex);
        return commitChunkWires(curve, shape, wireBases, wires);
      }),
    prove: (kindIndex, witness, challenge) =>
      queue.run(async () => {
        const kind = await load(kindIndex);
        const proved = await kind.prove(kind.writer.write(witness, challenge));
        const { a, b, c, publicSignals } = proved;
        const [y, h] = publicSignals;
        if (y === undefined || h === undefined)
          throw new VerisumError("KEY_ARTIFACT_CORRUPT", "the proving key has no public signals");
        if (command !== undefined) await assertVerifies(kind, kindIndex, witness, proved);
        return { a, b, c, y, h };
      }),
    async close() {
      kinds.clear();
      await closeCurve();
    },
  };
}

async function loadKind(
  curve: Curve,
  keys: KeySet,
  kindIndex: number,
  random: RandomBytes,
  command: ProverCommand | undefined,
): Promise<LoadedKind> {
  const { zkey, zkeyPath, wireBases, witnessProgram } = await keys.provingFiles(kindIndex);
  const shape = { coordinates: keys.preset.kinds[kindIndex]!.coordinates, coordinateBits: keys.preset.coordinateBits };
  const common = { shape, wireBases, writer: witnessWriter(shape, decodeWitnessProgram(witnessProgram)) };
  const publicCount = keys.verificationKeys.kinds[kindIndex]!.publicBases.length - 1;
  if (command !== undefined)
    return { ...common, prove: (witness) => proveWithCommand(command, zkeyPath, publicCount, witness) };
  const key = readProvingKey(zkey);
  const adder = await openPointAdder();
  return { ...common, prove: (witness) => proveWitness(curve, adder, key, witness, random) };
}
