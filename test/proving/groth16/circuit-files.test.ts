import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "mocha";
import { readSections, writeSections } from "../../../proving/groth16/binary-file.ts";
import { chunkMainSource, chunkWires } from "../../../proving/groth16/chunk-circuit.ts";
import type { ChunkShape } from "../../../proving/groth16/chunk-witness.ts";
import { circuitHash, compileCircuit, PROJECT_ROOT } from "../../../proving/groth16/circom.ts";
import { chunkInputs, CircomWitness } from "../../support/circom-witness.ts";
import { auditCommittedWires } from "../../../proving/groth16/circuit-audit.ts";
import { mainPathOf } from "../../../proving/groth16/compile-chunk.ts";
import { readR1cs, violatedConstraints } from "../../../proving/groth16/r1cs.ts";
import { decodeWitness } from "../../support/proving.ts";
import { chunkModel } from "../../support/chunk-model.ts";
import type { ChunkModel } from "../../support/chunk-model.ts";
import { PRESETS } from "../../../protocol/parameters.ts";
import { generateCircuitFiles } from "../../../scripts/generate-circuits.ts";
import { rejectsCode, throwsCode } from "../../support/errors.ts";

const KIND = PRESETS.tiny.kinds[0]!;
const SHAPE: ChunkShape = { coordinates: KIND.coordinates, coordinateBits: PRESETS.tiny.coordinateBits };
const WITNESS = {
  rows: new Uint16Array(KIND.coordinates).fill(130),
  masks: [1n, 2n, 3n],
  blinder: 4n,
  accumulatedBefore: 0n,
  saltBefore: 0n,
  salt: 5n,
};
const CHALLENGE = { alpha: 6n, z: 7n, bound: 1n << 40n };

describe("circuit files", function () {
  this.timeout(60_000);
  const scratch: string[] = [];
  let model: ChunkModel;
  before(async () => {
    model = await chunkModel(SHAPE, mainPathOf(KIND));
  });
  after(async () => {
    for (const folder of scratch) await rm(folder, { recursive: true, force: true });
  });

  async function scratchFolder(): Promise<string> {
    const folder = await mkdtemp(path.join(tmpdir(), "circuit-"));
    scratch.push(folder);
    return folder;
  }

  it("in the repository are what the generator writes", async () => {
    for (const [file, text] of Object.entries(generateCircuitFiles()))
      assert.equal(await readFile(path.join(PROJECT_ROOT, file), "utf8"), text, file);
  });

  it("are named by a hash that changes with an included source", async () => {
    const folder = path.join(PROJECT_ROOT, "build", "test-circuits");
    await mkdir(folder, { recursive: true });
    const main = "build/test-circuits/hashed.circom";
    await writeFile(path.join(PROJECT_ROOT, main), chunkMainSource(12, 4, "../../circuits/lib"));
    const first = await circuitHash(main);
    await writeFile(path.join(PROJECT_ROOT, main), chunkMainSource(24, 4, "../../circuits/lib"));
    assert.notEqual(await circuitHash(main), first);
  });

  it("that do not compile are reported with the compiler's message", async () => {
    const main = "build/test-circuits/broken.circom";
    await mkdir(path.join(PROJECT_ROOT, "build", "test-circuits"), { recursive: true });
    await writeFile(
      path.join(PROJECT_ROOT, main),
      "pragma circom 2.2.0;\ntemplate T() { signal input a; a <== ; }\ncomponent main = T();\n",
    );
    const outputRoot = await scratchFolder();
    await rejectsCode(compileCircuit(main, outputRoot), "CIRCUIT_COMPILATION");
    assert.deepEqual(await readdir(outputRoot), [], "nothing is left over");
  });

  it("with an untrustworthy layout are refused", () => {
    const { system, wires, symbols } = model;
    auditCommittedWires(system, wires, symbols);
    throwsCode(
      () => auditCommittedWires(system, wires, symbols.replace("main.row[5]\n", "main.row[6]\n")),
      "CIRCUIT_COMPILATION",
    );
    throwsCode(
      () =>
        auditCommittedWires(
          system,
          wires,
          symbols.replace(/^(\d+),\d+,(\d+),main\.mask\[1\]$/m, "$1,-1,$2,main.mask[1]"),
        ),
      "CIRCUIT_COMPILATION",
    );
    throwsCode(() => auditCommittedWires({ ...system, publicCount: 5 }, wires, symbols), "CIRCUIT_COMPILATION");
    throwsCode(
      () => auditCommittedWires(system, chunkWires(SHAPE.coordinates - 12, SHAPE.coordinateBits), symbols),
      "CIRCUIT_COMPILATION",
    );
  });

  it("that are truncated, extended or of another kind are refused", () => {
    const file = writeSections("r1cs", [
      [1, new Uint8Array(64)],
      [2, new Uint8Array(3)],
    ]);
    assert.deepEqual([...readSections(file, "r1cs").keys()], [1, 2]);
    throwsCode(() => readSections(file, "zkey"), "KEY_ARTIFACT_CORRUPT");
    for (const length of [0, 3, 11, 20, file.length - 1])
      throwsCode(() => readSections(file.subarray(0, length), "r1cs"), "KEY_ARTIFACT_CORRUPT");
    throwsCode(() => readSections(Uint8Array.of(...file, 0), "r1cs"), "KEY_ARTIFACT_CORRUPT");
    throwsCode(
      () =>
        readSections(
          writeSections("r1cs", [
            [1, file],
            [1, file],
          ]),
          "r1cs",
        ),
      "KEY_ARTIFACT_CORRUPT",
    );
    throwsCode(() => readR1cs(file), "KEY_ARTIFACT_CORRUPT");
    throwsCode(() => readR1cs(writeSections("r1cs", [])), "KEY_ARTIFACT_CORRUPT");
  });

  it("calculate the witness that the constraints determine", async () => {
    const calculator = await CircomWitness.load(model.wasm);
    const inputs = chunkInputs(SHAPE, WITNESS, CHALLENGE);
    const witness = decodeWitness(await calculator.calculate(inputs));
    assert.deepEqual(violatedConstraints(model.system, witness), []);
    const { row, count } = inputs as { row: Uint16Array; count: Uint16Array };
    const { masks: mask, ...rest } = WITNESS;
    assert.deepEqual(
      model.solve({ ...rest, ...CHALLENGE, row: Array.from(row, BigInt), count: Array.from(count, BigInt), mask }),
      witness,
    );
    await rejectsCode(calculator.calculate({ ...inputs, salt: [] }), "WITNESS_UNSATISFIED");
    await rejectsCode(calculator.calculate({ ...inputs, pepper: [1n] }), "WITNESS_UNSATISFIED");
    await rejectsCode(calculator.calculate({ ...inputs, hPrevious: [0n] }), "WITNESS_UNSATISFIED");
    await rejectsCode(calculator.calculate({ ...inputs, bound: [0n] }), "WITNESS_UNSATISFIED");
  });
});
