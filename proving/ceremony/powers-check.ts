/** Whether a file of powers of tau is what its ceremony made: every point, and the record of contributions. */
import type { RandomBytes } from "../../protocol/random.ts";
import { G1_GENERATOR, G2_GENERATOR, negateG1, pairingProductIsOne } from "../../protocol/points.ts";
import type { G1, G2 } from "../../protocol/points.ts";
import { G1_BYTES, g1FromEngine, G2_BYTES, g2FromEngine } from "../curve/bn254.ts";
import type { Curve } from "../curve/curve.ts";
import { powersAreConsistent } from "../curve/kzg.ts";
import { multiExponentiation } from "../curve/multi-exponentiation.ts";
import { openPointAdder } from "../curve/point-adder.ts";
import { areInG2 } from "../curve/subgroup.ts";
import { powersRefused } from "./powers-file.ts";
import type { PowersFile } from "./powers-file.ts";
import { blake2b, firstChallengeOf, readPowersRecord, verifyPowersRecord } from "./powers-record.ts";
import type { Accumulator, PowersContribution } from "./powers-record.ts";

const WEIGHT_BYTES = 16;

/**
 * Verifies a file completely, but the part prepared for snarkjs's second phase, which is not used.
 * @param random weights of the checks; a CSPRNG
 * @returns the contributions, in order
 * @throws POWERS_REFUSED
 */
export async function checkPowersFile(
  curve: Curve,
  file: PowersFile,
  random: RandomBytes,
  onStep: (description: string) => void,
): Promise<readonly PowersContribution[]> {
  const contributions = readPowersRecord(file.contributions);
  onStep(`checking the proofs of ${contributions.length} contribution(s) to the powers of tau`);
  const firstChallenge = firstChallengeOf(curve, file.ceremonyPower);
  const last = await verifyPowersRecord(curve, contributions, firstChallenge, random);
  onStep(`checking 2^${file.power} powers of tau`);
  await checkPowers(curve, file, last, random);
  if (file.power === file.ceremonyPower) await checkLastChallenge(curve, file, contributions, firstChallenge);
  return contributions;
}

/** Every power is the one before times tau, in all four lists, and they begin where the record ends. */
async function checkPowers(curve: Curve, file: PowersFile, last: Accumulator, random: RandomBytes): Promise<void> {
  const { tauG1, tauG2, alphaTauG1, betaTauG1, betaG2 } = file;
  const begins = [
    [tauG1.subarray(0, G1_BYTES), curve.G1.gAffine],
    [tauG1.subarray(G1_BYTES, 2 * G1_BYTES), last.tauG1],
    [tauG2.subarray(0, G2_BYTES), curve.G2.gAffine],
    [tauG2.subarray(G2_BYTES, 2 * G2_BYTES), last.tauG2],
    [alphaTauG1.subarray(0, G1_BYTES), last.alphaG1],
    [betaTauG1.subarray(0, G1_BYTES), last.betaG1],
    [betaG2, last.betaG2],
  ] as const;
  if (begins.some(([actual, expected]) => actual.some((byte, k) => byte !== expected[k])))
    throw powersRefused("powers-inconsistent", "the points are not those that the last contribution left");
  const tau = g2FromEngine(curve, last.tauG2);
  if (!(await powersAreConsistent(curve, tauG1, tau, random)))
    throw powersRefused("powers-inconsistent", "the powers of tau in G1 are not powers of one tau");
  for (const [name, points] of Object.entries({ alpha: alphaTauG1, beta: betaTauG1 }))
    if (!(await areMultiplesOfPowers(curve, points, tau, random)))
      throw powersRefused("powers-inconsistent", `the powers of tau times ${name} do not belong together`);
  if (!(await arePowersInG2(curve, tauG2, g1FromEngine(curve, last.tauG1), random)))
    throw powersRefused("powers-inconsistent", "the powers of tau in G2 are not those in G1");
}

/** e(Σ ρ_i·P_{i+1}, G2) = e(Σ ρ_i·P_i, tau). */
async function areMultiplesOfPowers(curve: Curve, points: Uint8Array, tau: G2, random: RandomBytes): Promise<boolean> {
  if (!(await openPointAdder()).areProperPoints(points)) return false;
  const weights = random((points.length / G1_BYTES - 1) * WEIGHT_BYTES);
  const sum = async (part: Uint8Array): Promise<G1> =>
    g1FromEngine(curve, await multiExponentiation(curve, part, weights));
  const lower = await sum(points.subarray(0, points.length - G1_BYTES));
  const upper = await sum(points.subarray(G1_BYTES));
  return pairingProductIsOne([
    { g1: upper, g2: G2_GENERATOR },
    { g1: negateG1(lower), g2: tau },
  ]);
}

/** e(G1, Σ ρ_i·Q_{i+1}) = e(tau, Σ ρ_i·Q_i). */
async function arePowersInG2(curve: Curve, points: Uint8Array, tau: G1, random: RandomBytes): Promise<boolean> {
  if (!(await openPointAdder()).areProperPoints(points, "G2") || !(await areInG2(curve, points, random))) return false;
  const weights = random((points.length / G2_BYTES - 1) * WEIGHT_BYTES);
  const sum = async (part: Uint8Array): Promise<G2> =>
    g2FromEngine(curve, await curve.G2.multiExpAffine(part, weights));
  const lower = await sum(points.subarray(0, points.length - G2_BYTES));
  const upper = await sum(points.subarray(G2_BYTES));
  return pairingProductIsOne([
    { g1: G1_GENERATOR, g2: upper },
    { g1: negateG1(tau), g2: lower },
  ]);
}

/** The whole ceremony's result hashes to what its last contributor published. A part of it cannot be hashed so. */
async function checkLastChallenge(
  curve: Curve,
  file: PowersFile,
  contributions: readonly PowersContribution[],
  firstChallenge: Uint8Array,
): Promise<void> {
  const { G1, G2 } = curve;
  const lists = [
    [G1, file.tauG1],
    [G2, file.tauG2],
    [G1, file.alphaTauG1],
    [G1, file.betaTauG1],
    [G2, file.betaG2],
  ] as const;
  const [compressed, whole]: [Uint8Array[], Uint8Array[]] = [[], []];
  for (const [group, points] of lists) {
    compressed.push(await group.batchLEMtoC(points));
    whole.push(await group.batchLEMtoU(points));
  }
  const last = contributions.at(-1)!;
  const proofs = last.proofBytes;
  const proofPoints = [
    await G1.batchLEMtoU(proofs.slice(0, 6 * G1_BYTES)),
    await G2.batchLEMtoU(proofs.slice(6 * G1_BYTES)),
  ];
  const response = blake2b([contributions.at(-2)?.nextChallenge ?? firstChallenge, ...compressed, ...proofPoints]);
  if (blake2b([response, ...whole]).some((byte, k) => byte !== last.nextChallenge[k]))
    throw powersRefused("challenge", "the points do not have the hash that the last contribution names");
}
