/** A prover for the demo's cheat: it proves what it can, and leaves the refusal to the contract. */
import { NORM_ACCUMULATOR_BITS } from "../protocol/parameters.ts";
import type { ChunkProver } from "../protocol/ports.ts";

const LOOSEST_BOUND = (1n << BigInt(NORM_ACCUMULATOR_BITS)) - 1n;

/**
 * While `cheating`, proves the chunk for the loosest bound that the circuit accepts instead of the round's: a valid
 * proof of a statement that the contract does not ask for.
 */
export function unguarded(prover: ChunkProver, cheating: () => boolean): ChunkProver {
  return {
    commitWires: (kindIndex, wires) => prover.commitWires(kindIndex, wires),
    prove: (kindIndex, witness, challenge) =>
      prover.prove(kindIndex, witness, cheating() ? { ...challenge, bound: LOOSEST_BOUND } : challenge),
    close: () => prover.close(),
  };
}
