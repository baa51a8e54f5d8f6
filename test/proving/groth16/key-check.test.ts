import { after, before, describe, it } from "mocha";
import { closeCurve, openCurve } from "../../../proving/node/open-curve.ts";
import type { Curve } from "../../../proving/curve/curve.ts";
import assert from "node:assert/strict";
import {
  G1_BYTES,
  G2_BYTES,
  g1FromEngine,
  g1ToEngine,
  g2FromEngine,
  g2ToEngine,
} from "../../../proving/curve/bn254.ts";
import { readSections, writeSections } from "../../../proving/groth16/binary-file.ts";
import { chunkWires } from "../../../proving/groth16/chunk-circuit.ts";
import { compileChunk } from "../../../proving/groth16/compile-chunk.ts";
import { drawCommonSecrets, makeChunkKeys, makeCommonKeys } from "../../../proving/groth16/dev-setup.ts";
import type { ChunkKeys } from "../../../proving/groth16/dev-setup.ts";
import { isOfOrderR } from "../../../proving/curve/subgroup.ts";
import { checkProvingKey } from "../../../proving/groth16/key-check.ts";
import type { KeyReference } from "../../../proving/groth16/key-check.ts";
import { readZkey } from "../../../proving/groth16/proving-key.ts";
import { writeZkey, ZKEY_SECTION } from "../../../proving/groth16/zkey.ts";
import type { ZkeyPoints } from "../../../proving/groth16/zkey.ts";
import type { ConstraintSystem } from "../../../proving/groth16/r1cs.ts";
import type { ProvingKeyRule, KeyRule } from "../../../protocol/key-guard.ts";
import { BASE_FIELD_ORDER, PRESETS } from "../../../protocol/parameters.ts";
import { G2_GENERATOR, multiplyG2 } from "../../../protocol/points.ts";
import type { G2 } from "../../../protocol/points.ts";
import { rejectsCode } from "../../support/errors.ts";
import { pointOutsideG2 } from "../../support/points.ts";
import { seededRandom } from "../../support/random.ts";

const PRESET = PRESETS.tiny;
const KIND = PRESET.kinds[0]!;
const WIRES = chunkWires(KIND.coordinates, PRESET.coordinateBits);
const COMMITTED = { start: WIRES.rowStart, end: WIRES.committedEnd };

/** What a dishonest maker of keys changes; the rest is honest. */
interface Change {
  readonly points?: (points: ZkeyPoints, curve: Curve) => Partial<ZkeyPoints>;
  readonly wireBases?: (bases: Uint8Array, curve: Curve) => Uint8Array;
  readonly reference?: (reference: KeyReference, points: ZkeyPoints, curve: Curve) => Partial<KeyReference>;
  readonly system?: (system: ConstraintSystem) => ConstraintSystem;
}

/** A copy with the point at this index replaced. */
function withG1(
  curve: Curve,
  section: Uint8Array,
  index: number,
  change: (point: Uint8Array) => Uint8Array,
): Uint8Array {
  const copy = section.slice();
  const at = index * G1_BYTES;
  copy.set(curve.G1.toAffine(change(section.slice(at, at + G1_BYTES))), at);
  return copy;
}

function withG2(curve: Curve, section: Uint8Array, index: number, point: G2): Uint8Array {
  const copy = section.slice();
  copy.set(g2ToEngine(curve, point), index * G2_BYTES);
  return copy;
}

/** The order of the base field added to the first coordinate. */
function withoutReduction(points: Uint8Array): Uint8Array {
  const copy = points.slice();
  const view = new DataView(copy.buffer);
  let carry = 0n;
  for (let k = 0; k < 4; k++) {
    const sum =
      view.getBigUint64(k * 8, true) + ((BASE_FIELD_ORDER >> BigInt(64 * k)) & 0xffff_ffff_ffff_ffffn) + carry;
    view.setBigUint64(k * 8, sum & 0xffff_ffff_ffff_ffffn, true);
    carry = sum >> 64n;
  }
  return copy;
}

/** Index of the first point from `start` on that is not infinity. */
function firstPoint(section: Uint8Array, size: number, start = 0): number {
  let index = start;
  while (section.subarray(index * size, (index + 1) * size).every((byte) => byte === 0)) index++;
  return index;
}

/** Adds the generator to a base: of another secret, still in the group. */
const shifted =
  (part: "a" | "b1" | "c" | "h" | "publicBases", index?: number) =>
  (points: ZkeyPoints, curve: Curve): Partial<ZkeyPoints> => ({
    [part]: withG1(curve, points[part], index ?? firstPoint(points[part], G1_BYTES), (point) =>
      curve.G1.add(point, curve.G1.gAffine),
    ),
  });

const FORGERIES: Readonly<Record<string, readonly [Change, KeyRule]>> = {
  "blinds A and B with infinity": [
    { points: ({ delta1 }) => ({ delta1: new Uint8Array(delta1.length) }) },
    "delta-mismatch",
  ],
  "blinds A and B with another secret than it verifies with": [
    { points: (_, curve) => ({ delta1: curve.G1.gAffine.slice() }) },
    "delta-mismatch",
  ],
  "has another beta in G1": [{ points: (_, curve) => ({ beta1: curve.G1.gAffine.slice() }) }, "beta-mismatch"],
  "has another alpha": [{ points: (_, curve) => ({ alpha1: curve.G1.gAffine.slice() }) }, "verification-key-mismatch"],
  "has another gamma": [
    { points: (_, curve) => ({ gamma2: g2ToEngine(curve, multiplyG2(G2_GENERATOR, 7n)) }) },
    "verification-key-mismatch",
  ],
  "has public bases that are not verified with": [{ points: shifted("publicBases", 3) }, "verification-key-mismatch"],
  "has a base of A from elsewhere": [{ points: shifted("a") }, "a-bases"],
  "has a base of A for a wire that the row has not": [{ points: shifted("a", WIRES.blinder + 1) }, "a-bases"],
  "has a base of B in G1 from elsewhere": [{ points: shifted("b1") }, "b-bases"],
  "has a base of B in G2 from elsewhere": [
    { points: ({ b2 }, curve) => ({ b2: withG2(curve, b2, firstPoint(b2, G2_BYTES), multiplyG2(G2_GENERATOR, 5n)) }) },
    "b-bases",
  ],
  "has the same base of B from elsewhere in both groups": [
    {
      points: ({ b1, b2 }, curve) => {
        const index = firstPoint(b1, G1_BYTES);
        return {
          b1: withG1(curve, b1, index, () => curve.G1.timesScalar(curve.G1.gAffine, 5n)),
          b2: withG2(curve, b2, index, multiplyG2(G2_GENERATOR, 5n)),
        };
      },
    },
    "b-bases",
  ],
  "has a base over delta from elsewhere": [{ points: shifted("c") }, "wire-bases"],
  "exchanges the bases of two wires": [
    {
      points: ({ c }, curve) => {
        const first = firstPoint(c, G1_BYTES);
        const second = firstPoint(c, G1_BYTES, first + 1);
        const at = (index: number): Uint8Array => c.slice(index * G1_BYTES, (index + 1) * G1_BYTES);
        return {
          c: withG1(
            curve,
            withG1(curve, c, first, () => at(second)),
            second,
            () => at(first),
          ),
        };
      },
    },
    "wire-bases",
  ],
  "has a committed base from elsewhere": [
    { wireBases: (bases, curve) => withG1(curve, bases, 3, (point) => curve.G1.double(point)) },
    "wire-bases",
  ],
  "verifies with the public bases of another circuit": [
    {
      points: shifted("publicBases", 2),
      reference: ({ kind }, { publicBases }, curve) => ({
        kind: {
          ...kind,
          publicBases: kind.publicBases.map((_, s) =>
            g1FromEngine(
              curve,
              shifted("publicBases", 2)({ publicBases } as ZkeyPoints, curve).publicBases!.slice(
                s * G1_BYTES,
                (s + 1) * G1_BYTES,
              ),
            ),
          ),
        },
      }),
    },
    "wire-bases",
  ],
  "does not blind D": [
    { wireBases: (bases, curve) => withG1(curve, bases, WIRES.blinder - WIRES.rowStart, () => curve.G1.zeroAffine) },
    "point-invalid",
  ],
  "has a committed wire's base over delta as well": [
    {
      points: ({ c }, curve) => ({
        c: withG1(curve, c, WIRES.blinder - WIRES.publicCount - 1, () => curve.G1.gAffine),
      }),
    },
    "committed-twice",
  ],
  "has a base of the quotient from elsewhere": [{ points: shifted("h", 11) }, "quotient-bases"],
  "has an infinite base of the quotient": [
    { points: ({ h }, curve) => ({ h: withG1(curve, h, 0, () => curve.G1.zeroAffine) }) },
    "point-invalid",
  ],
  "has a point off the curve": [
    {
      points: ({ a }) => {
        const copy = a.slice();
        copy[firstPoint(a, G1_BYTES) * G1_BYTES]! ^= 1;
        return { a: copy };
      },
    },
    "point-invalid",
  ],
  "has a point outside of the group in G2": [
    { points: ({ b2 }, curve) => ({ b2: withG2(curve, b2, firstPoint(b2, G2_BYTES), pointOutsideG2()) }) },
    "point-invalid",
  ],
  "writes a coordinate in another way": [
    {
      points: ({ h }) => {
        return { h: withoutReduction(h) };
      },
    },
    "point-invalid",
  ],
  "writes a coordinate of alpha in another way": [
    { points: ({ alpha1 }) => ({ alpha1: withoutReduction(alpha1) }) },
    "point-invalid",
  ],
  "blinds A with a point off the curve": [
    { points: ({ delta1 }) => ({ delta1: delta1.map((byte, k) => (k === 0 ? byte ^ 1 : byte)) }) },
    "point-invalid",
  ],
  "multiplies the witness with other matrices": [
    {
      system: (system) => {
        const coefficient = [...system.a.coefficient];
        coefficient[0] = coefficient[0]! + 1n;
        return { ...system, a: { ...system.a, coefficient } };
      },
    },
    "circuit-mismatch",
  ],
  "comes with too few powers of tau to be checked": [
    { reference: ({ powers }) => ({ powers: powers.slice(0, powers.length - G1_BYTES) }) },
    "powers-too-few",
  ],
};

describe("the check of a proving key against its circuit", function () {
  this.timeout(120_000);
  const random = seededRandom("key check");
  let curve: Curve;
  let reference: KeyReference;
  let keys: ChunkKeys;
  let points: ZkeyPoints;

  before(async () => {
    curve = await openCurve();
    const { system } = await compileChunk(PRESET, KIND);
    const secrets = drawCommonSecrets(random);
    const common = await makeCommonKeys(curve, secrets, 2 ** (KIND.domainBits + 1));
    keys = await makeChunkKeys(curve, system, COMMITTED, secrets, random);
    reference = { system, committed: COMMITTED, powers: common.powers, keys: common, kind: keys.verificationKey };
    points = readZkey(keys.zkey);
  });
  after(closeCurve);

  it("accepts an honest key", () => checkProvingKey(curve, reference, keys, random));

  for (const [what, [change, rule]] of Object.entries(FORGERIES)) {
    it(`refuses one that ${what}: ${rule}`, async () => {
      const changed = { ...points, ...change.points?.(points, curve) };
      const files = {
        zkey: writeZkey(change.system?.(reference.system) ?? reference.system, 2 ** KIND.domainBits, changed),
        wireBases: change.wireBases?.(keys.wireBases, curve) ?? keys.wireBases,
      };
      const altered = { ...reference, ...change.reference?.(reference, points, curve) };
      await rejectsCode(checkProvingKey(curve, altered, files, random), "KEY_REFUSED", { rule });
    });
  }

  it("refuses a file that another prover would read differently", async () => {
    const sections = readSections(keys.zkey, "zkey");
    for (const [section, byte] of [
      [ZKEY_SECTION.protocol, 0],
      [ZKEY_SECTION.header, 0], // width of the base field
      [ZKEY_SECTION.header, 4], // its order
      [ZKEY_SECTION.header, 36], // width of the scalar field
      [ZKEY_SECTION.header, 40], // its order
    ] as const) {
      const changed = [...sections].map(([type, bytes]): [number, Uint8Array] => [
        type,
        type === section ? bytes.map((old, k) => (k === byte ? old ^ 2 : old)) : bytes,
      ]);
      const files = { zkey: writeSections("zkey", changed), wireBases: keys.wireBases };
      await rejectsCode(checkProvingKey(curve, reference, files, random), "KEY_ARTIFACT_CORRUPT");
    }
  });

  it("has a forgery for every rule that it refuses by", () => {
    const rules: Readonly<Record<ProvingKeyRule, boolean>> = {
      "circuit-mismatch": true,
      "powers-too-few": true,
      "verification-key-mismatch": true,
      "beta-mismatch": true,
      "delta-mismatch": true,
      "committed-twice": true,
      "a-bases": true,
      "b-bases": true,
      "wire-bases": true,
      "quotient-bases": true,
      // Of other files and of the circuit's outputs, tested where these are read.
      "witness-program": false,
      "circuit-unknown": false,
      "circuit-output": false,
      "powers-inconsistent": false,
      preset: false,
    };
    const tried = new Set(Object.values(FORGERIES).map(([, rule]) => rule));
    for (const [rule, isTried] of Object.entries(rules)) assert.equal(tried.has(rule as KeyRule), isTried, rule);
  });

  it("multiplies by the group's order itself: an engine that reduced it to zero would accept every point", () => {
    const outside = g2ToEngine(curve, pointOutsideG2());
    assert.equal(isOfOrderR(curve, outside), false);
    assert.equal(isOfOrderR(curve, curve.G2.gAffine), true);
    assert.deepEqual(g2FromEngine(curve, g2ToEngine(curve, G2_GENERATOR)), G2_GENERATOR);
    assert.deepEqual(g1ToEngine(curve, { x: 1n, y: 2n }), curve.G1.gAffine);
  });
});
