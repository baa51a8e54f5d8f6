import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { describe, it } from "mocha";
import { circuitHash, PROJECT_ROOT } from "../../proving/groth16/circom.ts";
import { compileChunk, mainPathOf } from "../../proving/groth16/compile-chunk.ts";
import { CONSTRAINT_SYSTEM_DIGESTS } from "../../proving/groth16/generated/constraint-systems.ts";
import { digestOf } from "../../proving/node/key-folder.ts";
import { domainBitsFor } from "../../proving/groth16/qap.ts";
import type { ConstraintSystem, SparseMatrix } from "../../proving/groth16/r1cs.ts";
import { PRESETS, SLOTS_PER_ELEMENT } from "../../protocol/parameters.ts";

/** Kinds whose compilation takes longer than a test should; counted if a build has already compiled them. */
const SLOW_COORDINATES = 50_000;

const snapshot = JSON.parse(readFileSync(new URL("./constraint-counts.json", import.meta.url), "utf8")) as Record<
  string,
  { constraints: number; linear: number; wires: number }
>;

describe("constraints of the chunk circuits", function () {
  this.timeout(120_000);

  for (const preset of Object.values(PRESETS)) {
    for (const kind of preset.kinds) {
      it(`${kind.name} has exactly the recorded counts and digest, and fills its domain`, async function () {
        const compiled = path.join(
          PROJECT_ROOT,
          "build",
          "circuits",
          `${kind.name}-${(await circuitHash(mainPathOf(kind))).slice(0, 16)}`,
        );
        if (kind.coordinates > SLOW_COORDINATES && !existsSync(compiled)) this.skip();
        const { system, circuit } = await compileChunk(preset, kind);
        assert.equal(CONSTRAINT_SYSTEM_DIGESTS[kind.name], digestOf(await readFile(circuit.r1csPath)).sha256);
        assert.deepEqual(
          { constraints: system.constraintCount, linear: linearCount(system), wires: system.wireCount },
          snapshot[kind.name],
        );
        assert.equal(domainBitsFor(system), kind.domainBits);
        const spare = 2 ** kind.domainBits - system.constraintCount - system.publicCount - 1;
        assert.ok(spare >= 0 && spare < SLOTS_PER_ELEMENT + 2, `${spare} rows are spare: another element would fit`);
      });
    }
  }

  it("keeps every inverse out of the right factor, which the product in G2 runs over", async () => {
    const kind = PRESETS.tiny.kinds[0]!;
    const { system } = await compileChunk(PRESETS.tiny, kind);
    const distinctRight = new Set(system.b.wire).size;
    assert.ok(distinctRight < kind.coordinates + 1000, `${distinctRight} wires on the right`);
  });
});

function linearCount(system: ConstraintSystem): number {
  const empty = (matrix: SparseMatrix, row: number): boolean => matrix.rowStart[row] === matrix.rowStart[row + 1];
  return Array.from({ length: system.constraintCount }, (_, row) => row).filter(
    (row) => empty(system.a, row) || empty(system.b, row),
  ).length;
}
