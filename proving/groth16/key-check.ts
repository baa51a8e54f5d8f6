/**
 * Checks every base of a proving key against the constraint system that it is said to be made of (docs/protocol.md,
 * section 9). Whoever made a key that passes may know its secrets, and can then forge proofs; but a proof made with it
 * still tells nothing about its witness beyond the public signals, and verifies if the witness is right.
 *
 * Sums over all wires are compared, weighted with random 128-bit numbers: equal for other bases with probability
 * 2^-128.
 */
import type { Curve } from "../curve/curve.ts";
import { VerisumError } from "../../protocol/errors.ts";
import type { KeyRule } from "../../protocol/key-guard.ts";
import {
  equalG1,
  equalG2,
  G1_GENERATOR,
  G2_GENERATOR,
  isInfinity,
  negateG1,
  pairingProductIsOne,
} from "../../protocol/points.ts";
import type { G1, G2 } from "../../protocol/points.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import type { ChunkVerificationKey, VerificationKeys } from "../../protocol/verification-key.ts";
import { G1_BYTES, g1FromEngine, G2_BYTES, g2FromEngine } from "../curve/bn254.ts";
import { baseTable, multiExponentiation } from "../curve/multi-exponentiation.ts";
import type { BaseTable } from "../curve/multi-exponentiation.ts";
import { openPointAdder } from "../curve/point-adder.ts";
import { areInG2 } from "../curve/subgroup.ts";
import type { CommittedRange } from "./dev-setup.ts";
import { commitEvaluations, RandomWeights } from "./evaluation-commitment.ts";
import { domainBitsFor } from "./qap.ts";
import type { ConstraintSystem } from "./r1cs.ts";
import { coefficientSection } from "./zkey.ts";
import { readZkey } from "./proving-key.ts";
import type { ZkeyContents } from "./proving-key.ts";

/** What a key is checked against. */
export interface KeyReference {
  /** Compiled from sources that the checker trusts, with rows oriented as provers read them. */
  readonly system: ConstraintSystem;
  readonly committed: CommittedRange;
  /** [tau^i]_1 in the engine's affine bytes, known to be powers of `keys.tau`; at least twice the domain. */
  readonly powers: Uint8Array;
  readonly keys: Pick<VerificationKeys, "alpha" | "beta" | "tau">;
  readonly kind: ChunkVerificationKey;
}

/** The files of one kind, as a stranger gave them. */
export interface KeyFiles {
  readonly zkey: Uint8Array;
  /** Bases of the committed wires over sigma, in order. */
  readonly wireBases: Uint8Array;
}

/**
 * Checks one chunk kind's proving files.
 * @param random the weights; a CSPRNG
 * @throws KEY_REFUSED with `details.rule`, KEY_ARTIFACT_CORRUPT for a malformed file
 */
export async function checkProvingKey(
  curve: Curve,
  reference: KeyReference,
  files: KeyFiles,
  random: RandomBytes,
): Promise<void> {
  const zkey = readZkey(files.zkey);
  checkSize(reference, zkey, files);
  await checkHeaderPoints(zkey);
  checkHeader(curve, reference, zkey);
  const tables = tablesOf(reference, zkey, files);
  await checkPoints(curve, zkey, files, tables, random);
  await checkWireBases(curve, reference, tables, random);
  await checkQuotientBases(curve, reference, zkey.h, random);
}

/** The bases of a key by what they multiply; infinite ones are left out. */
interface KeyTables {
  readonly a: BaseTable;
  readonly b1: BaseTable;
  readonly b2: BaseTable;
  /** Over delta. */
  readonly private: BaseTable;
  /** Over sigma. */
  readonly committed: BaseTable;
  /** Over the generator. */
  readonly public: BaseTable;
}

function tablesOf({ system, committed }: KeyReference, zkey: ZkeyContents, { wireBases }: KeyFiles): KeyTables {
  const own = baseTable("G1", zkey.c, system.publicCount + 1);
  const twice = own.wires.find((wire) => wire >= committed.start && wire < committed.end);
  if (twice !== undefined) throw refused("committed-twice", `wire ${twice} has a base over delta and one over sigma`);
  return {
    a: baseTable("G1", zkey.a),
    b1: baseTable("G1", zkey.b1),
    b2: baseTable("G2", zkey.b2),
    private: own,
    committed: baseTable("G1", wireBases, committed.start),
    public: baseTable("G1", zkey.publicBases),
  };
}

/** Numbers of wires and points, and the matrices that the prover multiplies its witness with. */
function checkSize({ system, committed, powers }: KeyReference, zkey: ZkeyContents, { wireBases }: KeyFiles): void {
  const domainSize = 2 ** domainBitsFor(system);
  const sizes = [
    [zkey.wireCount, system.wireCount],
    [zkey.publicCount, system.publicCount],
    [zkey.domainSize, domainSize],
    [zkey.a.length, system.wireCount * G1_BYTES],
    [zkey.b1.length, system.wireCount * G1_BYTES],
    [zkey.b2.length, system.wireCount * G2_BYTES],
    [zkey.c.length, (system.wireCount - system.publicCount - 1) * G1_BYTES],
    [zkey.publicBases.length, (system.publicCount + 1) * G1_BYTES],
    [zkey.h.length, domainSize * G1_BYTES],
    [wireBases.length, (committed.end - committed.start) * G1_BYTES],
  ] as const;
  if (sizes.some(([actual, expected]) => actual !== expected))
    throw refused("circuit-mismatch", "its sizes are those of another constraint system");
  if (!equalBytes(zkey.coefficients, coefficientSection(system)))
    throw refused("circuit-mismatch", "its matrices are those of another constraint system");
  if (powers.length < 2 * domainSize * G1_BYTES)
    throw refused("powers-too-few", `${powers.length / G1_BYTES} powers of tau, ${2 * domainSize} are needed`);
}

/** Before anything is computed with them: points of their curves, each in its one encoding, or infinity. */
async function checkHeaderPoints(zkey: ZkeyContents): Promise<void> {
  const adder = await openPointAdder();
  for (const part of ["alpha1", "beta1", "delta1", "beta2", "gamma2", "delta2"] as const) {
    const group = part.endsWith("1") ? "G1" : "G2";
    const { points } = baseTable(group, zkey[part]);
    if (!adder.areProperPoints(points, group)) throw refused("point-invalid", `its ${part}`);
  }
}

/** alpha, beta, gamma, delta are the verification key's, and of one secret in both groups. */
function checkHeader(curve: Curve, { keys, kind }: KeyReference, zkey: ZkeyContents): void {
  const g1 = (point: Uint8Array): G1 => g1FromEngine(curve, point);
  const g2 = (point: Uint8Array): G2 => g2FromEngine(curve, point);
  const isVerified =
    equalG1(g1(zkey.alpha1), keys.alpha) &&
    equalG2(g2(zkey.beta2), keys.beta) &&
    equalG2(g2(zkey.gamma2), G2_GENERATOR) &&
    equalG2(g2(zkey.delta2), kind.delta) &&
    kind.publicBases.length === zkey.publicBases.length / G1_BYTES &&
    kind.publicBases.every((base, s) => equalG1(base, g1(zkey.publicBases.slice(s * G1_BYTES, (s + 1) * G1_BYTES))));
  if (!isVerified) throw refused("verification-key-mismatch", "it is not of the verification key beside it");
  for (const [rule, first, second] of [
    ["beta-mismatch", g1(zkey.beta1), keys.beta],
    ["delta-mismatch", g1(zkey.delta1), kind.delta],
  ] as const) {
    if (isInfinity(first) || !sameSecret(first, second)) throw refused(rule, "its two forms are of two secrets");
  }
}

/** Every point is one of its group, in its one encoding; nothing that has to be finite is infinite. */
async function checkPoints(
  curve: Curve,
  zkey: ZkeyContents,
  { wireBases }: KeyFiles,
  tables: KeyTables,
  random: RandomBytes,
): Promise<void> {
  const adder = await openPointAdder();
  const parts = { a: tables.a.points, b1: tables.b1.points, private: tables.private.points, committed: wireBases };
  for (const [part, points] of Object.entries({ ...parts, public: zkey.publicBases, quotient: zkey.h }))
    if (!adder.areProperPoints(points)) throw refused("point-invalid", `its ${part} bases`);
  if (!adder.areProperPoints(tables.b2.points, "G2") || !(await areInG2(curve, tables.b2.points, random)))
    throw refused("point-invalid", "its b2 bases");
}

/**
 * A's and B's bases follow from the powers of tau, and each other wire's base, over delta, sigma or the generator, from
 * these: for all wires i at once, by Σ ρ_i·(beta·u_i + alpha·v_i + w_i).
 */
async function checkWireBases(
  curve: Curve,
  { system, powers, keys, kind }: KeyReference,
  tables: KeyTables,
  random: RandomBytes,
): Promise<void> {
  const weights = new RandomWeights(system.wireCount, random);
  const sum = async (table: BaseTable): Promise<G1> =>
    g1FromEngine(curve, await multiExponentiation(curve, table.points, weights.bytesOf(table.wires)));
  const { a, b, c } = system;
  const [u, v, w] = await Promise.all([
    commitEvaluations(curve, powers, domainBitsFor(system), weights.byRow(a, system, true)),
    commitEvaluations(curve, powers, domainBitsFor(system), weights.byRow(b, system, false)),
    commitEvaluations(curve, powers, domainBitsFor(system), weights.byRow(c, system, false)),
  ]);
  if (!equalG1(await sum(tables.a), u)) throw refused("a-bases", "its A bases are not the circuit's");
  if (!equalG1(await sum(tables.b1), v)) throw refused("b-bases", "its B bases in G1 are not the circuit's");
  const v2 = g2FromEngine(
    curve,
    await multiExponentiation(curve, tables.b2.points, weights.bytesOf(tables.b2.wires), "G2"),
  );
  if (!sameSecret(v, v2)) throw refused("b-bases", "its B bases in G2 are not those in G1");
  const [overDelta, overSigma, overOne] = await Promise.all([
    sum(tables.private),
    sum(tables.committed),
    sum(tables.public),
  ]);
  const holds = pairingProductIsOne([
    { g1: overDelta, g2: kind.delta },
    { g1: overSigma, g2: kind.sigma },
    { g1: overOne, g2: G2_GENERATOR },
    { g1: negateG1(u), g2: keys.beta },
    { g1: negateG1(keys.alpha), g2: v2 },
    { g1: negateG1(w), g2: G2_GENERATOR },
  ]);
  if (!holds) throw refused("wire-bases", "a wire's base over delta, sigma or the generator is not the circuit's");
}

/** The quotient's bases are the Lagrange polynomials of the odd points of twice the domain at tau, over delta. */
async function checkQuotientBases(
  curve: Curve,
  { system, powers, kind }: KeyReference,
  h: Uint8Array,
  random: RandomBytes,
): Promise<void> {
  const bits = domainBitsFor(system);
  const weights = new RandomWeights(2 ** bits, random);
  const sum = g1FromEngine(curve, await multiExponentiation(curve, h, weights.bytes));
  const evaluations = new Array<bigint>(2 ** (bits + 1)).fill(0n);
  weights.values.forEach((value, k) => (evaluations[2 * k + 1] = value));
  const expected = await commitEvaluations(curve, powers, bits + 1, evaluations);
  const holds = pairingProductIsOne([
    { g1: sum, g2: kind.delta },
    { g1: negateG1(expected), g2: G2_GENERATOR },
  ]);
  if (!holds) throw refused("quotient-bases", "its bases of the quotient are not those of the domain");
}

/** True if the logarithms of both points are equal. */
function sameSecret(first: G1, second: G2): boolean {
  return pairingProductIsOne([
    { g1: first, g2: G2_GENERATOR },
    { g1: negateG1(G1_GENERATOR), g2: second },
  ]);
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, k) => byte === b[k]);
}

function refused(rule: KeyRule, why: string): VerisumError {
  return new VerisumError("KEY_REFUSED", `proving key refused: ${why} (${rule})`, { rule });
}
