/**
 * Keys made directly from known secrets, for development and tests: whoever ran it can forge any proof.
 *
 * The structure is that of a ceremony's result (docs/protocol.md, sections 5 and 9): gamma is the generator, committed
 * wires have their bases over sigma and nowhere else, all other private wires and the quotient over delta.
 */
import { g1FromEngine, g2FromEngine, G1_BYTES, G2_BYTES } from "../curve/bn254.ts";
import { generatorMultiples } from "../node/fixed-base.ts";
import type { WasmCurve } from "ffjavascript";
import { invertAll, multiply, randomElement } from "../../protocol/field.ts";
import { FIELD_ORDER } from "../../protocol/parameters.ts";
import type { G1, G2 } from "../../protocol/points.ts";
import type { RandomBytes } from "../../protocol/random.ts";
import type { ChunkVerificationKey } from "../../protocol/verification-key.ts";
import { evaluateQap } from "./qap.ts";
import type { ConstraintSystem } from "./r1cs.ts";
import { writeZkey } from "./zkey.ts";

/** The secrets that all kinds share. They exist in memory only and are never written. */
export interface CommonSecrets {
  readonly tau: bigint;
  readonly alpha: bigint;
  readonly beta: bigint;
}

/** The keys that do not depend on a circuit. */
export interface CommonKeys {
  readonly alpha: G1;
  readonly beta: G2;
  readonly tau: G2;
  /** [tau^i]_1 for i = 0 … powers − 1, the engine's affine bytes. */
  readonly powers: Uint8Array;
}

/** The keys of one circuit. */
export interface ChunkKeys {
  readonly verificationKey: ChunkVerificationKey;
  /** snarkjs's proving key with infinity for committed wires. */
  readonly zkey: Uint8Array;
  /** K_i/sigma of the committed wires in order, the engine's affine bytes. */
  readonly wireBases: Uint8Array;
}

/** Wires [start, end) are committed. */
export interface CommittedRange {
  readonly start: number;
  readonly end: number;
}

/** Draws tau, alpha and beta. */
export function drawCommonSecrets(random: RandomBytes): CommonSecrets {
  return { tau: drawSecret(random), alpha: drawSecret(random), beta: drawSecret(random) };
}

/** The powers of tau for vectors of up to `powers` elements, and the common verification keys. */
export async function makeCommonKeys(
  curve: WasmCurve,
  { tau, alpha, beta }: CommonSecrets,
  powers: number,
): Promise<CommonKeys> {
  const exponents = new Array<bigint>(powers);
  let power = 1n;
  for (let i = 0; i < powers; i++) {
    exponents[i] = power;
    power = multiply(power, tau);
  }
  const g1 = await generatorMultiples("G1", [alpha, ...exponents]);
  const g2 = await generatorMultiples("G2", [beta, tau]);
  return {
    alpha: g1FromEngine(curve, g1.subarray(0, G1_BYTES)),
    beta: g2FromEngine(curve, g2.subarray(0, G2_BYTES)),
    tau: g2FromEngine(curve, g2.subarray(G2_BYTES)),
    powers: g1.slice(G1_BYTES),
  };
}

/**
 * The keys of one circuit under fresh delta and sigma.
 * @param system with rows oriented as the prover will read them from the key
 */
export async function makeChunkKeys(
  curve: WasmCurve,
  system: ConstraintSystem,
  committed: CommittedRange,
  { tau, alpha, beta }: CommonSecrets,
  random: RandomBytes,
): Promise<ChunkKeys> {
  const [delta, sigma] = [drawSecret(random), drawSecret(random)];
  const [deltaInverse, sigmaInverse] = invertAll([delta, sigma]) as [bigint, bigint];
  const { u, v, w, quotient, domainSize } = evaluateQap(system, tau);
  const firstPrivate = system.publicCount + 1;
  const combined = u.map((value, i) => (beta * value + alpha * v[i]! + w[i]!) % FIELD_ORDER);
  const isCommitted = (wire: number): boolean => wire >= committed.start && wire < committed.end;
  const c = combined
    .slice(firstPrivate)
    .map((value, k) => (isCommitted(k + firstPrivate) ? 0n : multiply(value, deltaInverse)));
  const groups = [
    [alpha, beta, delta],
    combined.slice(0, firstPrivate),
    combined.slice(committed.start, committed.end).map((value) => multiply(value, sigmaInverse)),
    u,
    v,
    c,
    quotient.map((value) => multiply(value, deltaInverse)),
  ];
  const [singles, publicBases, wireBases, a, b1, cBases, h] = split(
    await generatorMultiples("G1", groups.flat()),
    groups.map((group) => group.length),
  );
  const g2 = await generatorMultiples("G2", [1n, beta, delta, sigma, ...v]);
  const single2 = (index: number): Uint8Array => g2.slice(index * G2_BYTES, (index + 1) * G2_BYTES);
  const zkey = writeZkey(system, domainSize, {
    alpha1: singles!.slice(0, G1_BYTES),
    beta1: singles!.slice(G1_BYTES, 2 * G1_BYTES),
    delta1: singles!.slice(2 * G1_BYTES),
    gamma2: single2(0),
    beta2: single2(1),
    delta2: single2(2),
    publicBases: publicBases!,
    a: a!,
    b1: b1!,
    b2: g2.slice(4 * G2_BYTES),
    c: cBases!,
    h: h!,
  });
  const verificationKey: ChunkVerificationKey = {
    delta: g2FromEngine(curve, single2(2)),
    sigma: g2FromEngine(curve, single2(3)),
    publicBases: Array.from({ length: firstPrivate }, (_, s) =>
      g1FromEngine(curve, publicBases!.slice(s * G1_BYTES, (s + 1) * G1_BYTES)),
    ),
  };
  return { verificationKey, zkey, wireBases: wireBases! };
}

/** Uniform among the elements other than 0, 1 and −1, which the key guard refuses. */
function drawSecret(random: RandomBytes): bigint {
  for (;;) {
    const value = randomElement(random);
    if (value > 1n && value < FIELD_ORDER - 1n) return value;
  }
}

function split(points: Uint8Array, counts: readonly number[]): Uint8Array[] {
  let at = 0;
  return counts.map((count) => points.slice(at, (at += count * G1_BYTES)));
}
