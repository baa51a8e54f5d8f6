/** A prover whose statements are true and whose proofs are nothing: the chain in memory does not verify them. */
import { evaluatePolynomial } from "../../protocol/field.ts";
import type { Layout } from "../../protocol/layout.ts";
import { packUpdate } from "../../protocol/packing.ts";
import { coordinateOffset } from "../../protocol/parameters.ts";
import { G1_GENERATOR, G2_GENERATOR, multiplyG1 } from "../../protocol/points.ts";
import type { ChunkProver } from "../../protocol/ports.ts";
import { poseidonPair } from "../../protocol/poseidon.ts";

/** What a submission of one chunk is about, by the x of its D: only the simulation's reference knows it. */
export type Secrets = Map<bigint, Int32Array>;

/** For layouts of one chunk. @param secrets is told every vector that is committed to */
export function openProver(layout: Layout, secrets: Secrets): ChunkProver {
  const offset = coordinateOffset(layout.preset);
  const vectorOf = (rows: Uint16Array): Int32Array =>
    Int32Array.from(rows.subarray(0, layout.dimension), (row) => row - offset);
  return {
    commitWires: (_, { rows, blinder }) => {
      const d = multiplyG1(G1_GENERATOR, blinder >> 190n); // short, and still of its own
      secrets.set(d.x, vectorOf(rows));
      return Promise.resolve(d);
    },
    prove: (_, { rows, masks, accumulatedBefore, salt }, { z }) => {
      const vector = vectorOf(rows);
      const norm = accumulatedBefore + BigInt(vector.reduce((sum, value) => sum + value * value, 0));
      return Promise.resolve({
        ...{ a: G1_GENERATOR, b: G2_GENERATOR, c: G1_GENERATOR },
        y: evaluatePolynomial(packUpdate(layout, vector, masks), z),
        h: poseidonPair(norm, salt),
      });
    },
    close: () => Promise.resolve(),
  };
}
