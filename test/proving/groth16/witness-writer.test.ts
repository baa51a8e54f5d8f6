import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "mocha";
import { chunkWires, PUBLIC_INPUT_WIRES } from "../../../proving/groth16/chunk-circuit.ts";
import type { ChunkShape } from "../../../proving/groth16/chunk-witness.ts";
import { compileChunk } from "../../../proving/groth16/compile-chunk.ts";
import type { ConstraintSystem, SparseMatrix } from "../../../proving/groth16/r1cs.ts";
import { violatedConstraints } from "../../../proving/groth16/r1cs.ts";
import { decodeWitnessProgram, encodeWitnessProgram } from "../../../proving/groth16/witness-file.ts";
import { STEP, witnessProgram } from "../../../proving/groth16/witness-program.ts";
import type { WitnessProgram } from "../../../proving/groth16/witness-program.ts";
import { witnessWriter } from "../../../proving/groth16/witness-writer.ts";
import { randomElement } from "../../../protocol/field.ts";
import { FIELD_ORDER, MASKS_PER_CHUNK, NORM_ACCUMULATOR_BITS, PRESETS } from "../../../protocol/parameters.ts";
import type { ChunkKind, Preset } from "../../../protocol/parameters.ts";
import type { ChunkChallenge, ChunkWitness } from "../../../protocol/ports.ts";
import type { RandomBytes } from "../../../protocol/random.ts";
import { chunkInputs, CircomWitness } from "../../support/circom-witness.ts";
import { throwsCode } from "../../support/errors.ts";
import { decodeWitness } from "../../support/proving.ts";
import { seededRandom } from "../../support/random.ts";

const MAX_BOUND = (1n << BigInt(NORM_ACCUMULATOR_BITS)) - 1n;

interface Circuit {
  readonly shape: ChunkShape;
  readonly system: ConstraintSystem;
  readonly calculator: Uint8Array;
  readonly program: WitnessProgram;
}

async function circuitOf(preset: Preset, kind: ChunkKind): Promise<Circuit> {
  const { circuit, system } = await compileChunk(preset, kind);
  const program = witnessProgram(
    system,
    PUBLIC_INPUT_WIRES.alpha,
    chunkWires(kind.coordinates, preset.coordinateBits).inputsEnd,
  );
  return {
    shape: { coordinates: kind.coordinates, coordinateBits: preset.coordinateBits },
    system,
    calculator: await readFile(circuit.wasmPath),
    program,
  };
}

/** Rows of the whole table, in the middle of a chain. */
function randomCase(
  { coordinates, coordinateBits }: ChunkShape,
  random: RandomBytes,
): { witness: ChunkWitness; challenge: ChunkChallenge } {
  const bytes = random(2 * coordinates);
  const witness = {
    rows: Uint16Array.from(
      { length: coordinates },
      (_, i) => (bytes[2 * i]! + 256 * bytes[2 * i + 1]!) % 2 ** coordinateBits,
    ),
    masks: Array.from({ length: MASKS_PER_CHUNK }, () => randomElement(random)),
    blinder: randomElement(random),
    accumulatedBefore: BigInt(random(1)[0]!) << 30n,
    saltBefore: randomElement(random),
    salt: randomElement(random),
  };
  return { witness, challenge: { alpha: randomElement(random), z: randomElement(random), bound: MAX_BOUND } };
}

describe("witness writer", function () {
  this.timeout(120_000);
  const tiny = PRESETS.tiny.kinds[0]!;

  for (const preset of Object.values(PRESETS)) {
    for (const kind of preset.kinds) {
      it(`writes every wire of ${kind.name} as circom's calculator does`, async () => {
        const { shape, calculator, program } = await circuitOf(preset, kind);
        const reference = await CircomWitness.load(calculator);
        const writer = witnessWriter(shape, decodeWitnessProgram(encodeWitnessProgram(program)));
        const random = seededRandom(`witness of ${kind.name}`);
        const { witness, challenge } = randomCase(shape, random);
        const extremes: ChunkWitness[] = [
          {
            ...witness,
            rows: new Uint16Array(shape.coordinates).fill(2 ** (shape.coordinateBits - 1)),
            accumulatedBefore: 0n,
            saltBefore: 0n,
          },
          {
            ...witness,
            rows: new Uint16Array(shape.coordinates),
            masks: [0n, 1n, FIELD_ORDER - 1n],
            blinder: 0n,
            salt: FIELD_ORDER - 1n,
          },
        ];
        for (const each of [witness, ...extremes, randomCase(shape, random).witness]) {
          const expected = await reference.calculate(chunkInputs(shape, each, challenge));
          assert.equal(Buffer.compare(writer.write(each, challenge), expected), 0);
        }
      });
    }
  }

  it("satisfies every constraint up to a norm equal to the bound, and refuses beyond", async () => {
    const { shape, system, program } = await circuitOf(PRESETS.tiny, tiny);
    const writer = witnessWriter(shape, program);
    const { witness, challenge } = randomCase(shape, seededRandom("bound"));
    const offset = 2 ** (shape.coordinateBits - 1);
    const norm = witness.accumulatedBefore + witness.rows.reduce((sum, row) => sum + BigInt((row - offset) ** 2), 0n);
    const exact = { ...challenge, bound: norm };
    assert.deepEqual(violatedConstraints(system, decodeWitness(writer.write(witness, exact))), []);
    throwsCode(() => writer.write(witness, { ...exact, bound: norm - 1n }), "UPDATE_OVER_BOUND");
    throwsCode(
      () => writer.write({ ...witness, accumulatedBefore: MAX_BOUND }, { ...exact, bound: MAX_BOUND + norm }),
      "WITNESS_UNSATISFIED",
    );
    throwsCode(() => writer.write(witness, { ...exact, bound: MAX_BOUND + norm + 1n }), "WITNESS_UNSATISFIED");
  });

  it("refuses values outside their range, and alpha that is minus an entry", async () => {
    const { shape, program } = await circuitOf(PRESETS.tiny, tiny);
    const writer = witnessWriter(shape, program);
    const { witness, challenge } = randomCase(shape, seededRandom("range"));
    for (const accumulatedBefore of [-1n, MAX_BOUND + 1n])
      throwsCode(
        () => writer.write({ ...witness, accumulatedBefore }, { ...challenge, bound: 2n * MAX_BOUND }),
        "WITNESS_UNSATISFIED",
      );
    for (const name of ["salt", "saltBefore"] as const) {
      for (const value of [-1n, FIELD_ORDER])
        throwsCode(() => writer.write({ ...witness, [name]: value }, challenge), "WITNESS_UNSATISFIED");
    }
    throwsCode(() => writer.write({ ...witness, rows: witness.rows.with(5, 256) }, challenge), "UPDATE_OVER_BOUND");
    for (const entry of [0n, 1n, 255n])
      throwsCode(
        () => writer.write(witness, { ...challenge, alpha: (FIELD_ORDER - entry) % FIELD_ORDER }),
        "WITNESS_UNSATISFIED",
      );
  });
});

describe("witness program", function () {
  this.timeout(60_000);
  const kind = PRESETS.tiny.kinds[0]!;

  it("with a missing, repeated or malformed step is refused when it is read", async () => {
    const { shape, program } = await circuitOf(PRESETS.tiny, kind);
    const refused = (changed: Partial<WitnessProgram>): void =>
      throwsCode(() => decodeWitnessProgram(encodeWitnessProgram({ ...program, ...changed })), "KEY_ARTIFACT_CORRUPT");
    refused({ wireCount: program.wireCount + 1 });
    refused({ wireCount: program.wireCount - 1 });
    refused({ givenEnd: program.givenEnd + 1 });
    refused({ givenEnd: program.givenEnd - 1 });
    refused({ givenStart: program.wireCount + 1 });
    refused({ coefficients: program.coefficients.slice(1) });
    refused({ coefficients: [FIELD_ORDER, ...program.coefficients.slice(1)] });
    refused({ steps: program.steps.slice(0, -1) });
    refused({ steps: program.steps.slice(0, -2) });
    refused({ steps: Uint32Array.of(...program.steps, ...program.steps.subarray(0, 40)) });
    refused({ steps: program.steps.with(0, 3) });
    refused({ steps: program.steps.with(2, 2 ** 32 - 1) });
    refused({ steps: program.steps.with(5, program.wireCount) });
    throwsCode(() => witnessWriter({ ...shape, coordinates: shape.coordinates - 12 }, program), "KEY_ARTIFACT_CORRUPT");
  });

  it("defines products, sums and digits, and checks what it need not use", () => {
    // Wires: 1, x, y given; 3 = x·y, 4 and 5 digits of 3·x, and x·y = y·x.
    const system: ConstraintSystem = {
      wireCount: 6,
      publicCount: 0,
      constraintCount: 5,
      a: matrix([[[1, 2n]], [], [[4, 1n]], [[5, 1n]], [[2, 1n]]]),
      b: matrix([
        [[2, 1n]],
        [],
        [
          [4, 1n],
          [0, FIELD_ORDER - 1n],
        ],
        [
          [5, 1n],
          [0, FIELD_ORDER - 1n],
        ],
        [[1, 2n]],
      ]),
      c: matrix([
        [[3, 2n]],
        [
          [1, 3n],
          [4, FIELD_ORDER - 1n],
          [5, FIELD_ORDER - 2n],
        ],
        [],
        [],
        [[3, 2n]],
      ]),
    };
    const { steps } = witnessProgram(system, 1, 3);
    const operations: number[] = [];
    for (
      let at = 0;
      at < steps.length;
      at +=
        5 + (steps[at] === STEP.digits ? steps[at + 1]! : 0) + 2 * (steps[at + 2]! + steps[at + 3]! + steps[at + 4]!)
    )
      operations.push(steps[at]!);
    assert.deepEqual(operations.toSorted(), [STEP.define, STEP.check, STEP.check, STEP.check, STEP.digits]);
  });

  it("does not exist for a circuit that its inputs do not determine", () => {
    const empty = matrix([[]]);
    throwsCode(
      () =>
        witnessProgram(
          { wireCount: 3, publicCount: 0, constraintCount: 1, a: empty, b: empty, c: matrix([[[1, 1n]]]) },
          1,
          2,
        ),
      "CIRCUIT_COMPILATION",
    );
    const root = matrix([[[2, 1n]]]);
    throwsCode(
      () =>
        witnessProgram(
          { wireCount: 3, publicCount: 0, constraintCount: 1, a: root, b: root, c: matrix([[[1, 1n]]]) },
          1,
          2,
        ),
      "CIRCUIT_COMPILATION",
    );
  });
});

function matrix(rows: readonly (readonly (readonly [wire: number, coefficient: bigint])[])[]): SparseMatrix {
  const entries = rows.flat();
  const rowStart = Uint32Array.from([0, ...rows.map((_, k) => rows.slice(0, k + 1).flat().length)]);
  return {
    rowStart,
    wire: Uint32Array.from(entries, ([wire]) => wire),
    coefficient: entries.map(([, coefficient]) => coefficient),
  };
}
